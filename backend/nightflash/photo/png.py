"""PNG files as their chunks: what the pixel codec leaves out (PNG specification, 3rd edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from .encoding import Cicp, ParametricCurve
from .primaries import REC709, Chromaticities
from .profile import profile_space
from .profile_writing import matrix_profile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 33  # signature and IHDR
_INCH = 0.0254
_XMP = b"XML:com.adobe.xmp"
_SRGB = Cicp(1, 13)
_MOST_TEXT = 64 * 2**20  # bytes of a text chunk unpacked


def bit_depth(data: bytes) -> int:
    """Bits per sample as the header declares them."""
    return data[24]


def is_interlaced(data: bytes) -> bool:
    """Whether the header declares Adam7's order."""
    return data[28] == 1


def chunks(data: bytes) -> dict[bytes, list[bytes]]:
    """What is in each kind of chunk but the pixels, before and after them."""
    found: dict[bytes, list[bytes]] = {}
    for name, content in _all_chunks(data):
        if name != b"IDAT":
            found.setdefault(name, []).append(bytes(content))
    return found


def packed_pixels(data: bytes) -> bytes:
    """The stream of zlib's that the pixels are in."""
    return b"".join(content for name, content in _all_chunks(data) if name == b"IDAT")


def file_of(header: bytes, clear: Sequence[bytes], lines: memoryview) -> bytes:
    """A file of the lines of pixels, each with the number of its filter before it.

    Args:
        header: What is in IHDR.
        clear: What is in tRNS, if it is there.
        lines: Not packed.
    """
    transparent = b"".join(_chunk(b"tRNS", content) for content in clear)
    pixels = _chunk(b"IDAT", zlib.compress(lines, 0))
    return SIGNATURE + _chunk(b"IHDR", header) + transparent + pixels + _chunk(b"IEND", b"")


def _all_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    place, whole = len(SIGNATURE), memoryview(data)
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">L4s", data, place)
        yield name, whole[place + 8 : place + 8 + size]
        place += 12 + size


def exif(found: dict[bytes, list[bytes]]) -> bytes | None:
    """The eXIf chunk, or the block in the text that ImageMagick and older Exiv2 write."""
    if b"eXIf" in found:
        return found[b"eXIf"][0]
    return _raw_profile(found, b"exif") or _raw_profile(found, b"APP1")


def iptc(found: dict[bytes, list[bytes]]) -> bytes | None:
    """Photoshop's resources, or IPTC-IIM datasets, in a text chunk."""
    return _raw_profile(found, b"iptc") or _raw_profile(found, b"8bim")


def xmp(found: dict[bytes, list[bytes]]) -> bytes | None:
    """The XMP packet in a text chunk, or None."""
    for keyword, text in _texts(found):
        if keyword == _XMP:
            return text
    return _raw_profile(found, b"xmp")


def colour(found: dict[bytes, list[bytes]]) -> tuple[Cicp | None, bytes | None, bool]:
    """The colour space of the samples, by the specification's order of precedence.

    Returns:
        Code points or an ICC profile, or neither where sRGB is meant or nothing is said; and
        whether the samples have the narrow range of video.
    """
    if (cicp := found.get(b"cICP", [b""])[0]) and len(cicp) == 4:
        return Cicp(cicp[0], cicp[1]), None, cicp[3] == 0
    if (icc := _profile(found)) is not None:
        return None, icc, False
    if b"sRGB" in found:
        return _SRGB, None, False
    return None, _by_gamma(found), False


def _profile(found: dict[bytes, list[bytes]]) -> bytes | None:
    chunk = found.get(b"iCCP", [b""])[0]
    _, end, content = chunk.partition(b"\0")
    try:
        return _unpacked(content[1:]) if end else None
    except zlib.error:
        return None


def _by_gamma(found: dict[bytes, list[bytes]]) -> bytes | None:
    """A profile for gAMA and cHRM; None where they are not there or make no sense."""
    gamma, places = found.get(b"gAMA", [b""])[0], found.get(b"cHRM", [b""])[0]
    if len(gamma) != 4 or not (value := struct.unpack(">L", gamma)[0]):
        return None
    primaries = REC709
    if len(places) == 32:
        numbers = [number / 100_000 for number in struct.unpack(">8L", places)]
        primaries = Chromaticities(*zip(numbers[::2], numbers[1::2], strict=True))
    try:
        icc = matrix_profile(
            f"PNG gamma {value / 100_000}", primaries, ParametricCurve(1e5 / value)
        )
    except (np.linalg.LinAlgError, ZeroDivisionError, ValueError, struct.error, OverflowError):
        return None
    return icc if profile_space(icc) is not None else None


def _texts(found: dict[bytes, list[bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Keyword and text of every text chunk."""
    for name in (b"tEXt", b"zTXt", b"iTXt"):
        for chunk in found.get(name, ()):
            keyword, _, rest = chunk.partition(b"\0")
            try:
                if name == b"zTXt":
                    rest = _unpacked(rest[1:])
                elif name == b"iTXt":
                    packed = rest[:1] == b"\1"
                    rest = rest[2:].split(b"\0", 2)[2]
                    rest = _unpacked(rest) if packed else rest
            except (zlib.error, IndexError):
                continue
            yield keyword, rest


def _unpacked(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, _MOST_TEXT)


def _raw_profile(found: dict[bytes, list[bytes]], kind: bytes) -> bytes | None:
    """Metadata as ImageMagick writes it: a name, a length, then hex."""
    for keyword, text in _texts(found):
        if keyword == b"Raw profile type " + kind:
            try:
                return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
            except ValueError:
                continue
    return None


def with_metadata(
    data: bytes,
    *,
    icc: bytes | None = None,
    cicp: Cicp | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    iptc: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """The file with colour, metadata and a resolution (pixels per inch) in it.

    ``iptc`` are Photoshop's resources with the datasets in them.
    """
    added = b""
    if cicp is not None:
        added += _chunk(b"cICP", bytes((*cicp, 0, 1)))
    if icc is not None:
        added += _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))
    if dpi is not None:
        x, y = (round(value / _INCH) for value in dpi)
        added += _chunk(b"pHYs", struct.pack(">LLB", x, y, 1))
    if exif is not None:
        added += _chunk(b"eXIf", exif)
    if xmp is not None:
        added += _chunk(b"iTXt", _XMP + b"\0\0\0\0\0" + xmp)
    if iptc is not None:
        text = b"\niptc\n%8d\n%s\n" % (len(iptc), iptc.hex().encode())
        added += _chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(text))
    return data[:_HEADER_END] + added + data[_HEADER_END:]


def _chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">L", len(content)) + body + struct.pack(">L", zlib.crc32(body))
