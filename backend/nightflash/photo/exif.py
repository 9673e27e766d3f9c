"""EXIF blocks: turned upright, and in and out of TIFF files.

A block is kept byte for byte, maker notes included, but for four things that would no longer be
true: the orientation becomes 1, the pixel dimensions become those of the upright picture, and the
thumbnail, which shows the photo by day, is unlinked.
"""

from __future__ import annotations

import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import Image

_ORIENTATION = 0x0112
_EXIF_DIRECTORY = 0x8769
_GPS_DIRECTORY = 0x8825
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
# ImageDescription, Make, Model, Software, DateTime, Artist, Copyright: what a TIFF file's own
# directory says about the photo rather than about the file.
_DESCRIPTIVE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
_NUMBER_FORMATS = {3: "H", 4: "L"}  # SHORT and LONG
_ENTRY_BYTES = 12

_one_at_a_time = threading.Lock()


@contextmanager
def quietly() -> Iterator[None]:
    """Silences Pillow's warnings about damaged metadata; warning filters belong to all threads."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def orientation(exif: bytes | None) -> int:
    """The orientation 1..8 that a block asks for; 1 where it has none or is damaged."""
    try:
        block, order, (tags, _) = _opened(exif or b"")
        value = _number(block, order, tags[_ORIENTATION])
    except (KeyError, struct.error):
        return 1
    return value if 1 <= value <= 8 else 1


def upright(exif: bytes | None, width: int, height: int) -> bytes | None:
    """The block of a picture that has been turned upright.

    Args:
        exif: The block as found in a file, with or without the ``Exif`` prefix of JPEG.
        width: Columns of the upright picture.
        height: Rows of the upright picture.

    Returns:
        The block from the byte-order mark on, or None where it is damaged.
    """
    try:
        block, order, (tags, thumbnail) = _opened(exif or b"")
        facts = [(tags, _ORIENTATION, 1)]
        if _EXIF_DIRECTORY in tags:
            inner, _ = _directory(block, order, _number(block, order, tags[_EXIF_DIRECTORY]))
            facts += [(inner, _PIXEL_WIDTH, width), (inner, _PIXEL_HEIGHT, height)]
        for directory, tag, value in facts:
            if tag in directory:
                kind, place = directory[tag]
                struct.pack_into(order + _NUMBER_FORMATS[kind], block, place, value)
        if thumbnail + 4 <= len(block):
            struct.pack_into(order + "L", block, thumbnail, 0)
    except (KeyError, struct.error):
        return None
    return bytes(block)


_Directory = dict[int, tuple[int, int]]  # tag: its type and the offset of its value


def _opened(exif: bytes) -> tuple[bytearray, str, tuple[_Directory, int]]:
    """The block, its byte order and its first directory."""
    block = bytearray(exif.removeprefix(b"Exif\0\0"))
    order = {b"II*\0": "<", b"MM\0*": ">"}[bytes(block[:4])]
    (start,) = struct.unpack_from(order + "L", block, 4)
    return block, order, _directory(block, order, start)


def _directory(block: bytearray, order: str, start: int) -> tuple[_Directory, int]:
    """The entries of a directory, and where it links to the next one."""
    (count,) = struct.unpack_from(order + "H", block, start)
    end = start + 2 + _ENTRY_BYTES * count
    entries: _Directory = {}
    for place in range(start + 2, end, _ENTRY_BYTES):
        tag, kind = struct.unpack_from(order + "HH", block, place)
        entries[tag] = (kind, place + 8)
    return entries, end


def _number(block: bytearray, order: str, entry: tuple[int, int]) -> int:
    kind, place = entry
    return int(struct.unpack_from(order + _NUMBER_FORMATS[kind], block, place)[0])


def from_tiff(file: BinaryIO) -> bytes | None:
    """The EXIF block of a TIFF file: its descriptive tags, camera directory and GPS directory."""
    found = Image.Exif()
    try:
        with quietly():
            file.seek(0)
            found.load_from_fp(file)
            kept = _kept(found)
            return kept.tobytes().removeprefix(b"Exif\0\0") if len(kept) else None
    except Exception:  # Pillow raises many kinds; damaged metadata must not cost the photo
        return None


def into_tiff(file: BinaryIO, exif: bytes) -> None:
    """Adds what `from_tiff` keeps to a finished TIFF file.

    TIFF encoders write no camera and GPS directories, so the file's first directory is written
    once more at the end, with them in it. Does nothing to files above 4 GB (BigTIFF) and for
    blocks that Pillow cannot read.

    Args:
        file: A little-endian TIFF file, open for reading and writing.
        exif: The block, as `upright` returns it.
    """
    file.seek(0)
    header = file.read(8)
    if header[:4] != b"II*\0":
        return
    end = file.seek(0, 2)
    end += file.write(b"\0" * (end % 2))
    try:
        addition = _directory_bytes(exif, end)
    except Exception:  # as in from_tiff
        return
    (start,) = struct.unpack("<L", header[4:])
    entries = _raw_entries(file, start)
    count = struct.unpack_from("<H", addition)[0]
    for place in range(2, 2 + _ENTRY_BYTES * count, _ENTRY_BYTES):
        entry = addition[place : place + _ENTRY_BYTES]
        entries[struct.unpack_from("<H", entry)[0]] = entry
    file.seek(end)
    file.write(addition)
    first = end + len(addition)
    file.write(struct.pack("<H", len(entries)))
    file.write(b"".join(entries[tag] for tag in sorted(entries)) + b"\0\0\0\0")
    file.seek(4)
    file.write(struct.pack("<L", first))


def _directory_bytes(exif: bytes, offset: int) -> bytes:
    """A little-endian directory with the block's content, for an absolute offset in a file."""
    found = Image.Exif()
    with quietly():
        found.load(exif)
        kept = _kept(found)
        kept.endian = "<"
        return kept.tobytes(offset)[len(b"Exif\0\0II*\0") + 4 :]


def _kept(found: Image.Exif) -> Image.Exif:
    kept = Image.Exif()
    for tag in (*_DESCRIPTIVE, _ORIENTATION):
        if tag in found:
            kept[tag] = found[tag]
    for tag in (_EXIF_DIRECTORY, _GPS_DIRECTORY):
        if directory := found.get_ifd(tag):
            kept[tag] = directory
    return kept


def _raw_entries(file: BinaryIO, start: int) -> dict[int, bytes]:
    file.seek(start)
    (count,) = struct.unpack("<H", file.read(2))
    raw = [file.read(_ENTRY_BYTES) for _ in range(count)]
    return {struct.unpack_from("<H", entry)[0]: entry for entry in raw}
