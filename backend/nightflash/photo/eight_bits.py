"""Linear light to codes of 8 bits by table, to the same codes as by the curve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .encoding import Curve, Linear, quantise

_BUCKET = 15  # bits of a float32 that do not count: what is left are 1/256 of an octave
_LARGEST = np.float32(1e6)  # a curve that has not come to white there never does


@dataclass(frozen=True)
class Steps:
    """Where the codes of a curve begin.

    Attributes:
        first: (2**17,) uint8: the code at the beginning of each bucket of float32 values.
        least: (257,) float32: the least value of each code, and infinity.
    """

    first: npt.NDArray[np.uint8]
    least: Linear

    def codes(self, linear: Linear) -> npt.NDArray[np.uint8]:
        """Codes of linear values of any shape, rounded to nearest and clipped."""
        bucket = np.ascontiguousarray(linear).view(np.uint32) >> _BUCKET
        codes = np.take(self.first, bucket, mode="clip")
        codes += linear >= np.take(self.least[1:], codes, mode="clip")
        return codes


@lru_cache(maxsize=16)
def steps_of(curve: Curve) -> Steps | None:
    """The steps of a curve; None where two of them lie within a bucket."""
    least = np.append(_least(curve), np.float32(np.inf))
    begins = (np.arange(2**17, dtype=np.uint32) << _BUCKET).view(np.float32)
    begins[2**16 :] = 0  # below 0 all is black
    with np.errstate(invalid="ignore"):
        first = np.searchsorted(least[1:256], begins, side="right").astype(np.uint8)
    ends = np.append(first[1 : 2**16], 255)
    if (ends.astype(int) - first[: 2**16] > 1).any():
        return None
    return Steps(first, least)


def _least(curve: Curve) -> Linear:
    """The least float32 of each code (256,), by bisection among the bits of those from 0 on."""
    wanted = np.arange(256)
    low = np.zeros(256, np.uint32)  # all codes begin above, but the first
    high = np.full(256, _LARGEST.view(np.uint32))
    while (high - low > 1).any():
        middle = low + (high - low) // 2
        reached = quantise(curve.encode(middle.view(np.float32)), 8) >= wanted
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    at_zero = quantise(curve.encode(np.zeros(256, np.float32)), 8) >= wanted
    return np.where(at_zero, np.float32(0), high.view(np.float32)).astype(np.float32)
