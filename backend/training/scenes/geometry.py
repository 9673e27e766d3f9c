"""Shapes a ray can meet: where it enters and leaves them, and which way they face there.

Vectors are float32 arrays of shape (3, N), one column per ray or point, in metres, with x to the
right, y up and z forward. Ray directions have unit length, so a ray parameter is a distance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
MISS = np.float32(np.inf)


def vector(x: float, y: float, z: float) -> Array:
    """A column of shape (3, 1)."""
    return np.array([[x], [y], [z]], np.float32)


def dot(a: Array, b: Array) -> Array:
    """Dot product of columns: (3, N), (3, N) -> (N,). Either may be (3, 1)."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], np.float32)


def unit(a: Array) -> Array:
    """Columns scaled to unit length."""
    return np.asarray(a / np.sqrt(np.maximum(dot(a, a), np.float32(1e-20))), np.float32)


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """A (3, 3) rotation: roll about z, then pitch about x, then yaw about y; radians."""
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)


def along(direction: Array) -> Array:
    """A (3, 3) rotation that takes +y to the given (3, 1) direction."""
    y = unit(direction)[:, 0]
    helper = np.array([1, 0, 0] if abs(y[0]) < 0.8 else [0, 0, 1], np.float32)
    x = np.cross(y, helper)
    x /= np.linalg.norm(x)
    return np.stack([x, y, np.cross(x, y)], axis=1).astype(np.float32)


