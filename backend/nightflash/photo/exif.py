"""EXIF blocks: without any picture of the day, and true about the result.

A block is put together anew from its entries, so that nothing is in it that no entry leads to.
Maker notes stay where they were, as what they hold counts from there, and lose the pictures in
them; TIFF files, where they would have to move, go without.
"""

from __future__ import annotations

import datetime
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from . import tags
from .carving import without_jpegs
from .maker_note import without_pictures
from .tags import ASCII, EXIF, GPS, INTEROPERABILITY, LONG, MAKER_NOTE, RATIONAL, SHORT, Block

_WIDTH, _HEIGHT, _ORIENTATION = 0x0100, 0x0101, 0x0112
_SOFTWARE, _DATE_TIME = 0x0131, 0x0132
_COLOUR_SPACE, _INTEROP_INDEX = 0xA001, 0x0001
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_VERSION, _OFFSET_TIME, _SUBSECONDS = 0x9000, 0x9010, 0x9290
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128
_SRGB, _ADOBE, _UNCALIBRATED = 1, 2, 0xFFFF
# What a file's first directory says about the storage of its pixels, or holds in another form:
# sizes, places, thumbnails, profiles, XMP, IPTC, manifests.
_ABOUT_THE_FILE = frozenset(
    {0x00FE, 0x00FF, *range(0x0100, 0x0108), *range(0x0108, 0x010C), 0x0111, *range(0x0115, 0x011A)}
    | {0x011C, *range(0x0120, 0x0128), 0x013D, *range(0x0140, 0x0160), 0x015B}
    | {*range(0x0200, 0x0210), 0x02BC, 0x83BB, 0x8649, 0x8773, 0x935C, 0xCD41}
    | {*range(0xC612, 0xC7FF)}  # of raw files
)
STORAGE = _ABOUT_THE_FILE | {0x011A, 0x011B, 0x0128, 0x0211, 0x0212, 0x0213}
_TEXTS = (ASCII, 129)
_LONGEST_BLOB = 2048  # bytes; what is longer and has no type may be a picture

_one_at_a_time = threading.Lock()


class Facts(NamedTuple):
    """What an EXIF block shall say of the result.

    Attributes:
        width, height: Of the picture in the file.
        srgb: Whether its values are sRGB without a profile.
        software: What made it.
        changed: When, or None to leave the date as it is.
    """

    width: int
    height: int
    srgb: bool
    software: str
    changed: datetime.datetime | None = None


@contextmanager
def quietly() -> Iterator[None]:
    """Silences Pillow's warnings about damaged metadata; warning filters belong to all threads."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def opened(exif: bytes | None) -> Block | None:
    """The block taken apart; None where there is none or it is damaged."""
    try:
        return tags.parsed((exif or b"").removeprefix(b"Exif\0\0"))
    except (KeyError, struct.error):
        return None


def _number(block: Block | None, directory: int, tag: int) -> int | None:
    entry = block.entry(directory, tag) if block else None
    try:
        return entry.number(block.order) if block and entry else None
    except (KeyError, struct.error):
        return None


def orientation(exif: bytes | None) -> int:
    """The orientation 1..8 that a block asks for; 1 where it has none or is damaged."""
    value = _number(opened(exif), 0, _ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else 1


def has_orientation(exif: bytes | None) -> bool:
    """Whether a block has an orientation."""
    return _number(opened(exif), 0, _ORIENTATION) in range(1, 9)


def is_adobe_rgb(exif: bytes | None) -> bool:
    """Whether a camera says that its values are Adobe RGB (DCF 2.0: uncalibrated and R03)."""
    block = opened(exif)
    space = _number(block, EXIF, _COLOUR_SPACE)
    index = block.entry(INTEROPERABILITY, _INTEROP_INDEX) if block else None
    return space == _ADOBE or (
        space == _UNCALIBRATED and index is not None and index.data[:3] == b"R03"
    )


def has_thumbnail(exif: bytes | None) -> bool:
    """Whether a block has a second directory, which is a thumbnail's."""
    block = opened(exif)
    return block is not None and block.thumbnail


def dpi(exif: bytes | None) -> tuple[float, float] | None:
    """Pixels per inch in a block, where it has a unit; else None."""
    block = opened(exif)
    unit = {2: 1.0, 3: 2.54}.get(_number(block, 0, _UNIT) or 0)
    found = [block.entry(0, tag) for tag in (_X_RESOLUTION, _Y_RESOLUTION)] if block else []
    if block is None or unit is None or None in found:
        return None
    try:
        pairs = [struct.unpack_from(block.order + "LL", entry.data) for entry in found if entry]
        x, y = (unit * over / under for over, under in pairs)
    except (struct.error, ZeroDivisionError):
        return None
    return x, y


def upright(exif: bytes | None, width: int, height: int) -> bytes | None:
    """The block of a picture that has been turned upright, without any picture in it.

    Args:
        exif: The block as found in a file, with or without the ``Exif`` prefix of JPEG.
        width: Columns of the upright picture.
        height: Rows of the upright picture.

    Returns:
        The block from the byte-order mark on, or None where it is damaged.
    """
    block = opened(exif)
    if block is None:
        return None
    return _sized(_without_pictures(block), width, height).tobytes()


def _sized(block: Block, width: int, height: int) -> Block:
    """The block with the orientation and the sizes, where it has them, of an upright picture."""
    facts = ((0, _ORIENTATION, 1), (EXIF, _PIXEL_WIDTH, width), (EXIF, _PIXEL_HEIGHT, height))
    for directory, tag, value in facts:
        if (entry := block.entry(directory, tag)) is not None:
            kind = SHORT if entry.kind == SHORT and value < 2**16 else LONG
            block = block.having(directory, tag, kind, value)
    return block


