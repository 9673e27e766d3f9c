"""Maker notes: what cameras write in ways of their own, without the previews among it."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .carving import without_jpegs

_LONGEST_BLOB = 2048  # bytes; in longer ones of no known meaning a picture may hide
_STARTS = (0, 6, 8, 10, 12, 14, 16, 18, 26, 38)  # of the directory, behind the maker's own header
_MOST_ENTRIES = 400
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BLOBS = (1, 6, 7)


class _Value(NamedTuple):
    kind: int
    place: int
    size: int


def without_pictures(note: bytes, place: int) -> bytes | None:
    """A maker note with everything blanked that may be a picture.

    That is every JPEG stream, every value that is a long block of bytes, and every long stretch to
    which no entry of a directory leads.

    Args:
        note: The maker note.
        place: Where it lies in its EXIF block, from which most makers count.

    Returns:
        The note, of the same length; None where nothing of it is understood and it is long.
    """
    kept = bytearray(without_jpegs(note))
    if len(note) <= _LONGEST_BLOB:
        return bytes(kept)
    understood = bytearray(len(note))
    for order in "<>":
        for start in _STARTS:
            entries = _entries(note, order, start)
            if not entries:
                continue
            understood[: start + 2 + 12 * len(entries) + 4] = b"\1" * (
                min(start + 2 + 12 * len(entries) + 4, len(note))
            )
            for value in _values(entries, len(note), place, start):
                if value.kind not in _BLOBS or value.size <= _LONGEST_BLOB:
                    understood[value.place : value.place + value.size] = b"\1" * value.size
    if not any(understood):
        return None
    end = 0
    while (begin := understood.find(0, end)) >= 0:
        end = understood.find(1, begin)
        end = len(note) if end < 0 else end
        if end - begin > _LONGEST_BLOB:
            kept[begin:end] = bytes(end - begin)
    return bytes(kept)


def _values(
    entries: list[tuple[int, int, int]], length: int, place: int, start: int
) -> list[_Value]:
    """The values beside a directory, by the way of counting in which most of them lie inside."""
    ways = [
        [
            _Value(kind, offset - origin, _SIZES[kind] * count)
            for kind, count, offset in entries
            if _SIZES[kind] * count > 4 and 0 <= offset - origin <= length - _SIZES[kind] * count
        ]
        for origin in (place, 0, 8 - start, 10 - start, -start)
    ]
    return max(ways, key=len)


def _entries(note: bytes, order: str, start: int) -> list[tuple[int, int, int]]:
    """Type, count and offset of a directory's entries; empty where there is no directory."""
    try:
        (count,) = struct.unpack_from(order + "H", note, start)
        if not 0 < count <= _MOST_ENTRIES:
            return []
        found = [
            struct.unpack_from(order + "2xHLL", note, start + 2 + 12 * i) for i in range(count)
        ]
    except struct.error:
        return []
    return found if all(kind in _SIZES for kind, _, _ in found) else []
