"""Boxes of HEIF, AVIF and JPEG XL files (ISO/IEC 14496-12, 23008-12 and 18181-2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .encoding import Cicp

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Name, and where the content of each box begins and ends."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, name = struct.unpack_from(">L4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        stop = end if size == 0 else start + size
        if (size not in (0,) and size < head) or stop > end:
            return
        yield name, start + head, stop
        start = stop


def find(data: bytes, *path: bytes) -> tuple[int, int] | None:
    """Where the content of the box at a path begins and ends; full boxes' flags are passed over."""
    start, end = 0, len(data)
    for wanted in path:
        for name, first, last in boxes(data, start, end):
            if name == wanted:
                start, end = first + (4 if name == b"meta" else 0), last
                break
        else:
            return None
    return start, end


def has_c2pa(data: bytes) -> bool:
    """Whether a file has a manifest of its origin (C2PA)."""
    return any(
        name == b"jumb" or (name == b"uuid" and data[start : start + 16] == _C2PA)
        for name, start, _ in boxes(data)
    )


def code_points(data: bytes) -> Cicp | None:
    """The colour space of the primary picture by code points (nclx), or None."""
    properties, links = find(data, b"meta", b"iprp", b"ipco"), find(data, b"meta", b"iprp", b"ipma")
    primary = find(data, b"meta", b"pitm")
    if properties is None or links is None or primary is None:
        return None
    layout = ">H" if data[primary[0]] == 0 else ">L"
    try:
        (item,) = struct.unpack_from(layout, data, primary[0] + 4)
        mine = _associated(data, links[0], item)
    except (struct.error, IndexError):
        return None
    for index, (name, start, end) in enumerate(boxes(data, *properties), 1):
        if (
            name == b"colr"
            and index in mine
            and data[start : start + 4] == b"nclx"
            and end - start >= 8
        ):
            return Cicp(*struct.unpack_from(">HH", data, start + 4))
    return None


def bit_depth(data: bytes) -> int:
    """Bits per sample of an AVIF file's pictures: 10 or 12 (av1C), 8 where it says none."""
    properties = find(data, b"meta", b"iprp", b"ipco")
    for name, start, end in boxes(data, *properties) if properties else ():
        if name == b"av1C" and end - start >= 3:
            flags = data[start + 2]
            return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    return 8


def _associated(data: bytes, place: int, wanted: int) -> set[int]:
    """The numbers of the properties of an item (ipma)."""
    version, wide = data[place], data[place + 3] & 1
    (count,) = struct.unpack_from(">L", data, place + 4)
    place += 8
    for _ in range(min(count, 10_000)):
        layout = ">H" if version < 1 else ">L"
        (item,) = struct.unpack_from(layout, data, place)
        place += struct.calcsize(layout)
        number = data[place]
        place += 1
        step = 2 if wide else 1
        fields = [
            int.from_bytes(data[p : p + step]) for p in range(place, place + number * step, step)
        ]
        place += number * step
        if item == wanted:
            return {value & (0x7FFF if wide else 0x7F) for value in fields}
    return set()


def box(name: bytes, *content: bytes) -> bytes:
    """A box of so much content."""
    whole = b"".join(content)
    return struct.pack(">L4s", 8 + len(whole), name) + whole
