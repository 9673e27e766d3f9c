"""Which surface each camera ray meets, and which points a light does not reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.scenes.geometry import Array, Shape, dot, rotation, unit, vector
from training.scenes.texture import Material, Pattern

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Frame:
    """Where a surface's texture coordinates start and how they are turned."""

    origin: Array = field(default_factory=lambda: vector(0, 0, 0))
    turn: Array = field(default_factory=rotation)

    def local(self, points: Array) -> Array:
        """World points (3, N) as texture coordinates (3, N), in metres."""
        return np.asarray(self.turn.T @ (points - self.origin))


@dataclass(frozen=True)
class Surface:
    """A shape made of a material. With `holes`, it is only there where the pattern is over 0.5.

    shades: whether it casts shadows; encloses: whether it also hides sky from what is near it.
    """

    shape: Shape
    material: Material
    main: bool = False
    frame: Frame = field(default_factory=Frame)
    holes: Pattern | None = None
    shades: bool = True
    encloses: bool = True

    def _there(self, points: Array) -> Mask:
        assert self.holes is not None
        return self.holes(self.frame.local(points), np.zeros(points.shape[1], np.float32)) > 0.5

    def first(self, origin: Array, direction: Array, nearest: Array | float = 1e-3) -> Array:
        """Distance (N,) to the first visible point beyond `nearest` metres, inf for none."""
        near, far = self.shape.intersect(origin, direction)
        near = np.where(near > nearest, near, np.inf)
        far = np.where(far > nearest, far, np.inf)
        if self.holes is None:
            return np.asarray(np.minimum(near, far), np.float32)
        t = np.full(near.shape, np.inf, np.float32)
        for candidate in (far, near):
            hit = np.flatnonzero(np.isfinite(candidate))
            start = origin if origin.shape[1] == 1 else origin[:, hit]
            kept = hit[self._there(start + candidate[hit] * direction[:, hit])]
            t[kept] = candidate[kept]
        return t


@dataclass(frozen=True)
class Camera:
    """A pinhole camera looking along +z, tilted up by `pitch` radians.

    `fov` is the horizontal field of view in degrees, for the full width of the picture.
    """

    height: float
    pitch: float
    fov: float

    @property
    def position(self) -> Array:
        """The lens, (3, 1)."""
        return vector(0, self.height, 0)

    @property
    def axes(self) -> Array:
        """Right, up and forward as the columns of a (3, 3) rotation."""
        return rotation(pitch=-self.pitch)

    def rays(self, width: int, height: int, rows: range) -> Array:
        """Unit directions (3, len(rows) * width) through the middles of the samples of a grid."""
        focal = width / 2 / np.tan(np.radians(self.fov) / 2)
        x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / focal
        y = (height / 2 - np.arange(rows.start, rows.stop, dtype=np.float32) - 0.5) / focal
        xx, yy = np.meshgrid(x, y)
        rays = np.stack([xx.ravel(), yy.ravel(), np.ones(xx.size, np.float32)]).astype(np.float32)
        return unit(np.asarray(self.axes @ rays, np.float32))


def _tangents(across: float, ahead: float, radius: float) -> tuple[float, float]:
    """Least and greatest across/ahead of a disc, infinite where it reaches behind the eye."""
    distance = float(np.hypot(across, ahead))
    if distance <= radius:
        return -np.inf, np.inf
    middle, spread = np.arctan2(across, ahead), np.arcsin(radius / distance)
    low, high = middle - spread, middle + spread
    return (
        float(np.tan(low)) if low > -np.pi / 2 else -np.inf,
        float(np.tan(high)) if high < np.pi / 2 else np.inf,
    )


def nearest_surfaces(
    surfaces: Sequence[Surface], camera: Camera, width: int, height: int, rows: range
) -> tuple[Array, Array, Indices]:
    """Trace one camera ray for each sample of the given rows.

    Returns directions (3, N), distances (N,) in metres (inf for sky) and surface numbers (N,),
    -1 for sky.
    """
    direction = camera.rays(width, height, rows)
    grid = direction.reshape(3, len(rows), width)
    distance = np.full((len(rows), width), np.inf, np.float32)
    number = np.full((len(rows), width), -1, np.int64)
    focal = width / 2 / np.tan(np.radians(camera.fov) / 2)
    for k, surface in enumerate(surfaces):
        x, y, z = (camera.axes.T @ (surface.shape.centre - camera.position))[:, 0]
        radius = surface.shape.radius
        if z + radius < 0:
            continue
        (left, right), (low, high) = _tangents(x, z, radius), _tangents(y, z, radius)
        x0 = int(np.clip(np.floor(width / 2 + left * focal - 1), 0, width))
        x1 = int(np.clip(np.ceil(width / 2 + right * focal + 1), 0, width))
        y0 = int(np.clip(np.floor(height / 2 - high * focal - 1), rows.start, rows.stop))
        y1 = int(np.clip(np.ceil(height / 2 - low * focal + 1), rows.start, rows.stop))
        if x0 >= x1 or y0 >= y1:
            continue
        window = (slice(y0 - rows.start, y1 - rows.start), slice(x0, x1))
        rays = np.ascontiguousarray(grid[(slice(None), *window)]).reshape(3, -1)
        t = surface.first(camera.position, rays).reshape(y1 - y0, x1 - x0)
        closer = t < distance[window]
        distance[window] = np.where(closer, t, distance[window])
        number[window] = np.where(closer, k, number[window])
    return direction, distance.ravel(), number.ravel()


