"""PNG files as their chunks: what the pixel codec leaves out (PNG specification, 3rd edition)."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 33  # signature and IHDR
_INCH = 0.0254


def bit_depth(data: bytes) -> int:
    """Bits per sample as the header declares them."""
    return data[24]


def exif(data: bytes) -> bytes | None:
    """The eXIf chunk, before or after the pixels, or None."""
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">L4s", data, place)
        if name == b"eXIf":
            return data[place + 8 : place + 8 + size]
        place += 12 + size
    return None


def with_metadata(
    data: bytes,
    icc: bytes | None,
    exif: bytes | None,
    dpi: tuple[float, float] | None,
) -> bytes:
    """The file with an ICC profile, an EXIF block and a resolution (pixels per inch) in it."""
    chunks = b""
    if icc is not None:
        chunks += _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))
    if dpi is not None:
        x, y = (round(value / _INCH) for value in dpi)
        chunks += _chunk(b"pHYs", struct.pack(">LLB", x, y, 1))
    if exif is not None:
        chunks += _chunk(b"eXIf", exif)
    return data[:_HEADER_END] + chunks + data[_HEADER_END:]


def _chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">L", len(content)) + body + struct.pack(">L", zlib.crc32(body))
