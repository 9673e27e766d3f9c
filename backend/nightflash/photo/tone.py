"""Light above white brought into the range of an 8-bit picture.

Up to a shoulder all stays as it is; from there a logarithm goes on with the same slope, in which
every doubling of the light gets as much of the range.
"""

from __future__ import annotations

import math

import numpy as np

from .encoding import Linear, strips

_SHOULDER = 0.5


def tone_mapped(linear: Linear) -> Linear:
    """Linear RGB (H, W, 3) with its brightest value at 1 where it was above; hues stay."""
    peak = float(linear.max())
    if peak <= 1:
        return linear
    mapped = np.empty_like(linear)
    span = 1 - _SHOULDER
    top = (peak - _SHOULDER) / span
    bend = 1.0
    for _ in range(200):  # until log(1 + bend * top) is bend: then slope and range are right
        bend = math.log1p(bend * top)
    for rows in strips(*linear.shape[:2]):
        brightest = linear[rows].max(axis=-1, keepdims=True)
        over = np.maximum(brightest - _SHOULDER, 0) / span
        shown = np.minimum(brightest, _SHOULDER) + (span / bend) * np.log1p(bend * over)
        mapped[rows] = linear[rows] * (shown / np.where(over > 0, brightest, shown + (shown == 0)))
    return mapped