class Shape(Protocol):
    """A convex body with a bounding sphere."""

    @property
    def centre(self) -> Array:
        """Centre of the bounding sphere, (3, 1)."""

    @property
    def radius(self) -> float:
        """Radius of the bounding sphere in metres."""

    def intersect(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        """Distances (N,) at which each ray enters and leaves; both infinite for a miss."""

    def normal(self, points: Array) -> Array:
        """Outward unit normals (3, N) at points (3, N) on the surface."""


def interval(near: Array, far: Array, hit: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Entry and exit distances (N,) where there is a hit, infinity elsewhere."""
    return np.where(hit, near, MISS), np.where(hit, far, MISS)


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with semi-axes `size` (x, y, z) turned by `turn` (3, 3)."""

    centre: Array
    size: tuple[float, float, float]
    turn: Array = field(default_factory=rotation)

    @cached_property
    def radius(self) -> float:
        return max(self.size)

    def _local(self, a: Array) -> Array:
        return np.asarray((self.turn.T @ a) / np.array(self.size, np.float32)[:, None])

    def intersect(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        o, d = self._local(origin - self.centre), self._local(direction)
        a = dot(d, d)
        b = dot(o, d)
        # The distance from the line to the centre keeps its precision where b² - a c would not.
        foot = o - (b / a) * d
        h = a * (1 - dot(foot, foot))
        root = np.sqrt(np.maximum(h, 0))
        return interval((-b - root) / a, (-b + root) / a, h > 0)

    def normal(self, points: Array) -> Array:
        scaled = self._local(points - self.centre) / np.array(self.size, np.float32)[:, None]
        return unit(np.asarray(self.turn @ scaled))


@dataclass(frozen=True)
class Box:
    """A box with half-edges `size` (x, y, z) turned by `turn` (3, 3)."""

    centre: Array
    size: tuple[float, float, float]
    turn: Array = field(default_factory=rotation)

    @cached_property
    def radius(self) -> float:
        return float(np.linalg.norm(self.size))

    def intersect(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        half = np.array(self.size, np.float32)[:, None]
        o, d = self.turn.T @ (origin - self.centre), self.turn.T @ direction
        d = np.where(np.abs(d) < 1e-8, np.float32(1e-8), d)
        middle, reach = -o / d, np.abs(half / d)
        near = (middle - reach).max(axis=0)
        far = (middle + reach).min(axis=0)
        return interval(near, far, near < far)

    def normal(self, points: Array) -> Array:
        local = (self.turn.T @ (points - self.centre)) / np.array(self.size, np.float32)[:, None]
        axis = np.abs(local).argmax(axis=0)
        sign = np.sign(np.take_along_axis(local, axis[None], axis=0)[0])
        return np.asarray(self.turn[:, axis] * sign, np.float32)


@dataclass(frozen=True)
class Frustum:
    """A cylinder or cone from `base` (radius `bottom`) to `tip` (radius `top`), with flat ends."""

    base: Array
    tip: Array
    bottom: float
    top: float

    @cached_property
    def centre(self) -> Array:
        return np.asarray((self.base + self.tip) / 2)

    @cached_property
    def radius(self) -> float:
        return float(np.hypot(self.height / 2, max(self.bottom, self.top)))

    @cached_property
    def height(self) -> float:
        """Length of the axis in metres."""
        return float(np.linalg.norm(self.tip - self.base))

    def intersect(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        turn, height = along(self.tip - self.base), np.float32(self.height)
        o, d = turn.T @ (origin - self.base), turn.T @ direction
        slope = np.float32((self.top - self.bottom) / height)
        reach = self.bottom + slope * o[1]
        a = d[0] ** 2 + d[2] ** 2 - (slope * d[1]) ** 2
        a = np.where(np.abs(a) < 1e-8, np.float32(1e-8), a)
        b = o[0] * d[0] + o[2] * d[2] - reach * slope * d[1]
        c = o[0] ** 2 + o[2] ** 2 - reach**2
        h = b * b - a * c
        root = np.sqrt(np.maximum(h, 0))
        near = np.full(a.shape, MISS)
        far = np.full(a.shape, -MISS)
        for t in ((-b - root) / a, (-b + root) / a):
            y = o[1] + t * d[1]
            hit = (h > 0) & (y > 0) & (y < height)
            near = np.where(hit, np.minimum(near, t), near)
            far = np.where(hit, np.maximum(far, t), far)
        steep = np.where(np.abs(d[1]) < 1e-8, np.float32(1e-8), d[1])
        for y_end, r_end in ((np.float32(0), self.bottom), (height, self.top)):
            t = (y_end - o[1]) / steep
            hit = (o[0] + t * d[0]) ** 2 + (o[2] + t * d[2]) ** 2 < r_end**2
            near = np.where(hit, np.minimum(near, t), near)
            far = np.where(hit, np.maximum(far, t), far)
        return interval(near, far, far > -MISS)

    def normal(self, points: Array) -> Array:
        turn, height = along(self.tip - self.base), self.height
        p = turn.T @ (points - self.base)
        slope = (self.top - self.bottom) / height
        r = np.sqrt(np.maximum(p[0] ** 2 + p[2] ** 2, 1e-12))
        side = np.stack([p[0] / r, np.full_like(r, -slope), p[2] / r])
        inside = self.bottom + slope * p[1] - r
        end = np.minimum(np.abs(p[1]), np.abs(p[1] - height)) < inside
        cap = np.stack([np.zeros_like(r), np.where(p[1] > height / 2, 1.0, -1.0), np.zeros_like(r)])
        return unit(np.asarray(turn @ np.where(end, cap, side).astype(np.float32)))


@dataclass(frozen=True)
class Capsule:
    """All points within `thickness` of the segment from `start` to `end`."""

    start: Array
    end: Array
    thickness: float

    @cached_property
    def centre(self) -> Array:
        return np.asarray((self.start + self.end) / 2)

    @cached_property
    def radius(self) -> float:
        return float(np.linalg.norm(self.end - self.start) / 2) + self.thickness

    def intersect(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        turn = along(self.end - self.start)
        height = np.float32(np.linalg.norm(self.end - self.start))
        o, d = turn.T @ (origin - self.start), turn.T @ direction
        near = np.full(d.shape[1], MISS)
        far = np.full(d.shape[1], -MISS)
        a = np.maximum(d[0] ** 2 + d[2] ** 2, 1e-12)
        b = o[0] * d[0] + o[2] * d[2]
        h = b * b - a * (o[0] ** 2 + o[2] ** 2 - self.thickness**2)
        root = np.sqrt(np.maximum(h, 0))
        for t in ((-b - root) / a, (-b + root) / a):
            y = o[1] + t * d[1]
            hit = (h > 0) & (y >= 0) & (y <= height)
            near = np.where(hit, np.minimum(near, t), near)
            far = np.where(hit, np.maximum(far, t), far)
        for y_end in (np.float32(0), height):
            across = o[1] - y_end
            b = o[0] * d[0] + across * d[1] + o[2] * d[2]
            h = b * b - (o[0] ** 2 + across**2 + o[2] ** 2 - self.thickness**2)
            root = np.sqrt(np.maximum(h, 0))
            near = np.where(h > 0, np.minimum(near, -b - root), near)
            far = np.where(h > 0, np.maximum(far, -b + root), far)
        return interval(near, far, far > -MISS)

    def normal(self, points: Array) -> Array:
        axis = self.end - self.start
        share = np.clip(dot(points - self.start, axis) / dot(axis, axis), 0, 1)
        return unit(points - self.start - share * axis)


@dataclass(frozen=True)
class Blade:
    """A flat triangle, lit on both sides: a blade of grass or a leaf."""

    a: Array
    b: Array
    c: Array
    lean: Array = field(default_factory=lambda: vector(0, 1, 0))

    @cached_property
    def centre(self) -> Array:
        return np.asarray((self.a + self.b + self.c) / 3)

    @cached_property
    def radius(self) -> float:
        return float(max(np.linalg.norm(p - self.centre) for p in (self.a, self.b, self.c)))

    def intersect(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        """The Möller-Trumbore test; entry and exit coincide."""
        p, q = (self.b - self.a)[:, 0], (self.c - self.a)[:, 0]
        across = np.cross(direction.T, q).T
        det = dot(across, p[:, None])
        det = np.where(np.abs(det) < 1e-12, np.float32(1e-12), det)
        s = origin - self.a
        u = dot(s, across) / det
        turned = np.cross(s.T, p).T
        v = dot(direction, turned) / det
        t = (q @ turned) / det
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
        t = np.broadcast_to(t, hit.shape)
        return interval(t, t, hit)

    def normal(self, points: Array) -> Array:
        """The triangle's own normal, leaned upwards as the light in a tuft of grass is."""
        flat = np.cross((self.b - self.a)[:, 0], (self.c - self.a)[:, 0]).astype(np.float32)[
            :, None
        ]
        flat = unit(flat) * np.float32(1 if flat[2, 0] < 0 else -1)
        return np.repeat(unit(flat * 0.6 + self.lean), points.shape[1], axis=1)
