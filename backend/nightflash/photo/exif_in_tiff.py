"""EXIF in TIFF files, whose own directory says of the photo what an EXIF block says."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import UnsupportedOperation
from typing import BinaryIO

from . import tags
from .exif import STORAGE
from .tags import EXIF, MAKER_NOTE, Block


def from_tiff(file: BinaryIO) -> bytes | None:
    """The EXIF block of a TIFF file: what its first directory says of the photo, and those below.

    Maker notes, which count from places in the file, are left out.
    """
    try:
        with _mapped(file) as data:
            block = tags.parsed(data)
    except (KeyError, struct.error, ValueError, OSError):
        return None
    block = block.without(0, STORAGE).without(EXIF, (MAKER_NOTE,))
    return block.tobytes() if any(block.directories.values()) else None


@contextmanager
def _mapped(file: BinaryIO) -> Iterator[bytes | mmap.mmap]:
    """The file's bytes, without reading them all."""
    try:
        number = file.fileno()
    except UnsupportedOperation:
        file.seek(0)
        yield file.read()
        return
    with mmap.mmap(number, 0, access=mmap.ACCESS_READ) as data:
        yield data


def into_tiff(file: BinaryIO, block: Block) -> bool:
    """Adds a block to a finished TIFF file; its maker note is left out.

    TIFF encoders write no camera and GPS directories, so the file's first directory is written
    once more at the end, with them in it.

    Args:
        file: A little-endian TIFF file, open for reading and writing.
        block: What to add; what it says of the storage of a picture is not.

    Returns:
        Whether it was added: not to files above 4 GB (BigTIFF).
    """
    file.seek(0)
    header = file.read(8)
    if header[:4] != b"II*\0":
        return False
    end = file.seek(0, 2)
    end += file.write(b"\0" * (end % 2))
    block = block.ordered("<").without(0, STORAGE).without(EXIF, (MAKER_NOTE,))
    values, added = block.attached(end)
    (start,) = struct.unpack("<L", header[4:])
    entries = _raw_entries(file, start)
    for place in range(0, len(added), 12):
        entries[struct.unpack_from("<H", added, place)[0]] = added[place : place + 12]
    file.seek(end)
    file.write(values + b"\0" * (len(values) % 2))
    first = file.tell()
    file.write(struct.pack("<H", len(entries)))
    file.write(b"".join(entries[tag] for tag in sorted(entries)) + b"\0\0\0\0")
    file.seek(4)
    file.write(struct.pack("<L", first))
    return True


def _raw_entries(file: BinaryIO, start: int) -> dict[int, bytes]:
    file.seek(start)
    (count,) = struct.unpack("<H", file.read(2))
    raw = [file.read(12) for _ in range(count)]
    return {struct.unpack_from("<H", entry)[0]: entry for entry in raw}
