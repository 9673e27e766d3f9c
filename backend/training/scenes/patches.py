"""Compiled: light that patches of a room's surfaces throw on each other and on other points."""

from __future__ import annotations

from typing import Any

import numpy as np
from nightflash.imaging.compiled import compiled

Array = Any  # Numba has types of its own


@compiled
def gathered(
    points: Array, facing: Array, centre: Array, normal: Array, area: Array, light: Array
) -> Array:
    """Irradiance (C, N) on points (3, N) facing along (3, N) from patches of radiance (C, M).

    Patches have centres and normals (3, M) and areas (M,) in m²; each counts as a disc (Wallace et
    al. 1989) that nothing hides. As a room is closed the shares of its patches are made to sum to
    one, which takes away the error of there being few.
    """
    out = np.empty((light.shape[0], points.shape[1]), np.float32)
    share = np.empty(area.size, np.float32)
    pi, none = np.float32(np.pi), np.float32(0)
    for n in range(points.shape[1]):
        px, py, pz = points[0, n], points[1, n], points[2, n]
        fx, fy, fz = facing[0, n], facing[1, n], facing[2, n]
        for m in range(area.size):
            x, y, z = centre[0, m] - px, centre[1, m] - py, centre[2, m] - pz
            here = max(x * fx + y * fy + z * fz, none)
            there = max(-(x * normal[0, m] + y * normal[1, m] + z * normal[2, m]), none)
            squared = x * x + y * y + z * z + np.float32(1e-9)
            share[m] = area[m] * here * there / (squared * (pi * squared + area[m]))
        total = np.float32(1e-6)
        for m in range(area.size):
            total += share[m]
        for c in range(light.shape[0]):
            received = none
            for m in range(area.size):
                received += share[m] * light[c, m]
            out[c, n] = received / total
    return out


@compiled
def settled(shares: Array, albedo: Array, received: Array, rounds: int) -> Array:
    """Radiance (C, M) of patches of albedo (C, M) that receive (C, M) from lights.

    Patch i gets the share (i, j) of the radiance of patch j; light is followed through `rounds`
    reflections (Jacobi's iteration).
    """
    radiance = albedo * received
    for _ in range(rounds):
        before = radiance.copy()
        for c in range(albedo.shape[0]):
            for i in range(albedo.shape[1]):
                light = received[c, i]
                for j in range(albedo.shape[1]):
                    light += shares[i, j] * before[c, j]
                radiance[c, i] = albedo[c, i] * light
    return radiance
