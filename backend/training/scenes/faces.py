"""Compiled: which way many shapes face, and where one is in their own coordinates.

The shapes are those of ``rays``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from nightflash.imaging.compiled import compiled

from training.scenes.rays import BOX, CAPSULE, FRUSTUM, TRIANGLE

Array = Any  # Numba has types of its own


@compiled
def normals(shapes: Array, number: Array, points: Array) -> Array:
    """Outward unit normals (3, N) at points (3, N) on the shapes of the given numbers (N,)."""
    kinds, maps, sizes, facing = shapes[:4]
    out = np.empty(points.shape, np.float32)
    for n in range(number.size):
        k = number[n]
        m, kind, size = maps[k], kinds[k], sizes[k]
        if kind == TRIANGLE:
            out[:, n] = facing[k]
            continue
        px, py, pz = points[0, n], points[1, n], points[2, n]
        x = m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + m[0, 3]
        y = m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + m[1, 3]
        z = m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + m[2, 3]
        if kind == BOX:
            longest = max(abs(x), abs(y), abs(z))
            x = np.sign(x) if abs(x) == longest else 0.0
            y = np.sign(y) if abs(y) == longest and x == 0 else 0.0
            z = np.sign(z) if abs(z) == longest and x == 0 and y == 0 else 0.0
        elif kind == FRUSTUM:
            r = np.sqrt(max(x * x + z * z, 1e-12))
            slope = size[1] - size[0]
            if min(abs(y), abs(y - 1)) * size[2] < size[0] + slope * y - r:
                x, y, z = 0.0, (1.0 if y > 0.5 else -1.0), 0.0
            else:
                x, y, z = x / r, -slope, z / r
        elif kind == CAPSULE:
            y -= min(max(y, 0.0), size[0])
        a = m[0, 0] * x + m[1, 0] * y + m[2, 0] * z
        b = m[0, 1] * x + m[1, 1] * y + m[2, 1] * z
        c = m[0, 2] * x + m[1, 2] * y + m[2, 2] * z
        length = np.sqrt(max(a * a + b * b + c * c, 1e-20))
        out[0, n], out[1, n], out[2, n] = a / length, b / length, c / length
    return out


@compiled
def moved(frames: Array, number: Array, points: Array, places: bool) -> Array:
    """Points or, with `places` false, directions (3, N), in the frames (S, 3, 4) of (N,)."""
    out = np.empty(points.shape, np.float32)
    for n in range(number.size):
        f = frames[number[n]]
        x, y, z = points[0, n], points[1, n], points[2, n]
        for c in range(3):
            out[c, n] = f[c, 0] * x + f[c, 1] * y + f[c, 2] * z + (f[c, 3] if places else 0.0)
    return out
