"""Batches without processes, which take seconds to start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from nightflash.aim import Aim
from nightflash.batch.order import Entry, Order, Tools
from nightflash.batch.way import Piece, Way
from nightflash.engine.night import Report
from nightflash.errors import NightFlashError
from nightflash.photo import Photo
from nightflash.settings import Settings

from tests.command_line import photo


class InProcess:
    """What ``Pool`` is, one order after the other in this process."""

    def __init__(self, workers: int, threads: int, tools: Tools) -> None:
        self._way = Way(tools)

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *rest: object) -> None:
        pass

    def do(self, orders: Iterable[Order]) -> Iterator[Entry]:
        for order in orders:
            piece = Piece(order)
            try:
                self._way.read(piece, Path(order.photo), Path(order.out))
                self._way.render(piece)
                self._way.write(piece, Path(order.out))
            except NightFlashError as fault:
                piece.fail(fault)
            yield piece.entry


class Dimmed:
    """What ``Engine`` is, for nights that are merely dark."""

    def __init__(self, *tools: object, **options: object) -> None:
        pass

    def render(self, day: Photo, settings: Settings, aim: Aim, in_place: bool) -> SimpleNamespace:
        box = (0.0, 0.0, float(day.width), float(day.height))
        size = (day.width, day.height)
        report = Report(
            {"scene": 0.0}, {"depth": "none"}, box, f"by {aim.point}", None, size, (), "cpu", ()
        )
        return SimpleNamespace(photo=day.with_rgb(0.1 * day.rgb), report=report)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightflash.batch.pool.Pool", InProcess)


@pytest.fixture
def quick(in_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightflash.batch.way.Engine", Dimmed)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with photos ``a.png``, ``b.png`` and ``deep/er/c.png``."""
    folder = tmp_path / "photos"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png", "deep/er/c.png")):
        photo(folder / name, 90 + number, 60)
    return folder
