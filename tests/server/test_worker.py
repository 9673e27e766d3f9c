"""What happens to jobs: answers, faults, too little memory, quick work in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from nightflash import Engine, NightFlashError, Settings
from nightflash.client import protocol
from nightflash.client.protocol import Message
from nightflash.engine import pixels as pixels_module
from nightflash.engine import working as working_module
from nightflash.server.queue import JobQueue
from nightflash.server.requests import Job, Kind, Work
from nightflash.server.upload import Upload
from nightflash.server.worker import Worker

from tests.command_line import pixels as photo_pixels
from tests.server.backend import pixels, until

PHOTO = Upload(pixels(photo_pixels()))


class Desk:
    """A worker with its queue, and what it answered."""

    def __init__(self, make_engine: Callable[[str], Engine], **options: Any) -> None:
        self.queue = JobQueue()
        self.replies: list[tuple[Job, Message]] = []
        self.worker = Worker(self.queue, make_engine, self._reply, **options)

    def _reply(self, job: Job, message: Message) -> None:
        self.replies.append((job, message))

    def put(self, number: int, kind: Kind = "render", **wanted: Any) -> Job:
        settings = Settings(**{"quality": "fast", "grain": None, **wanted})
        work = Work(kind, PHOTO, None, None, None, settings, ("night",), "one", None)
        job = Job("client", number, work)
        self.queue.put(job)
        return job

    def answer(self, job: Job) -> Message:
        for _ in until(60):
            for other, message in list(self.replies):
                if other is job and message.header["reply"] != "progress":
                    return message
        raise AssertionError("no answer")


def builtin(device: str) -> Engine:
    return Engine("builtin", device="cpu")


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk(builtin)
    desk.worker.start()
    yield desk
    desk.queue.close()
    desk.worker.join(10)
    assert not desk.worker.is_alive()


def test_progress_and_a_result(desk: Desk) -> None:
    job = desk.put(1, quality="best", steps=3)
    answer = desk.answer(job)
    assert answer.header["reply"] == "result"
    assert answer.pictures[0].layout == PHOTO.layout
    replies = [m.header for _, m in desk.replies[:-1]]
    fractions = [header["fraction"] for header in replies]
    assert fractions == sorted(fractions)
    assert {"scene", "light", "refine", "full size"} <= {header["stage"] for header in replies}
    assert all(header["message"] for header in replies)
    told = Path(protocol.__file__).with_name("PROTOCOL.md").read_text(encoding="utf-8")
    fields = {*answer.header, *answer.header["subject"]} - {"reply"}
    assert [field for field in fields if f"`{field}`" not in told] == []


def test_a_fault_of_the_program_is_answered_and_the_worker_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(pixels_module, "transfer", lambda *_, **__: 1 / 0)
        answer = desk.answer(desk.put(1))
    assert answer.header["code"] == "internal"
    assert "ZeroDivisionError" in answer.header["sentence"]
    assert "Traceback" in caplog.text
    assert desk.answer(desk.put(2)).header["reply"] == "result"


def test_quick_work_is_done_while_a_render_runs(desk: Desk) -> None:
    slow = desk.put(1, quality="best", steps=300, content=20.0)
    for _ in until(30):
        if any(m.header.get("stage") == "refine" for _, m in list(desk.replies)):
            break
    quick = desk.put(2, "preview")
    assert desk.answer(quick).header["reply"] == "result"
    assert all(job is not slow or m.header["reply"] == "progress" for job, m in desk.replies)
    slow.cancelled.set()
    assert desk.answer(slow).header["code"] == "cancelled"


def test_a_job_cancelled_while_it_waited_is_not_begun(desk: Desk) -> None:
    job = desk.put(1, quality="best")
    job.cancelled.set()
    assert desk.answer(job).header["code"] == "cancelled"


def short_of_memory(
    monkeypatch: pytest.MonkeyPatch, enough: Callable[[Engine, tuple[int, int]], bool]
) -> list[str]:
    """Engines fail as torch does where ``enough`` of engine and working size is false."""
    tries: list[str] = []
    plain = Engine._aimed

    def limited(self: Engine, working: Any, *rest: Any) -> Any:
        tries.append(f"{self.device} {working.dimensions}")
        if not enough(self, working.dimensions):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return plain(self, working, *rest)

    monkeypatch.setattr(Engine, "_aimed", limited)
    return tries


@pytest.mark.parametrize("kind", ["render", "preview"])
def test_without_memory_it_is_done_smaller(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    short_of_memory(monkeypatch, lambda engine, size: size[0] * size[1] < 96 * 64)
    monkeypatch.setattr(
        working_module, "working_dimensions", lambda w, h, mp: (48, 32) if mp < 0.2 else (w, h)
    )
    answer = desk.answer(desk.put(1, kind))
    assert answer.header["reply"] == "result"
    assert answer.header["working_size"] == [48, 32]
    assert any("0.125 MP" in note for note in answer.header["notes"])


def test_then_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(device: str) -> Engine:
        made.append(device)
        engine = builtin("cpu")
        if device == "auto":  # a GPU by name, whose memory never suffices
            networks = engine.load()
            engine.device = torch.device("cuda")
            monkeypatch.setattr(engine, "load", lambda: networks)
        return engine

    tries = short_of_memory(monkeypatch, lambda engine, size: engine.device.type == "cpu")
    desk = Desk(make)
    desk.worker.start()
    answer = desk.answer(desk.put(1))
    again = desk.answer(desk.put(2))
    desk.queue.close()
    desk.worker.join(10)
    assert made == ["auto", "cpu"]
    assert [one.split()[0] for one in tries] == ["cuda", "cuda", "cpu"] * 2
    for reply in (answer, again):
        assert reply.header["device"] == "cpu"
        assert any("the processor did the work" in note for note in reply.header["notes"])


def test_without_memory_anywhere_it_is_told_and_the_worker_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        tries = short_of_memory(short, lambda engine, size: False)
        answer = desk.answer(desk.put(1))
        assert len(tries) == 2
    assert answer.header["code"] == "no_memory"
    assert answer.header["remedy"]
    assert desk.answer(desk.put(2)).header["reply"] == "result"


def test_an_engine_that_cannot_be_made_is_told_and_tried_again() -> None:
    faults = [NightFlashError("No networks.", "Get some.", code="networks_missing")] * 2

    def make(device: str) -> Engine:
        if faults:
            raise faults.pop()
        return builtin(device)

    desk = Desk(make)
    desk.worker.start()
    answer = desk.answer(desk.put(1))
    assert answer.header["code"] == "networks_missing"
    assert desk.worker.state == "failed"
    assert desk.answer(desk.put(2)).header["reply"] == "result"
    assert desk.worker.state == "ready"
    desk.queue.close()


def test_networks_that_break_while_they_are_read_leave_a_worker_that_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults: list[Exception] = [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("odd")]

    def make(device: str) -> Engine:
        engine = builtin(device)
        load = engine.load

        def breaks() -> Any:
            if faults:
                raise faults.pop()
            return load()

        monkeypatch.setattr(engine, "load", breaks)
        return engine

    desk = Desk(make)
    desk.worker.start()
    assert any(desk.worker.state == "failed" for _ in until(10))
    assert desk.worker.fault == "odd"
    answer = desk.answer(desk.put(1))
    assert answer.header["code"] == "internal"
    assert desk.answer(desk.put(2)).header["reply"] == "result"
    assert desk.worker.fault == ""
    desk.queue.close()


def test_networks_too_large_for_the_gpu_go_to_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def make(device: str) -> Engine:
        engine = builtin(device)
        if device == "auto":

            def full() -> Any:
                raise NightFlashError("Full.", code="no_memory")

            monkeypatch.setattr(engine, "load", full)
            engine.device = torch.device("cuda")
        return engine

    desk = Desk(make)
    desk.worker.start()
    assert desk.answer(desk.put(1)).header["device"] == "cpu"
    assert desk.worker.state == "ready"
    desk.queue.close()


def test_a_cancelled_render_does_not_wait_for_the_quick_work_of_others(desk: Desk) -> None:
    slow = desk.put(1, quality="best", steps=300, content=20.0)
    for _ in until(30):
        if any(m.header.get("stage") == "refine" for _, m in list(desk.replies)):
            break
    quick = [desk.put(number, "analyse") for number in range(2, 42)]
    before = len(desk.replies)
    slow.cancelled.set()
    desk.answer(slow)
    since = [job for job, m in desk.replies[before:] if m.header["reply"] != "progress"]
    assert since.index(slow) <= 2
    assert all(desk.answer(job).header["reply"] == "result" for job in quick)


def test_memory_is_given_back_when_idle_or_asked_and_taken_again() -> None:
    desk = Desk(builtin, release_after=0.3)
    desk.worker.start()
    for kind in ("idle", "asked"):
        assert desk.answer(desk.put(1 if kind == "idle" else 2)).header["reply"] == "result"
        if kind == "asked":
            desk.worker.release()
        assert any(desk.worker.state == "released" for _ in until(10))
    desk.queue.close()
    desk.worker.join(10)


def test_a_cancelled_refinement_stops_within_a_step(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a step takes: here every layer takes 50 ms, a step half a second."""
    assert any(desk.worker.state == "ready" for _ in until(30))
    assert desk.worker._engine is not None
    network = desk.worker._engine.load().features
    plain = type(network).forward

    def slow(self: Any, rgb: Any, checkpoint: Any = None) -> Any:
        def waits() -> None:
            time.sleep(0.05)
            checkpoint()

        return plain(self, rgb, waits if checkpoint is not None else None)

    monkeypatch.setattr(type(network), "forward", slow)
    job = desk.put(1, quality="best", steps=50, content=20.0)
    for _ in until(30):
        if any(m.header.get("stage") == "refine" for _, m in list(desk.replies)):
            break
    threading.Event().wait(0.7)
    at = time.monotonic()
    job.cancelled.set()
    assert desk.answer(job).header["code"] == "cancelled"
    assert time.monotonic() - at < 0.4  # a step and a half take 0.75 s
