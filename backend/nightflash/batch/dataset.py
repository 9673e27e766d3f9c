"""Nights in data pipelines: what ``ray.data`` maps batches of files with."""

from __future__ import annotations

import json
import posixpath
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nightflash.batch.order import Order, Tools
from nightflash.batch.way import Piece, Way
from nightflash.batch.worker import limit_threads
from nightflash.settings import Settings

Batch = dict[str, Any]


class NightFlash:
    """Makes nights of picture files, for ``ds.map_batches(NightFlash, …)``.

    A batch is columns: ``bytes``, the files, and ``path``, as ``ray.data.read_binary_files`` gives
    them. Added are ``night``, files of the same format, empty after a fault, and ``report``, JSON
    like a line of the report of ``nightflash batch``. Where a column ``order`` is there, each
    photo has an order of its own, as ``Order.as_json`` writes it.

    Args:
        settings: What the user wants, or the settings that differ from the defaults.
        networks, weights, device: See ``Engine``.
        threads: How many compute at once; None leaves that as it is.

    Raises:
        NightFlashError: The networks are not there, or a setting is wrong.
    """

    def __init__(
        self,
        settings: Settings | Mapping[str, Any] | None = None,
        *,
        networks: str = "auto",
        weights: Path | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        if threads is not None:
            limit_threads(threads)
        if not isinstance(settings, Settings):
            settings = Settings.from_values(settings or {})
        self._settings = settings
        self._way = Way(Tools(networks, weights, device))
        self._way.load()

    def __call__(self, batch: Batch) -> Batch:
        """Make the nights of a batch; one that fails is told in its report and stops no other."""
        nights, reports = [], []
        for number, content in enumerate(batch["bytes"]):
            night, report = self._made(self._order(batch, number), content)
            nights.append(night)
            reports.append(report)
        return {**batch, "night": _column(nights), "report": _column(reports)}

    def _order(self, batch: Batch, number: int) -> Order:
        if "order" in batch:
            return Order.of_json(batch["order"][number])
        path = str(batch["path"][number])
        return Order(path, path, self._settings)

    def _made(self, order: Order, content: bytes) -> tuple[bytes, str]:
        piece = Piece(order)
        with tempfile.TemporaryDirectory(prefix="nightflash-") as folder:
            day = Path(folder) / "day" / posixpath.basename(order.photo)
            night = Path(folder) / "night" / posixpath.basename(order.out)
            for file in (day, night):
                file.parent.mkdir()
            day.write_bytes(content)
            try:
                self._way.read(piece, day, night)
                self._way.render(piece)
                self._way.write(piece, night)
            except Exception as fault:  # one bad photo never stops the rest
                piece.fail(fault)
                return b"", json.dumps(piece.entry).replace(str(day), order.photo)
            return night.read_bytes(), json.dumps(piece.entry)


def _column(values: list[Any]) -> Any:
    column = np.empty(len(values), object)
    column[:] = values
    return column
