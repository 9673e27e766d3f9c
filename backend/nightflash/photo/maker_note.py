"""Maker notes: what cameras write in ways of their own, without the previews among it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .carving import without_jpegs

_LONGEST_NOTE = 32_768  # bytes; in longer ones anything may be
_LONGEST_BLOB = 2048
_STARTS = (0, 6, 8, 10, 12, 14, 16, 18, 26, 38)  # of the directory, behind the maker's own header
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_BLOBS = (1, 6, 7)


def without_pictures(note: bytes, place: int) -> bytes | None:
    """A maker note with every JPEG stream and every long block of bytes in it blanked.

    Args:
        note: The maker note.
        place: Where it lies in its EXIF block, from which most makers count.

    Returns:
        The note, of the same length; None where it is so long that more may hide in it.
    """
    if len(note) > _LONGEST_NOTE:
        return None
    kept = bytearray(without_jpegs(note))
    for start, size in _blobs(note, place):
        kept[start : start + size] = bytes(len(kept[start : start + size]))
    return bytes(kept)


def _blobs(note: bytes, place: int) -> Iterator[tuple[int, int]]:
    """Where long blocks of bytes lie in a note, and how long they are."""
    for order in "<>":
        for start in _STARTS:
            for kind, count, offset in _entries(note, order, start):
                size = _SIZES[kind] * count
                if kind in _BLOBS and size > _LONGEST_BLOB:
                    for origin in (place, 0, start, start - 8, start - 10):
                        if offset - origin >= 0 and offset - origin + size <= len(note):
                            yield offset - origin, size


def _entries(note: bytes, order: str, start: int) -> list[tuple[int, int, int]]:
    """Type, count and offset of a directory's entries; empty where there is no directory."""
    try:
        (count,) = struct.unpack_from(order + "H", note, start)
        found = [
            struct.unpack_from(order + "2xHLL", note, start + 2 + 12 * i) for i in range(count)
        ]
    except struct.error:
        return []
    return found if all(kind in _SIZES for kind, _, _ in found) else []