def _basis(forward: Array) -> Array:
    """Rows: two directions across `forward` and `forward` itself."""
    z = unit(forward)[:, 0]
    x = np.cross([0, 1, 0] if abs(z[1]) < 0.9 else [1, 0, 0], z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z]).astype(np.float32)


def shadowed(
    surfaces: Sequence[Surface],
    points: Array,
    to_light: Array,
    reach: Array | float,
    lamp: Array | None = None,
) -> Mask:
    """Whether something stands between each point (3, N) and the light.

    to_light: unit directions (3, N), or (3, 1) for the sun; reach: distance to the light (N,),
    inf for the sun; lamp: position (3, 1) of a light near the points, None for the sun.
    The points are sorted by their place across the light, so that each surface tests only those
    that its bounding sphere can shade.
    """
    dark = np.zeros(points.shape[1], bool)
    if not points.shape[1]:
        return dark
    if lamp is None:
        basis = _basis(to_light)
        u, v, ahead = basis @ points
    else:
        basis = _basis(np.mean(points, axis=1, keepdims=True) - lamp)
        u, v, ahead = basis @ (points - lamp)
        ahead = np.maximum(ahead, np.float32(1e-3))
        u, v = u / ahead, v / ahead
    order = np.argsort(u)
    sorted_u, sorted_v = u[order], v[order]
    for surface in surfaces:
        if not surface.shades:
            continue
        radius = surface.shape.radius
        if lamp is None:
            x, y, _ = (basis @ surface.shape.centre)[:, 0]
            (left, right), (low, high) = (x - radius, x + radius), (y - radius, y + radius)
        else:
            x, y, z = (basis @ (surface.shape.centre - lamp))[:, 0]
            (left, right), (low, high) = _tangents(x, z, radius), _tangents(y, z, radius)
        start, stop = np.searchsorted(sorted_u, np.array([left, right], np.float32))
        if start == stop:
            continue
        across = sorted_v[start:stop]
        chosen = order[start:stop][(across > low) & (across < high)]
        chosen = chosen[~dark[chosen]]
        if not chosen.size:
            continue
        rays = to_light if to_light.shape[1] == 1 else to_light[:, chosen]
        rays = np.broadcast_to(rays, (3, chosen.size))
        limit = reach if isinstance(reach, float) else reach[chosen]
        t = surface.first(points[:, chosen], rays)
        dark[chosen] = t < limit - 1e-3
    return dark


def openness(surfaces: Sequence[Surface], points: Array, normals: Array) -> Array:
    """Share of the sky (N,), 0..1, that near bodies leave open: ambient occlusion.

    Every body counts as the sphere of the same bulk: it hides (r/d)² of the hemisphere times the
    cosine to it (Quilez, "Sphere ambient occlusion").
    """
    free = np.ones(points.shape[1], np.float32)
    order = np.argsort(points[0])
    x, z = points[0][order], points[2][order]
    for surface in surfaces:
        if not (surface.shades and surface.encloses) or surface.shape.radius > 3:
            continue
        radius = surface.shape.radius * 0.6
        centre, spread = surface.shape.centre, 3 * radius
        reach = np.array([-spread, spread], np.float32) + centre[0, 0]
        start, stop = np.searchsorted(x, reach)
        if start == stop:
            continue
        near = np.abs(z[start:stop] - centre[2]) < spread
        chosen = order[start:stop][near]
        to = centre - points[:, chosen]
        squared = dot(to, to)
        cosine = dot(normals[:, chosen], to) / np.sqrt(np.maximum(squared, 1e-6))
        share = np.minimum(radius**2 / np.maximum(squared, 1e-6), 1)
        edge = np.clip(1.5 - squared * np.float32(1.5 / spread**2), 0, 1)
        free[chosen] *= 1 - 0.7 * np.maximum(cosine, 0) * share * edge
    return free
