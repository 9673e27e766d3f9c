"""JPEG XL files (ISO/IEC 18181): pixels by libjxl, boxes and the header's colour here.

The codec at hand gives and takes pixels alone. What they mean stands in the codestream's header,
bit by bit, and is read and written there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np

from . import isobmff
from .encoding import Cicp, Codes, Encoding, ParametricCurve
from .primaries import REC709, Chromaticities
from .profile_writing import matrix_profile
from .raster import C2PA_NOTE, Raster, check_dimensions, split, spread

_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
_FILE_TYPE = isobmff.box(b"ftyp", b"jxl \0\0\0\0jxl ")
_MOST_METADATA = 64 * 2**20
_SRGB = Cicp(1, 13)
_RGB, _GREY = 0, 1
_WHITE_D65, _CUSTOM, _WHITE_DCI = 1, 2, 11
_PRIMARIES = {1: 1, 9: 9, 11: 12}  # of the header: of H.273
_CURVES = {1: 1, 8: 8, 13: 13, 16: 16, 17: 17, 18: 18}


@dataclass
class Header:
    """What a codestream's header holds.

    Attributes:
        size: (width, height), as stored.
        depth: Bits per sample of integers; 32 for floats.
        cicp: Code points of the colour space; None for an ICC profile or a plain power curve.
        icc: A profile for primaries and a power curve of the file's own.
        has_profile: Whether the colour space is an ICC profile inside the codestream.
        colour: Where the colour space begins and ends, and where the header does, in bits.
    """

    size: tuple[int, int]
    depth: int = 8
    cicp: Cicp | None = _SRGB
    icc: bytes | None = None
    has_profile: bool = False
    colour: tuple[int, int, int] | None = None


class _Bits:
    """Bits of a header, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._bits = np.unpackbits(np.frombuffer(data[:4096], np.uint8), bitorder="little")
        self.place = 0

    def number(self, count: int) -> int:
        taken = self._bits[self.place : self.place + count]
        if len(taken) < count:
            raise ValueError("a header cut short")
        self.place += count
        return sum(int(bit) << i for i, bit in enumerate(taken))

    def choice(self, *ways: tuple[int, int]) -> int:
        """One of four offsets, with so many bits to add to it."""
        offset, count = ways[self.number(2)]
        return offset + self.number(count)

    def enum(self) -> int:
        return self.choice((0, 0), (1, 0), (2, 4), (18, 6))

    def size(self) -> tuple[int, int]:
        small = self.number(1)
        sides = ((1, 9), (1, 13), (1, 18), (1, 30))
        height = 8 * (1 + self.number(5)) if small else self.choice(*sides)
        ratio = self.number(3)
        if ratio:
            over, under = ((1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
            return height * over // under, height
        return 8 * (1 + self.number(5)) if small else self.choice(*sides), height

    def depth(self) -> int:
        if self.number(1):
            self.choice((32, 0), (16, 0), (24, 0), (1, 6))
            self.number(4)
            return 32
        return self.choice((8, 0), (10, 0), (12, 0), (1, 6))

    def point(self) -> tuple[float, float]:
        return self._coordinate(), self._coordinate()

    def _coordinate(self) -> float:
        value = self.choice((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
        return (value // 2 if value % 2 == 0 else -(value + 1) // 2) / 1e6


def header(codestream: bytes) -> Header:
    """Read the header of a codestream.

    Raises:
        ValueError: It is damaged, or has parts that still pictures do not have.
    """
    bits = _Bits(codestream[2:])
    found = Header(bits.size())
    if bits.number(1):
        return found
    if bits.number(1):
        bits.number(3)  # orientation, which the decoder applies
        if bits.number(1):
            bits.size()
        if bits.number(1) or bits.number(1):
            raise ValueError("a preview or an animation")
        extra = True
    else:
        extra = False
    found.depth = bits.depth()
    bits.number(1)
    for _ in range(bits.choice((0, 0), (1, 0), (2, 4), (1, 12))):
        _pass_channel(bits)
    bits.number(1)
    start = bits.place
    _colour(bits, found)
    end = bits.place
    if not extra and bits.number(2) == 0 and bits.number(1) == 1:
        found.colour = start, end, bits.place
    return found


def _pass_channel(bits: _Bits) -> None:
    if bits.number(1):
        return
    kind = bits.enum()
    bits.depth()
    bits.choice((0, 0), (3, 0), (4, 0), (1, 3))
    bits.number(8 * bits.choice((0, 0), (0, 4), (16, 5), (48, 10)))
    if kind == 0:
        bits.number(1)
    elif kind in (2, 5):
        raise ValueError("a channel that photos do not have")


def _colour(bits: _Bits, found: Header) -> None:
    if bits.number(1):
        return
    found.has_profile = bool(bits.number(1))
    space = bits.enum()
    if found.has_profile or space not in (_RGB, _GREY):
        found.cicp = None
        return
    white, own = bits.enum(), REC709
    if white == _CUSTOM:
        own = own._replace(white=bits.point())
    primaries = bits.enum() if space == _RGB else 1
    if primaries == _CUSTOM:
        own = Chromaticities(own.white, bits.point(), bits.point(), bits.point())
    gamma = bits.number(24) / 1e7 if bits.number(1) else 0.0
    curve = 13 if gamma else bits.enum()
    bits.enum()
    code = 11 if (primaries, white) == (11, _WHITE_DCI) else _PRIMARIES.get(primaries, 0)
    plain = white == _WHITE_D65 or code == 11
    if not gamma and plain and code and curve in _CURVES:
        found.cicp = Cicp(code, _CURVES[curve])
        return
    found.cicp = None
    if gamma and (code in (0, 1)) and white in (_WHITE_D65, _CUSTOM):
        found.icc = matrix_profile("JPEG XL", own, ParametricCurve(1 / gamma))


def decode_jxl(file: BinaryIO, path: Path) -> Raster:
    """The picture of a JPEG XL file, upright."""
    data = file.read()
    stream, metadata = _taken_apart(data)
    info = header(stream)
    check_dimensions(info.size, path)
    samples = np.asarray(imagecodecs.jpegxl_decode(data))
    if samples.ndim == 4:
        samples = samples[0]
    notes = [C2PA_NOTE] * (b"jumb" in metadata)
    if info.cicp is None and info.icc is None:
        notes.append("The colour space of the photo is not understood and was taken for sRGB.")
    depth = info.depth if samples.dtype == np.uint16 and info.depth < 16 else None
    raster = split(samples if depth is None else spread(samples, depth), "jxl")
    block = metadata.get(b"Exif", b"")
    return Raster(
        raster.colour,
        raster.alpha,
        "jxl",
        icc=info.icc,
        cicp=info.cicp if samples.dtype.kind == "u" or info.cicp != Cicp(1, 8) else None,
        exif=block[4 + int.from_bytes(block[:4]) :] or None,
        xmp=metadata.get(b"xml "),
        orientation=None,
        depth=depth,
        notes=tuple(notes),
    )


def _taken_apart(data: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The beginning of the codestream, and the boxes beside it by name."""
    if not data.startswith(_SIGNATURE):
        return data, {}
    stream, metadata = b"", dict[bytes, bytes]()
    for name, start, end in isobmff.boxes(data):
        content = data[start:end]
        if name in (b"jxlc", b"jxlp"):
            stream = stream or content[4 if name == b"jxlp" else 0 :]
        elif name == b"brob":
            with_limit = imagecodecs.brotli_decode(content[4:], out=_MOST_METADATA)
            metadata.setdefault(content[:4], bytes(with_limit))
        else:
            metadata.setdefault(name, content)
    return stream, metadata


def encode_jxl(file: BinaryIO, codes: Codes, source: Encoding, quality: int) -> None:
    """Writes codes (H, W, 1 to 4), uint8 or uint16 of the full range, or float32.

    Args:
        file: An empty file.
        codes: What `Photo.to_encoded` returns, in the space of the source's code points or sRGB.
        source: Depth, colour space and metadata to write.
        quality: 1 to 100; 100 is without loss, as is anything but sRGB of 8 bits, for whose meaning
            the codec has no word.
    """
    depth = source.depth if codes.dtype == np.uint16 else None
    if depth is not None:
        codes = np.rint(codes * ((2**depth - 1) / 65535)).astype(np.uint16)
    space = source.cicp or (_SRGB if codes.dtype == np.uint16 else None)
    lossless = quality == 100 or space is not None or codes.dtype.kind == "f"
    encoded = imagecodecs.jpegxl_encode(
        codes if codes.shape[2] > 1 else codes[..., 0],
        lossless=lossless,
        distance=None if lossless else 0.1 + (100 - quality) * 0.09,
        bitspersample=depth,
        usecontainer=True,
    )
    stream, level = _stream_and_level(bytes(encoded))
    if space is not None:
        stream = _in_space(stream, space)
    file.write(isobmff.box(b"JXL ", b"\r\n\x87\n") + _FILE_TYPE + level)
    if source.exif is not None:
        file.write(isobmff.box(b"Exif", b"\0\0\0\0", source.exif))
    if source.xmp is not None:
        file.write(isobmff.box(b"xml ", source.xmp))
    file.write(isobmff.box(b"jxlc", stream))


def _stream_and_level(container: bytes) -> tuple[bytes, bytes]:
    """The stream of a container, which may hold it in parts, and the box of its level, if any."""
    stream = level = b""
    for name, start, end in isobmff.boxes(container):
        if name in (b"jxlc", b"jxlp"):
            stream += container[start + (4 if name == b"jxlp" else 0) : end]
        elif name == b"jxll":
            level += isobmff.box(name, container[start:end])
    return stream, level


def is_writable(cicp: Cicp) -> bool:
    """Whether the header has words for a colour space."""
    return cicp.primaries in (1, 9, 11, 12) and cicp.transfer in _CURVES


def _in_space(stream: bytes, cicp: Cicp) -> bytes:
    """The codestream of samples stored as they are, declared to be in another colour space."""
    info = header(stream)
    if info.colour is None:
        raise ValueError("the header has no place for a colour space")
    start, end, stop = info.colour
    bits = np.unpackbits(np.frombuffer(stream[2:4098], np.uint8), bitorder="little")
    primaries = {1: 1, 9: 9, 11: 11, 12: 11}[cicp.primaries]
    white = _WHITE_DCI if cicp.primaries == 11 else _WHITE_D65
    grey = int(bits[start] == 0 and _says_grey(bits, start))
    space = [0, 0, *_enum(grey), *_enum(white)]
    space += [] if grey else _enum(primaries)
    space += [0, *_enum(cicp.transfer), *_enum(1)]
    new = np.concatenate([bits[:start], np.array(space, np.uint8), bits[end:stop]])
    rest = 2 + -(-stop // 8)
    return stream[:2] + np.packbits(new, bitorder="little").tobytes() + stream[rest:]


def _says_grey(bits: np.ndarray, start: int) -> bool:
    return bool(bits[start + 2] == 1 and bits[start + 3] == 0)


def _enum(value: int) -> list[int]:
    selector, offset, count = (
        (value, value, 0) if value < 2 else (2, 2, 4) if value < 18 else (3, 18, 6)
    )
    return [
        *((selector >> i) & 1 for i in range(2)),
        *((value - offset >> i) & 1 for i in range(count)),
    ]
