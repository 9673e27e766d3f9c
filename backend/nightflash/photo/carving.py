"""Pictures hidden in bytes: JPEG streams, wherever they lie."""

from __future__ import annotations

import re

# A JPEG's start; some cameras spoil the very first byte of a preview.
_START = re.compile(rb"[\s\S]\xd8\xff[\xc0-\xfe]")
_SCAN = 0xDA
_END = re.compile(rb"\xff\xd9")


def without_jpegs(data: bytes) -> bytes:
    """The bytes with every JPEG stream in them blanked, the length kept."""
    kept = bytearray(data)
    place = 0
    while (found := _START.search(data, place)) is not None:
        place = _end_of_jpeg(data, found.start())
        kept[found.start() : place] = bytes(place - found.start())
    return bytes(kept)


def _end_of_jpeg(data: bytes, start: int) -> int:
    """Where the stream ends that starts here; the end of the data where that is not clear."""
    place = start + 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker, size = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        place += 2 + size
        if marker == _SCAN:
            end = _END.search(data, place)
            return end.end() if end else len(data)
    return len(data)
