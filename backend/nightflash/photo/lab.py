"""CIELAB of D50, as TIFF files store it, to linear sRGB (CIE 15; TIFF 6.0, section 23)."""

from __future__ import annotations

import numpy as np

from .encoding import Codes, Linear, strips
from .profile import SRGB_TO_D50

_WHITE = np.array([0.9642, 1.0, 0.8249])
_KNEE = 6 / 29


def linear_from_lab(codes: Codes, *, signed: bool) -> Linear:
    """Light of CIELAB codes.

    Args:
        codes: uint8 or uint16 (H, W, 3), the bits as stored.
        signed: Whether a* and b* are two's complements; otherwise 0 lies at their middle, as in
            ICC profiles.

    Returns:
        Linear sRGB, float32 (H, W, 3), unclipped.
    """
    wide = codes.dtype == np.uint16
    unit = 256.0 if wide else 1.0
    linear = np.empty(codes.shape, np.float32)
    matrix = np.linalg.inv(SRGB_TO_D50).T
    for rows in strips(*codes.shape[:2]):
        strip = codes[rows]
        if signed:
            lightness = strip[..., 0] * (100 / np.iinfo(codes.dtype).max)
            a, b = (strip[..., i].view(f"int{16 if wide else 8}") / unit for i in (1, 2))
        else:
            lightness = strip[..., 0] * (100 / (65280 if wide else 255))
            a, b = (strip[..., i] / unit - 128 for i in (1, 2))
        y = (lightness + 16) / 116
        cones = np.stack([y + a / 500, y, y - b / 200], axis=-1)
        xyz = np.where(cones > _KNEE, cones**3, 3 * _KNEE**2 * (cones - 4 / 29)) * _WHITE
        linear[rows] = xyz @ matrix
    return linear
