"""Compiled: from samples to pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from nightflash.imaging.compiled import compiled

Array = Any  # Numba has types of its own


@compiled
def averaged(values: Array, place: Array, shape: tuple[int, int], samples: int) -> Array:
    """Mean (rows, columns, C) over each pixel of values (C, N), zero where a sample has none.

    place: numbers (N,) of the samples in a grid of `samples` times as many rows and columns.
    """
    rows, columns = shape
    out = np.zeros((rows, columns, values.shape[0]), np.float32)
    wide, share = columns * samples, np.float32(1 / samples**2)
    for n in range(place.size):
        y, x = place[n] // wide // samples, place[n] % wide // samples
        for c in range(values.shape[0]):
            out[y, x, c] += values[c, n] * share
    return out


@compiled
def middle(distance: Array, shape: tuple[int, int], samples: int) -> Array:
    """Number (rows, columns) of each pixel's sample of middle distance, the nearer if even."""
    rows, columns = shape
    wide, count = columns * samples, samples**2
    out = np.empty(shape, np.int64)
    near, which = np.empty(count, np.float32), np.empty(count, np.int64)
    for y in range(rows):
        for x in range(columns):
            for i in range(count):
                at = (y * samples + i // samples) * wide + x * samples + i % samples
                j = i
                while j > 0 and near[j - 1] > distance[at]:
                    near[j], which[j] = near[j - 1], which[j - 1]
                    j -= 1
                near[j], which[j] = distance[at], at
            out[y, x] = which[(count - 1) // 2]
    return out