def _without_pictures(block: Block) -> Block:
    """The block without a thumbnail, data of the file's own and values that may be pictures."""
    block = block.without(0, _ABOUT_THE_FILE)
    for name, entries in block.directories.items():
        for tag, entry in entries.items():
            if tag == MAKER_NOTE:
                cleaned = without_pictures(entry.data, entry.place)
                note = {} if cleaned is None else {tag: replace(entry, data=cleaned)}
            elif _may_be_a_picture(entry):
                note = {}
            else:
                continue
            rest = {t: e for t, e in block.directories[name].items() if t != tag}
            block = replace(block, directories=block.directories | {name: rest | note})
    return replace(block, thumbnail=False)


def _may_be_a_picture(entry: tags.Entry) -> bool:
    long = len(entry.data) > _LONGEST_BLOB and not _is_text(entry)
    return long or without_jpegs(entry.data) != entry.data


def _is_text(entry: tags.Entry) -> bool:
    """Whether a value is text by its type, or holds nothing but letters, of one byte or two."""
    letters = entry.data.replace(b"\0", b"")
    return entry.kind in _TEXTS or all(32 <= b < 127 or b in b"\t\n\r" for b in letters)


def may_show_more(exif: bytes | None) -> bool:
    """Whether values of a block but the maker note may be pictures, which `upright` leaves out."""
    block = opened(exif)
    found = block.without(0, _ABOUT_THE_FILE).directories.values() if block else ()
    return any(
        tag != MAKER_NOTE and _may_be_a_picture(entry)
        for entries in found
        for tag, entry in entries.items()
    )


def without_gps(exif: bytes) -> bytes | None:
    """The block without places: those of the GPS directory, and maker notes, which may hold one."""
    block = opened(exif)
    if block is None:
        return None
    return block.without_directory(GPS).without(EXIF, (MAKER_NOTE,)).tobytes()


def stamped(exif: bytes, facts: Facts) -> Block | None:
    """The block, true about the result; None where it is damaged."""
    block = opened(exif)
    if block is None:
        return None
    block = _sized(block, facts.width, facts.height)
    block = block.having(0, _SOFTWARE, ASCII, facts.software.encode())
    if facts.changed is not None:
        moment = facts.changed.strftime("%Y:%m:%d %H:%M:%S").encode()
        zone = facts.changed.strftime("%z")
        block = block.having(0, _DATE_TIME, ASCII, moment)
        block = block.without(EXIF, (_SUBSECONDS,))
        version = block.entry(EXIF, _VERSION)
        if version is not None and version.data >= b"0231":
            block = block.having(EXIF, _OFFSET_TIME, ASCII, f"{zone[:3]}:{zone[3:]}".encode())
    if EXIF in block.directories:
        space = _SRGB if facts.srgb else _UNCALIBRATED
        block = block.having(EXIF, _COLOUR_SPACE, SHORT, space)
        if INTEROPERABILITY in block.directories and facts.srgb:
            block = block.having(INTEROPERABILITY, _INTEROP_INDEX, ASCII, b"R98")
    return block


def fitted(block: Block, most: int) -> tuple[bytes, tuple[str, ...]]:
    """The block in at most so many bytes, its largest values left out first.

    Returns:
        The block, and the names of what was left out.
    """
    left_out: list[str] = []
    while len(data := block.tobytes()) > most:
        sizes = {
            (len(entry.data), name, tag)
            for name, entries in block.directories.items()
            for tag, entry in entries.items()
        }
        _, name, tag = max(sizes)
        block = block.without(name, (tag,))
        left_out.append(_NAMES.get(tag, f"tag 0x{tag:04X}"))
    return data, tuple(left_out)


_NAMES = {MAKER_NOTE: "the maker note", 0x9286: "the user comment", 0x010E: "the description"}


def with_thumbnail(exif: bytes, jpeg: bytes) -> bytes:
    """The block with a small JPEG picture in a second directory."""
    order = "<" if exif[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "L", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, start)
    link = start + 2 + 12 * count
    exif += b"\0" * (len(exif) % 2)
    resolution = len(exif) + 2 + 12 * 6 + 4
    entries = (
        (0x0103, SHORT, 6),
        (_X_RESOLUTION, RATIONAL, resolution),
        (_Y_RESOLUTION, RATIONAL, resolution + 8),
        (_UNIT, SHORT, 2),
        (0x0201, LONG, resolution + 16),
        (0x0202, LONG, len(jpeg)),
    )
    directory = struct.pack(order + "H", len(entries))
    for tag, kind, value in entries:
        directory += struct.pack(order + "HHL", tag, kind, 1)
        directory += struct.pack(order + ("H2x" if kind == SHORT else "L"), value)
    pointer, dots = struct.pack(order + "L", len(exif)), struct.pack(order + "LLLL", 72, 1, 72, 1)
    return exif[:link] + pointer + exif[link + 4 :] + directory + bytes(4) + dots + jpeg


def empty() -> bytes:
    """A block without entries."""
    return Block().tobytes()


def maker_note(exif: bytes | None) -> bytes | None:
    """A block's maker note, or None."""
    block = opened(exif)
    entry = block.entry(EXIF, MAKER_NOTE) if block else None
    return None if entry is None else entry.data
