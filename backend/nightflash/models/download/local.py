"""A file on this machine, read as one on a server is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nightflash.errors import NightFlashError
from nightflash.models.download.faults import ELSEWHERE, FAILED, Absent
from nightflash.models.download.remote import Answer

CHUNK = 2**20  # bytes read at once


class LocalFile:
    """A file on this machine.

    Args:
        path: Where it lies.
        place: What it is called in sentences, instead of that.

    Attributes:
        total: Its length.

    Raises:
        NightFlashError: It cannot be looked at; ``Absent`` where there is none.
    """

    def __init__(self, path: Path, place: str = "") -> None:
        self.place = place or str(path)
        self._path = path
        try:
            self.total = path.stat().st_size
        except FileNotFoundError as fault:
            raise Absent(f"There is no file {self.place}.", ELSEWHERE, code=FAILED) from fault
        except OSError as fault:
            raise self._unreadable(fault) from fault

    @property
    def origin(self) -> dict[str, str]:
        """Where its bytes came from, for the file's metadata."""
        return {"url": self._path.name}

    def read(self, first: int, end: int) -> bytes:
        """Return the bytes from ``first`` to before ``end``, or to the end of the file.

        Raises:
            NightFlashError: It cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(first)
                return file.read(end - first)
        except OSError as fault:
            raise self._unreadable(fault) from fault

    def answer(self) -> Answer:
        """All of it, as a server would send it."""
        return Answer(0, False, self.total, self.total, "", self._pieces)

    def _pieces(self, most: int) -> Iterator[bytes]:
        at = 0
        while piece := self.read(at, min(at + CHUNK, most)):
            yield piece
            at += len(piece)

    def _unreadable(self, fault: OSError) -> NightFlashError:
        return NightFlashError(
            f"{self.place} cannot be read: {fault.strerror}.", ELSEWHERE, code=FAILED
        )
