"""What is too big for a bounding sphere: the ground and far hills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.scenes.geometry import Array, unit, vector


class Terrain:
    """What rays are not looked for in a tree: it receives shadows and casts none."""

    def meet(self, origin: Array, direction: Array) -> Array:
        """Distances (N,) at which rays from one point (3, 1) meet it, inf for a miss."""
        raise NotImplementedError

    def normal(self, points: Array) -> Array:
        """Unit normals (3, N) at points (3, N) on it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Ridge(Terrain):
    """Far hills: an upright plane at depth `z` whose top edge is a sum of waves.

    Each wave is (height in metres, wavelength in metres, phase).
    """

    z: float
    height: float
    waves: tuple[tuple[float, float, float], ...]

    def top(self, x: Array) -> Array:
        """Height of the skyline above the point x of the plane, in metres."""
        y = np.full_like(x, self.height)
        for rise, length, phase in self.waves:
            y += np.float32(rise) * np.sin(x * np.float32(2 * np.pi / length) + np.float32(phase))
        return y

    def meet(self, origin: Array, direction: Array) -> Array:
        steep = np.maximum(direction[2], 1e-6)
        t = (self.z - origin[2]) / steep
        y = origin[1] + t * direction[1]
        hit = (direction[2] > 1e-6) & (t > 0) & (y < self.top(origin[0] + t * direction[0]))
        return np.where(hit, t, np.float32(np.inf))

    def normal(self, points: Array) -> Array:
        return np.repeat(unit(vector(0.0, 0.7, -0.7)), points.shape[1], axis=1)


@dataclass(frozen=True)
class Ground(Terrain):
    """The floor y = height(x, z): flat, or with gentle waves that fade out with distance."""

    waves: tuple[tuple[float, float, float, float], ...] = ()
    fade: float = 15.0

    def height(self, x: Array, z: Array) -> Array:
        """Height in metres at (x, z). A wave is (height, wave number in x, in z, phase)."""
        y = np.zeros(np.broadcast(x, z).shape, np.float32)
        for rise, kx, kz, phase in self.waves:
            y += np.float32(rise) * np.sin(kx * x + kz * z + np.float32(phase))
        return np.asarray(y / (1 + (x * x + z * z) / np.float32(self.fade) ** 2), np.float32)

    def height_at(self, x: float, z: float) -> float:
        """Height in metres at one spot."""
        return float(self.height(np.full(1, x, np.float32), np.full(1, z, np.float32))[0])

    def meet(self, origin: Array, direction: Array) -> Array:
        down = np.minimum(direction[1], np.float32(-1e-6))
        t = -origin[1] / down
        for _ in range(6 if self.waves else 0):
            p = origin + np.minimum(t, 1e4) * direction
            t = 0.3 * t + 0.7 * (self.height(p[0], p[2]) - origin[1]) / down
        hit = (direction[1] < -1e-6) & (t > 0)
        return np.where(hit, t, np.float32(np.inf))

    def normal(self, points: Array) -> Array:
        if not self.waves:
            return np.repeat(vector(0, 1, 0), points.shape[1], axis=1)
        x, z, step = points[0], points[2], np.float32(0.02)
        dx = self.height(x + step, z) - self.height(x - step, z)
        dz = self.height(x, z + step) - self.height(x, z - step)
        return unit(np.stack([-dx, np.full_like(dx, 2 * step), -dz]))
