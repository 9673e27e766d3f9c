"""Encoded picture values <-> linear light, and how a picture was encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Linear = npt.NDArray[np.float32]
Codes = npt.NDArray[Any]  # uint8 or uint16 codes, or float32 encoded values


class Cicp(NamedTuple):
    """Coding-independent code points of a colour space (ITU-T H.273): primaries and transfer."""

    primaries: int
    transfer: int

    @property
    def is_hdr(self) -> bool:
        """Whether the curve is PQ or HLG, which go on above the white of a page."""
        return self.transfer in (16, 18)


class JpegTables(NamedTuple):
    """How finely a JPEG file was stored: what stands for its quality."""

    quantisation: tuple[tuple[int, ...], ...]  # 64 numbers each, in zigzag order as Pillow has them
    subsampling: int  # 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0


@dataclass(frozen=True)
class Encoding:
    """How a picture was stored, so that a result can be stored the same way.

    Args:
        bits: Bits per sample: 8 or 16 (integers), 32 (floating point).
        grey: Whether the picture had one colour channel.
        icc: ICC profile that its values are meant in; None is sRGB for integers and linear sRGB
            for floats.
        exif: EXIF block (from the byte-order mark on), upright and without thumbnail, or None.
        format: File format: ``jpeg``, ``png``, ``tiff``, ``webp``, ``heif``, ``avif``, ``jxl``,
            ``bmp``, ``gif``; None for an array.
        dpi: Horizontal and vertical resolution in pixels per inch, or None.
        cicp: The colour space by code points, where it is given by those and no profile.
        depth: Bits per sample of the file where they are fewer than ``bits``, such as 10 or 12.
        xmp: XMP packet without anything that shows the photo, or None.
        iptc: IPTC-IIM datasets, or None.
        jpeg: Quality and subsampling of a JPEG file.
        thumbnail: Whether the file had a small picture of itself.
        notes: Sentences for the user about what of the file is not understood or not kept.
    """

    bits: int = 8
    grey: bool = False
    icc: bytes | None = None
    exif: bytes | None = None
    format: str | None = None
    dpi: tuple[float, float] | None = None
    cicp: Cicp | None = None
    depth: int | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    jpeg: JpegTables | None = None
    thumbnail: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.bits not in (8, 16, 32):
            raise ValueError(f"A sample has 8, 16 or 32 bits, not {self.bits}.")


class Curve(Protocol):
    """A transfer curve of one channel."""

    def __hash__(self) -> int:
        """Curves are keys of the caches of their tables."""

    def decode(self, encoded: Floats) -> Floats:
        """Encoded values to linear ones, any shape."""

    def encode(self, linear: Floats) -> Floats:
        """Linear values to encoded ones, any shape."""


@dataclass(frozen=True)
class ParametricCurve:
    """``(a x + b)^gamma + e`` from ``x = d`` on, ``c x + f`` below (ICC.1:2022, 10.18, type 4).

    It goes on above 1, and values below 0 are mirrored, so nothing is clipped.
    """

    gamma: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    def decode(self, encoded: Floats) -> Floats:
        """Encoded values to linear ones, any shape, dtype kept."""
        if self == IDENTITY:
            return encoded
        magnitude = np.abs(encoded)
        with np.errstate(over="ignore"):
            power = np.maximum(self.a * magnitude + self.b, 0) ** self.gamma + self.e
        return np.copysign(
            np.where(magnitude >= self.d, power, self.c * magnitude + self.f), encoded
        )

    def encode(self, linear: Floats) -> Floats:
        """Linear values to encoded ones, any shape, dtype kept."""
        if self == IDENTITY:
            return linear
        magnitude = np.abs(linear)
        knee = max(self.a * self.d + self.b, 0.0) ** self.gamma + self.e
        power = (np.maximum(magnitude - self.e, 0) ** (1 / self.gamma) - self.b) / self.a
        foot = (magnitude - self.f) / self.c if self.c else np.full_like(magnitude, self.d)
        return np.copysign(np.where(magnitude >= knee, power, np.maximum(foot, 0)), linear)


IDENTITY = ParametricCurve(1.0)
SRGB_CURVE = ParametricCurve(2.4, a=1 / 1.055, b=0.055 / 1.055, c=1 / 12.92, d=0.04045)


def _floats(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values)
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float32)


def srgb_decode(encoded: npt.ArrayLike) -> Floats:
    """sRGB-encoded values (0..1, any shape) to linear light (IEC 61966-2-1).

    Values below 0 are mirrored (``f(-x) = -f(x)``), values above 1 continue the curve.
    A floating dtype is kept; anything else becomes float32.
    """
    return SRGB_CURVE.decode(_floats(encoded))


def srgb_encode(linear: npt.ArrayLike) -> Floats:
    """Linear light (0..1, any shape) to sRGB-encoded values; the inverse of `srgb_decode`."""
    return SRGB_CURVE.encode(_floats(linear))


def full_scale(dtype: npt.DTypeLike) -> float:
    """The value that means 1.0: 255 for uint8, 65535 for uint16, 1 for floats."""
    kind = np.dtype(dtype)
    return float(np.iinfo(kind).max) if kind.kind == "u" else 1.0


def quantise(encoded: Floats, bits: int) -> Codes:
    """Encoded values to codes: uint8 or uint16, rounded to nearest; 32 bits stay unclipped."""
    if bits == 32:
        return encoded.astype(np.float32, copy=False)
    dtype = np.uint8 if bits == 8 else np.uint16
    top = full_scale(dtype)
    codes: Codes = np.rint(np.clip(encoded, 0, 1) * top).astype(dtype)
    return codes


def strips(height: int, width: int) -> list[slice]:
    """Slices of rows, few enough that temporary arrays stay in the processor's cache."""
    rows = max(1, 2**14 // max(width, 1))
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
