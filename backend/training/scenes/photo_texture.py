"""Surfaces that show a bit of a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from nightflash.imaging.compiled import compiled
from numpy.typing import NDArray

from training.scenes.geometry import Array
from training.scenes.texture import Texture

Photos = Sequence[NDArray[np.uint8]]
Rng = np.random.Generator

PATCH = 128  # pixels of a photo that cover a surface


@dataclass(frozen=True)
class Patch:
    """A square of a photo; as albedo it is made when it is first seen.

    photo: (h, w, 3) encoded; x, y, side: the square in pixels; level: mean albedo.
    """

    photo: NDArray[np.uint8]
    x: int
    y: int
    side: int
    level: float

    @cached_property
    def levels(self) -> Array:
        """Albedo (3, M): PATCH × PATCH pixels row by row, then halved again and again to one."""
        rows = np.linspace(0, self.side - 1, PATCH).astype(int)
        part = self.photo[self.y + rows[:, None], self.x + rows]
        linear = (part.astype(np.float32) / 255) ** np.float32(2.2)
        gain = self.level / max(float(linear.mean()), 0.02)
        smaller = [np.clip(linear * gain, 0.01, 0.9)]
        while len(smaller[-1]) > 1:
            n = len(smaller[-1]) // 2
            smaller.append(smaller[-1].reshape(n, 2, n, 2, 3).mean((1, 3)))
        return np.concatenate([level.reshape(-1, 3) for level in smaller]).T.copy()

    def seen(self, u: Array, v: Array, pixel: Array) -> Array:
        """Albedo (3, N) at u to the right and v down, 0..1, where a pixel covers a share of it."""
        return np.asarray(_looked_up(self.levels, PATCH, u, v, pixel))


def cut(rng: Rng, photos: Photos, levels: tuple[float, float], least: float = 0.2) -> Patch:
    """A square cut at random from a random photo.

    photos: (h, w, 3) encoded pictures. levels: least and greatest mean albedo. least: side of the
    square against the photo's short side.
    """
    photo = photos[int(rng.integers(len(photos)))]
    h, w = photo.shape[:2]
    side = int(rng.integers(int(min(h, w) * least), min(h, w)))
    y, x = int(rng.integers(0, h - side + 1)), int(rng.integers(0, w - side + 1))
    return Patch(photo, x, y, side, float(rng.uniform(*levels)))


def mirrored(patch: Patch, metres: float, turn: float) -> Texture:
    """A patch `metres` wide, repeated mirrored over upright and level faces, turned about y."""
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))

    def texture(points: Array, pixel: Array) -> Array:
        u = (points[0] * c + points[2] * s) / np.float32(metres)
        v = (points[1] + np.float32(0.7) * (points[2] * c - points[0] * s)) / np.float32(metres)
        return patch.seen(np.abs(u % 2 - 1), np.abs(v % 2 - 1), pixel / np.float32(metres))

    return texture


def printed(patch: Patch, width: float, height: float, right: int = 0, up: int = 1) -> Texture:
    """A patch once on a face of width × height metres about the origin: a poster, a book, a rug.

    right, up: which of x, y, z run along its edges.
    """

    def texture(points: Array, pixel: Array) -> Array:
        u = np.clip(points[right] / np.float32(width) + np.float32(0.5), 0, 1)
        v = np.clip(np.float32(0.5) - points[up] / np.float32(height), 0, 1)
        return patch.seen(u, v, pixel / np.float32(max(width, height)))

    return texture


@compiled
def _looked_up(flat: Any, side: int, u: Any, v: Any, pixel: Any) -> Any:
    out = np.empty((3, u.size), np.float32)
    for n in range(u.size):
        start, width = 0, side
        covered = np.log2(max(pixel[n] * side, np.float32(1)))
        for _ in range(int(covered)):
            if width > 1:
                start, width = start + width * width, width // 2
        i, j = min(int(v[n] * width), width - 1), min(int(u[n] * width), width - 1)
        for c in range(3):
            out[c, n] = flat[c, start + i * width + j]
    return out
