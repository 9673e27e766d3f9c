"""Compiled: light that patches of a room's surfaces throw on each other and on other points."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.scenes.compiled import compiled

Array = Any  # Numba has types of its own


@compiled
def gathered(
    points: Array, facing: Array, centre: Array, normal: Array, area: Array, light: Array
) -> Array:
    """Irradiance (C, N) on points (3, N) facing along (3, N) from patches of radiance (M, C).

    Patches have centres and normals (M, 3) and areas (M,) in m²; each counts as a disc (Wallace et
    al. 1989) that nothing hides. As a room is closed the shares of its patches are made to sum to
    one, which takes away the error of there being few.
    """
    out = np.zeros((light.shape[1], points.shape[1]), np.float32)
    for n in range(points.shape[1]):
        total = 1e-6
        for m in range(area.size):
            x, y, z = (
                centre[m, 0] - points[0, n],
                centre[m, 1] - points[1, n],
                centre[m, 2] - points[2, n],
            )
            here = x * facing[0, n] + y * facing[1, n] + z * facing[2, n]
            there = -(x * normal[m, 0] + y * normal[m, 1] + z * normal[m, 2])
            if here > 0 and there > 0:
                squared = x * x + y * y + z * z
                share = area[m] * here * there / (squared * (np.pi * squared + area[m]))
                total += share
                for c in range(light.shape[1]):
                    out[c, n] += share * light[m, c]
        for c in range(light.shape[1]):
            out[c, n] /= total
    return out
