"""Who is next."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightflash import Settings
from nightflash.errors import NightFlashError
from nightflash.server.queue import MOST_WAITING, JobQueue
from nightflash.server.requests import Job, Kind, Work
from nightflash.server.upload import Upload

from tests.server.backend import pixels

PHOTO = Upload(pixels(np.zeros((4, 4, 3), np.uint8)))


def job(client: str, number: int, kind: Kind = "render") -> Job:
    work = Work(kind, PHOTO, None, None, None, Settings(), ("night",), "one", None)
    return Job(client, number, work)


def taken(queue: JobQueue) -> list[tuple[object, int]]:
    order = []
    while (next_one := queue.take(0)) is not None:
        order.append((next_one.client, next_one.id))
        queue.done(next_one)
    return order


def test_clients_take_turns() -> None:
    queue = JobQueue()
    for number in range(3):
        queue.put(job("greedy", number))
    queue.put(job("modest", 7))
    assert taken(queue) == [("greedy", 0), ("modest", 7), ("greedy", 1), ("greedy", 2)]


def test_quick_work_overtakes_slow() -> None:
    queue = JobQueue()
    queue.put(job("a", 1))
    queue.put(job("b", 2, "preview"))
    queue.put(job("a", 3, "analyse"))
    assert taken(queue) == [("b", 2), ("a", 3), ("a", 1)]


def test_a_running_render_lets_quick_work_in_between() -> None:
    queue = JobQueue()
    queue.put(job("a", 1))
    slow = queue.take(0)
    queue.put(job("a", 2))
    assert queue.take_quick() is None
    queue.put(job("b", 3, "preview"))
    quick = queue.take_quick()
    assert slow is not None
    assert quick is not None
    assert (slow.id, quick.id) == (1, 3)


def test_a_newer_preview_replaces_the_older_one_that_waits() -> None:
    queue = JobQueue()
    first, second, others = job("a", 1, "preview"), job("a", 2, "preview"), job("b", 3, "preview")
    assert queue.put(first) is None
    assert queue.put(others) is None
    assert queue.put(second) is first
    assert taken(queue) == [("a", 2), ("b", 3)]
    queue.put(first)
    assert queue.take(0) is first
    assert queue.put(second) is None, "what runs is not replaced"


def test_who_moves_a_slider_keeps_the_turn() -> None:
    queue = JobQueue()
    for number in range(30):
        queue.put(job("b", number, "analyse"))
    order = []
    for number in range(10):
        queue.put(job("a", number, "preview"))
        queue.put(job("a", 100 + number, "preview"))
        one = queue.take(0)
        assert one is not None
        queue.done(one)
        order.append(one.client)
    assert order.count("a") >= 4


def test_cancelling() -> None:
    queue = JobQueue()
    running, waiting, other = job("a", 1), job("a", 2), job("b", 2)
    for one in (running, waiting, other):
        queue.put(one)
    assert queue.take(0) is running
    assert queue.cancel("a", 1) is None, "the worker answers for what runs"
    assert running.cancelled.is_set()
    assert queue.cancel("a", 2) is waiting
    assert queue.cancel("a", 99) is None
    queue.done(running)
    assert not other.cancelled.is_set()
    assert taken(queue) == [("b", 2)]


def test_the_work_of_a_client_that_went_away_is_dropped() -> None:
    queue = JobQueue()
    mine, theirs, running = job("a", 1, "preview"), job("b", 1), job("a", 2)
    queue.put(running)
    queue.take(0)
    queue.put(mine)
    queue.put(theirs)
    assert queue.clients() == {"a", "b"}
    assert queue.drop_all_of(lambda client: client == "a") == 2
    assert running.cancelled.is_set()
    assert mine.cancelled.is_set()
    assert taken(queue) == [("b", 1)]


def test_a_client_may_not_have_too_much_waiting_nor_one_number_twice() -> None:
    queue = JobQueue()
    for number in range(MOST_WAITING):
        queue.put(job("a", number))
    with pytest.raises(NightFlashError) as caught:
        queue.put(job("a", 999))
    assert caught.value.code == "busy"
    queue.put(job("b", 1))
    with pytest.raises(NightFlashError) as caught:
        queue.put(job("b", 1))
    assert caught.value.code == "bad_request"


def test_closing_wakes_the_worker_and_cancels_all() -> None:
    queue = JobQueue()
    got: list[Job | None] = []
    worker = threading.Thread(target=lambda: got.append(queue.take(30)))
    worker.start()
    jobs = queue.close()
    worker.join(5)
    assert (jobs, got, queue.closed) == ([], [None], True)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["preview", "analyse", "render"])))
)
def test_all_is_done_once_and_quick_work_first(given_jobs: list[tuple[str, Kind]]) -> None:
    queue = JobQueue()
    replaced = []
    for number, (client, kind) in enumerate(given_jobs[:MOST_WAITING]):
        replaced.append(queue.put(job(client, number, kind)))
    order = taken(queue)
    kinds = [given_jobs[number][1] for _, number in order]
    assert kinds == sorted(kinds, key=lambda kind: kind == "render")
    gone = {one.id for one in replaced if one is not None}
    assert sorted([number for _, number in order] + list(gone)) == list(range(len(replaced)))
