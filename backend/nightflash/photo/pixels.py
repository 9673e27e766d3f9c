"""The pixels of a photo: as linear light, or as the codes of 8 bits that they came in.

Whoever needs light gets it rows at a time, so that a large photo of 8 bits is never in memory in
floats, which take four times as much.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .encoding import Linear, strips
from .spaces import MatrixSpace

ALL = slice(None)
_AT_ONCE = 2**20  # pixels that are reduced together


@dataclass(frozen=True, eq=False)
class Pixels(ABC):
    """Pixels, read and written as linear light: sRGB/Rec.709 primaries, 1 is white.

    Attributes:
        kept: (H, W, 3), what is in memory.
    """

    kept: npt.NDArray[Any]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.kept.shape[0], self.kept.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.kept.nbytes

    @property
    def writeable(self) -> bool:
        """Whether `put` may be called."""
        return self.kept.flags.writeable

    @abstractmethod
    def linear(self, rows: slice = ALL) -> Linear:
        """Light of some rows (n, W, 3), float32; may be a view."""

    @abstractmethod
    def put(self, rows: slice, linear: Linear) -> None:
        """Replace some rows by light (n, W, 3), float32; it may be what `linear` gave."""


@dataclass(frozen=True, eq=False)
class LinearPixels(Pixels):
    """Pixels kept in linear light, float32."""

    def linear(self, rows: slice = ALL) -> Linear:
        """A view of some rows."""
        return self.kept[rows]

    def put(self, rows: slice, linear: Linear) -> None:
        """Replace some rows."""
        self.kept[rows] = linear


@dataclass(frozen=True, eq=False)
class EightBitPixels(Pixels):
    """Pixels kept as codes of 8 bits, uint8.

    Attributes:
        space: What they mean.
    """

    space: MatrixSpace

    def linear(self, rows: slice = ALL) -> Linear:
        """Light of some rows, worked out anew each time."""
        return self.space.decode_bytes(self.kept[rows])

    def put(self, rows: slice, linear: Linear) -> None:
        """Replace some rows, rounded to the nearest code and clipped."""
        codes = self.kept[rows]
        for part in strips(*codes.shape[:2]):
            codes[part] = self.space.eight_bits(linear[part])


def reduced(pixels: Pixels, size: tuple[int, int]) -> Linear:
    """Linear light (h, w, 3) of a smaller size (width, height), by the mean of each pixel's area.

    First across, then down, so that of all that is read little is kept.
    """
    import cv2  # a client of the backend has 18 MB less without it, and seldom needs this

    (height, width), (wide, tall) = pixels.shape, size
    across = np.empty((height, wide, 3), np.float32)
    step = max(1, _AT_ONCE // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        there = (wide, rows.stop - rows.start)
        across[rows] = cv2.resize(pixels.linear(rows), there, interpolation=cv2.INTER_AREA)
    down: Linear = cv2.resize(across, size, interpolation=cv2.INTER_AREA)
    return down.reshape(tall, wide, 3)
