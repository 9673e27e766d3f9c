"""Colour spaces of a curve per channel and a matrix: their values to linear sRGB and back.

A colour outside sRGB becomes a negative value or one above 1, and comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .eight_bits import steps_of
from .encoding import (
    IDENTITY,
    SRGB_CURVE,
    Codes,
    Curve,
    Floats,
    Linear,
    full_scale,
    quantise,
)
from .primaries import Matrix

_MATRIX_TOLERANCE = 0.002
_CURVE_TOLERANCE = 0.001


class ColourSpace(Protocol):
    """The meaning of a picture's values."""

    def decode(self, codes: Codes) -> Linear:
        """Codes (H, W, channels) to linear sRGB, float32 (H, W, 3), unclipped."""

    def encode(self, linear: Linear) -> Floats:
        """Linear sRGB (H, W, 3) to encoded values (H, W, 3), 0..1 for colours inside the space."""


@dataclass(frozen=True, eq=False)
class SampledCurve:
    """A curve given by equidistant samples over 0..1, going on straight above 1.

    Args:
        samples: Linear values, never falling, (N,) with N >= 2.
    """

    samples: Matrix

    @property
    def _nodes(self) -> tuple[Matrix, Matrix]:
        """Encoded and linear coordinates, with one node far above 1 in the last direction."""
        count = len(self.samples)
        grid = np.arange(count) / (count - 1)
        slope = max((self.samples[-1] - self.samples[-2]) * (count - 1), 1e-3)
        far = 1e6
        return np.append(grid, 1 + far), np.append(self.samples, self.samples[-1] + far * slope)

    def decode(self, encoded: Floats) -> Floats:
        """Encoded values to linear ones, any shape, dtype kept."""
        grid, samples = self._nodes
        linear = np.interp(np.abs(encoded), grid, samples).astype(encoded.dtype)
        return np.copysign(linear, encoded)

    def encode(self, linear: Floats) -> Floats:
        """Linear values to encoded ones, any shape, dtype kept."""
        grid, samples = self._nodes
        encoded = np.interp(np.abs(linear), samples, grid).astype(linear.dtype)
        return np.copysign(encoded, linear)


@dataclass(frozen=True, eq=False)
class MatrixSpace:
    """One transfer curve per channel, then a matrix to linear sRGB (None: the same primaries)."""

    curves: tuple[Curve, Curve, Curve]
    matrix: Matrix | None = None

    def decode(self, codes: Codes) -> Linear:
        """Codes (H, W, 3), or (H, W, 1) for grey, to linear sRGB (H, W, 3); integers by table."""
        if len(set(map(id, self.curves))) == 1:
            linear = _by_curve(self.curves[0], codes)
            linear = linear if codes.shape[2] == 3 else np.repeat(linear, 3, axis=-1)
        else:
            channels = [_by_curve(curve, codes[..., i]) for i, curve in enumerate(self.curves)]
            linear = np.stack(channels, axis=-1)
        return linear if self.matrix is None else linear @ self.matrix.T.astype(np.float32)

    def decode_bytes(self, codes: npt.NDArray[np.uint8]) -> Linear:
        """What `decode` gives of codes of 8 bits (H, W, 3), in a quarter of the time."""
        import cv2  # a client of the backend has 18 MB less without it, and needs this seldom

        tables = np.stack([_table(curve, 255.0) for curve in self.curves], axis=-1)
        linear: Linear = cv2.LUT(codes, tables[np.newaxis])
        return linear if self.matrix is None else cv2.transform(linear, self.matrix)

    def encode(self, linear: Linear) -> Floats:
        """Linear sRGB (H, W, 3) to encoded values (H, W, 3)."""
        linear = self._in_primaries(linear)
        if len(set(map(id, self.curves))) == 1:
            return self.curves[0].encode(linear)
        channels = [curve.encode(linear[..., i]) for i, curve in enumerate(self.curves)]
        return np.stack(channels, axis=-1)

    def eight_bits(self, linear: Linear) -> npt.NDArray[np.uint8]:
        """Linear sRGB (H, W, 3) to codes of 8 bits (H, W, 3), rounded and clipped; by table."""
        linear = self._in_primaries(linear)
        if len(set(map(id, self.curves))) == 1:
            return _eight_bits(self.curves[0], linear)
        channels = [_eight_bits(curve, linear[..., i]) for i, curve in enumerate(self.curves)]
        return np.stack(channels, axis=-1)

    def _in_primaries(self, linear: Linear) -> Linear:
        """Linear sRGB (H, W, 3) in the space's own primaries."""
        if self.matrix is None:
            return linear
        return linear @ np.linalg.inv(self.matrix).T.astype(np.float32)


def _by_curve(curve: Curve, codes: Codes) -> Linear:
    if codes.dtype.kind == "f":
        return curve.decode(codes).astype(np.float32, copy=False)
    # No code is out of the table's range; "clip" spares numpy the look, three quarters of the time.
    return np.take(_table(curve, full_scale(codes.dtype)), codes, mode="clip")


def _eight_bits(curve: Curve, linear: Linear) -> npt.NDArray[np.uint8]:
    steps = steps_of(curve)
    return quantise(curve.encode(linear), 8) if steps is None else steps.codes(linear)


@lru_cache(maxsize=16)
def _table(curve: Curve, top: float) -> Linear:
    """The linear value of every code from 0 to the top one."""
    return curve.decode(np.arange(top + 1) / top).astype(np.float32)


SRGB = MatrixSpace((SRGB_CURVE,) * 3)
LINEAR_SRGB = MatrixSpace((IDENTITY,) * 3)


def simplest(space: MatrixSpace) -> MatrixSpace:
    """`SRGB` or `LINEAR_SRGB` where the space is one of them but for the profile's rounding."""
    matrix = np.eye(3) if space.matrix is None else space.matrix
    if np.abs(matrix - np.eye(3)).max() > _MATRIX_TOLERANCE:
        return space
    grid = np.linspace(0, 1, 257)
    for known in (SRGB, LINEAR_SRGB):
        wanted = known.curves[0].decode(grid)
        if all(np.abs(c.decode(grid) - wanted).max() < _CURVE_TOLERANCE for c in space.curves):
            return known
    return space
