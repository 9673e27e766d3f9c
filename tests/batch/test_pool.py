"""Processes that make nights: each photo is answered once, whatever dies."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nightflash.batch.order import Order, Tools
from nightflash.batch.pool import Pool
from nightflash.errors import NightFlashError

from tests.batch import workers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")


def orders(folder: Path, *names: str) -> list[Order]:
    return [Order(name, str(folder / name)) for name in names]


def test_every_order_is_answered_once(tmp_path: Path) -> None:
    names = [f"photo{number}" for number in range(50)]
    with Pool(2, 1, Tools(), workers.willing) as pool:
        entries = list(pool.do(orders(tmp_path, *names)))
    assert sorted(entry["photo"] for entry in entries) == sorted(names)
    assert len({entry["pid"] for entry in entries}) == 2
    assert not any("fault" in entry for entry in entries)


@pytest.mark.parametrize(("count", "killing"), [(2, [5]), (1, [5, 12])])
def test_a_worker_that_is_killed_is_replaced(
    tmp_path: Path, count: int, killing: list[int]
) -> None:
    """Of two workers, one could have both photos: then either would be to blame twice."""
    names = [f"photo{number}" for number in range(20)]
    for number in killing:
        names[number] = f"once{number}"
    with Pool(count, 1, Tools(), workers.willing) as pool:
        entries = list(pool.do(orders(tmp_path, *names)))
    assert sorted(entry["photo"] for entry in entries) == sorted(names)
    assert not any("fault" in entry for entry in entries)


def test_a_photo_that_kills_is_tried_again_once_and_takes_no_other_along(tmp_path: Path) -> None:
    names = [f"photo{number}" for number in range(12)]
    names[4] = "killed4"
    with Pool(1, 1, Tools(), workers.willing) as pool:
        entries = list(pool.do(orders(tmp_path, *names)))
    assert sorted(entry["photo"] for entry in entries) == sorted(names)
    (fault,) = (entry for entry in entries if "fault" in entry)
    assert fault["photo"] == "killed4"
    assert "was ended twice" in fault["fault"]


@pytest.mark.parametrize(
    ("job", "code"),
    [(workers.hurried, "no_memory"), (workers.without_networks, "networks_missing")],
)
def test_workers_that_cannot_work_end_it(tmp_path: Path, job: object, code: str) -> None:
    with pytest.raises(NightFlashError) as caught, Pool(1, 1, Tools(), job) as pool:
        list(pool.do(orders(tmp_path, "a", "b")))
    assert caught.value.code == code


def test_an_interruption_waits_for_no_worker(tmp_path: Path) -> None:
    start = time.monotonic()
    given = _interrupted(orders(tmp_path, "a"))
    with pytest.raises(KeyboardInterrupt), Pool(2, 1, Tools(), workers.busy) as pool:
        list(pool.do(given))
    assert time.monotonic() - start < 30


def _interrupted(first: list[Order]) -> Iterator[Order]:
    yield from first
    raise KeyboardInterrupt
