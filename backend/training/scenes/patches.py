"""Light that patches of a room's surfaces throw on each other and on other points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.scenes.compiled import compiled

Array = NDArray[np.float32]

_BLOCK = 8192  # points at once


def gathered(
    points: Array, facing: Array, centre: Array, normal: Array, area: Array, light: Array
) -> Array:
    """Irradiance (C, N) on points (3, N) facing along (3, N) from patches of radiance (M, C).

    Patches have centres and normals (3, M) and areas (M,) in m²; each counts as a disc (Wallace et
    al. 1989) that nothing hides. As a room is closed the shares of its patches are made to sum to
    one, which takes away the error of there being few.
    """
    out = np.empty((light.shape[1], points.shape[1]), np.float32)
    for start in range(0, points.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        shares = _shares(points[:, part], facing[:, part], centre, normal, area)
        total = np.maximum(shares.sum(axis=1), np.float32(1e-6))
        out[:, part] = (shares @ light).T / total
    return out


@compiled
def _shares(points: Any, facing: Any, centre: Any, normal: Any, area: Any) -> Any:
    """Share (N, M) of its radiance with which each patch shines on each point."""
    out = np.empty((points.shape[1], area.size), np.float32)
    pi, none = np.float32(np.pi), np.float32(0)
    for n in range(points.shape[1]):
        px, py, pz = points[0, n], points[1, n], points[2, n]
        fx, fy, fz = facing[0, n], facing[1, n], facing[2, n]
        for m in range(area.size):
            x, y, z = centre[0, m] - px, centre[1, m] - py, centre[2, m] - pz
            here = max(x * fx + y * fy + z * fz, none)
            there = max(-(x * normal[0, m] + y * normal[1, m] + z * normal[2, m]), none)
            squared = x * x + y * y + z * z + np.float32(1e-9)
            out[n, m] = area[m] * here * there / (squared * (pi * squared + area[m]))
    return out
