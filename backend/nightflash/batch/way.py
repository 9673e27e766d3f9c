"""The way of one photo, from file to file: read, made into a night, written, told of."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from nightflash import __version__
from nightflash.aim import Aim
from nightflash.batch.order import Entry, Order, Tools, beginning, failed, read_for
from nightflash.batch.places import sha256
from nightflash.engine.engine import Engine
from nightflash.errors import NightFlashError
from nightflash.photo import Photo, write_photo


@dataclass
class Piece:
    """An order at work, and what the report will say of it.

    Attributes:
        order: What is to be done.
        entry: Its line of the report, which grows.
        aim: Where the flash is aimed, once read.
        picture: The photo once read, and then its night.
    """

    order: Order
    entry: Entry = field(init=False)
    aim: Aim = field(default_factory=Aim)
    picture: Photo | None = None

    def __post_init__(self) -> None:
        self.entry = beginning(self.order)

    @property
    def photo(self) -> Photo:
        """The picture, which is there by now."""
        assert self.picture is not None
        return self.picture

    def fail(self, fault: Exception) -> None:
        """Note why there will be no night."""
        self.picture = None
        said = str(fault)
        if not isinstance(fault, NightFlashError):
            said = f"This photo met a fault of NightFlash ({type(fault).__name__}: {said})."
        self.entry = failed(self.order, said)


class Way:
    """The three steps of the way, each of which may be in a thread of its own.

    Args:
        tools: What the engine is made of. It remembers nothing of a photo that is done.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._engine = Engine(tools.networks, tools.weights, tools.device, cache_bytes=0)

    def load(self) -> None:
        """Read the networks.

        Raises:
            NightFlashError: A file is missing or damaged.
        """
        self._engine.load()

    def read(self, piece: Piece, file: Path, out: Path) -> None:
        """From a local file to a photo whose night can be written as ``out``."""
        start, order = time.perf_counter(), piece.order
        piece.aim = order.aim.read()
        piece.picture = read_for(file, out, piece.aim)
        piece.entry = {
            **beginning(order),
            "wish": order.wish(self._tools),
            "photo_sha256": sha256(file),
            "seconds": {"read": _since(start)},
            "notes": list(piece.photo.source.notes),
        }

    def render(self, piece: Piece) -> None:
        """From a photo to a night."""
        night = self._engine.render(piece.photo, piece.order.settings, piece.aim, in_place=True)
        report, entry = night.report, piece.entry
        entry["seconds"] |= report.seconds
        entry["notes"] += report.notes
        entry["networks"] = report.networks
        entry["subject_box"] = report.subject_box
        entry["subject_from"] = report.subject_from
        entry["subject_metres"] = report.subject_metres
        entry["working_size"] = report.working_size
        entry["device"] = report.device
        piece.picture, piece.aim = night.photo, Aim()

    def write(self, piece: Piece, file: Path) -> None:
        """From a night to a local file."""
        start, order, entry = time.perf_counter(), piece.order, piece.entry
        lost = write_photo(file, piece.photo, quality=order.quality, keep=order.keep)
        entry["sha256"] = sha256(file)
        entry["notes"] += lost
        entry["seconds"]["write"] = _since(start)
        entry["nightflash"] = __version__
        piece.picture = None


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 4)
