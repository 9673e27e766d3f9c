"""Interlaced PNG files of 16 bits: each of Adam7's passes is decoded as a picture of its own.

libpng, as it is bound, warns of interlaced files on standard error, and OpenCV of damaged ones.
"""

from __future__ import annotations

import struct
import zlib

import imagecodecs
import numpy as np

from . import png
from .encoding import Codes

PASSES = (  # first row and column, steps down and across
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
    (1, 0, 2, 1),
)  # fmt: skip
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # of the colour types that have 16 bits


def decode_passes(data: bytes) -> Codes:
    """The samples (H, W) or (H, W, channels) of an interlaced file.

    Raises:
        ValueError: It is damaged.
        imagecodecs.PngError: Likewise.
    """
    width, height, _depth, kind = struct.unpack_from(">LLBB", data, 16)
    if kind not in CHANNELS:
        raise ValueError("damaged")
    clear = png.chunks(data).get(b"tRNS", [])
    layout = []
    for top, left, down, across in PASSES:
        rows, columns = -(-(height - top) // down), -(-(width - left) // across)
        if rows > 0 and columns > 0:
            place = slice(top, None, down), slice(left, None, across)
            layout.append((place, rows, columns, rows * (1 + 2 * CHANNELS[kind] * columns)))
    lines = _unpacked(png.packed_pixels(data), sum(size for *_, size in layout))
    samples: Codes | None = None
    used = 0
    for place, rows, columns, size in layout:
        head = struct.pack(">LL5B", columns, rows, 16, kind, 0, 0, 0)
        part = np.asarray(
            imagecodecs.png_decode(png.file_of(head, clear, lines[used : used + size]))
        )
        if samples is None:
            samples = np.empty((height, width, *part.shape[2:]), part.dtype)
        samples[place] = part
        used += size
    if samples is None:
        raise ValueError("damaged")
    return samples


def _unpacked(packed: bytes, size: int) -> memoryview:
    """Exactly ``size`` bytes; more than those is damage too."""
    unpacking = zlib.decompressobj()
    try:
        lines = unpacking.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError("damaged") from error
    if len(lines) != size or not unpacking.eof:
        raise ValueError("damaged")
    return memoryview(lines)
