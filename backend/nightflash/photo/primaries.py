"""Primaries and whites of RGB spaces, and the matrices that follow from them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Point = tuple[float, float]

D65: Point = (0.3127, 0.3290)
D50: Point = (0.3457, 0.3585)
# Bradford's cone responses (ICC.1:2022, annex E).
_BRADFORD: Matrix = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


class Chromaticities(NamedTuple):
    """CIE 1931 (x, y) of white and of the primaries."""

    white: Point
    red: Point
    green: Point
    blue: Point


REC709 = Chromaticities(D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
ADOBE_RGB = Chromaticities(D65, (0.640, 0.330), (0.210, 0.710), (0.150, 0.060))


def to_xyz(chromaticities: Chromaticities, white: Point | None = None) -> Matrix:
    """Linear RGB to CIE XYZ (3, 3), white of luminance 1.

    Args:
        chromaticities: Of the RGB space.
        white: What its white is adapted to by Bradford's transform; None leaves it.

    Raises:
        numpy.linalg.LinAlgError: The primaries lie on one line.
        ZeroDivisionError: The white has no luminance.
    """
    primaries: Any = np.array([[x, y, 1 - x - y] for x, y in chromaticities[1:]]).T
    own = _xyz(chromaticities.white)
    matrix: Any = primaries * np.linalg.solve(primaries, own)
    if white is None or white == chromaticities.white:
        return np.asarray(matrix)
    cones = _BRADFORD @ np.stack([own, _xyz(white)], axis=-1)
    gains: Any = np.diag(cones[:, 1] / cones[:, 0])
    return np.asarray(np.linalg.inv(_BRADFORD) @ gains @ _BRADFORD @ matrix)


def to_srgb(chromaticities: Chromaticities) -> Matrix:
    """Linear RGB to linear sRGB (3, 3), white to white."""
    return np.asarray(np.linalg.solve(to_xyz(REC709), to_xyz(chromaticities, D65)))


def luminance_weights(chromaticities: Chromaticities) -> Matrix:
    """What each channel of linear RGB adds to luminance, (3,), together 1."""
    return np.asarray(to_xyz(chromaticities)[1])


def _xyz(white: Point) -> Matrix:
    x, y = white
    tristimulus: Matrix = np.array([x / y, 1.0, (1 - x - y) / y])
    return tristimulus
