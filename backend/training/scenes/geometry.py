"""Shapes a ray can meet, each as a canonical shape seen through an affine map.

Vectors are float32 arrays of shape (3, N), one column per ray or point, in metres, with x to the
right, y up and z forward. Ray directions have unit length, so a ray parameter is a distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training.scenes import faces, rays

Array = NDArray[np.float32]


def vector(x: float, y: float, z: float) -> Array:
    """A column of shape (3, 1)."""
    return np.array([[x], [y], [z]], np.float32)


def dot(a: Array, b: Array) -> Array:
    """Dot product of columns: (3, N), (3, N) -> (N,). Either may be (3, 1)."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], np.float32)


def cross(a: Array, b: Array) -> Array:
    """Cross product of columns (3, N). Either may be (3, 1)."""
    parts = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    return np.stack(parts).astype(np.float32, copy=False)


def turned(turn: Array, a: Array) -> Array:
    """Columns (3, N) turned by (3, 3), without the threads that a matrix product would start."""
    return np.stack([dot(row[:, None], a) for row in turn])


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


@dataclass(frozen=True)
class Form:
    """A shape as ``rays`` knows it: a canonical shape, moved.

    kind: which one; origin (3, 1) and the columns of axes (3, 3): where its coordinates lie in the
    world; sizes: its own; facing: (3,) the normal of a triangle.
    """

    kind: int
    origin: Array
    axes: NDArray[np.floating]
    sizes: tuple[float, float, float] = (0.0, 0.0, 0.0)
    facing: Array = field(default_factory=lambda: np.zeros(3, np.float32))


class Shape(Protocol):
    """A convex body."""

    @property
    def centre(self) -> Array:
        """Centre of the bounding sphere and of the bounding box, (3, 1)."""

    @property
    def radius(self) -> float:
        """Radius of the bounding sphere in metres."""

    @property
    def half(self) -> Array:
        """Half edges (3,) of the bounding box in metres."""

    @property
    def form(self) -> Form:
        """The same as a canonical shape."""


def packed(shapes: Sequence[Shape]) -> tuple[NDArray[Any], ...]:
    """What the compiled loops take: kinds (S,), maps (S, 3, 4), sizes (S, 3), normals (S, 3)."""
    forms = [shape.form for shape in shapes]
    inverse = np.linalg.inv(np.array([f.axes for f in forms], np.float64).reshape(-1, 3, 3))
    origin = np.array([f.origin for f in forms], np.float64).reshape(-1, 3, 1)
    return (
        np.array([f.kind for f in forms], np.uint8),
        np.concatenate([inverse, -inverse @ origin], axis=2),
        np.array([f.sizes for f in forms], np.float64).reshape(-1, 3),
        np.array([f.facing for f in forms], np.float32).reshape(-1, 3),
    )


def crossings(shape: Shape, origin: Array, direction: Array) -> tuple[Array, Array]:
    """Distances (N,) at which rays (3, N) enter and leave a shape; both infinite for a miss."""
    near, far = rays.crossings(packed([shape]), origin, direction)
    return near, far


def normals(shape: Shape, points: Array) -> Array:
    """Outward unit normals (3, N) at points (3, N) on the surface of a shape."""
    number = np.zeros(points.shape[1], np.int32)
    return np.asarray(faces.normals(packed([shape]), number, points))


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with semi-axes `size` (x, y, z) turned by `turn` (3, 3)."""

    centre: Array
    size: tuple[float, float, float]
    turn: Array = field(default_factory=rotation)

    @cached_property
    def radius(self) -> float:
        return max(self.size)

    @cached_property
    def form(self) -> Form:
        return Form(rays.SPHERE, self.centre, self.turn * np.array(self.size))

    @cached_property
    def half(self) -> Array:
        return np.asarray(np.linalg.norm(self.turn * np.array(self.size, np.float32), axis=1))


@dataclass(frozen=True)
class Box:
    """A box with half-edges `size` (x, y, z) turned by `turn` (3, 3)."""

    centre: Array
    size: tuple[float, float, float]
    turn: Array = field(default_factory=rotation)

    @cached_property
    def radius(self) -> float:
        return float(np.linalg.norm(self.size))

    @cached_property
    def form(self) -> Form:
        return Form(rays.BOX, self.centre, self.turn * np.array(self.size))

    @cached_property
    def half(self) -> Array:
        return np.asarray(np.abs(self.turn) @ np.array(self.size, np.float32))


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

    @cached_property
    def form(self) -> Form:
        axes = along(self.tip - self.base) * np.array([1, self.height, 1])
        sizes = (self.bottom, self.top, self.height)
        return Form(rays.FRUSTUM, self.base, axes, sizes)

    @cached_property
    def half(self) -> Array:
        axis = unit(self.tip - self.base)[:, 0]
        disc = max(self.bottom, self.top) * np.sqrt(np.maximum(1 - axis**2, 0))
        return np.asarray(np.abs(axis) * np.float32(self.height / 2) + disc, np.float32)


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

    @cached_property
    def form(self) -> Form:
        axes = along(self.end - self.start) * self.thickness
        length = float(np.linalg.norm(self.end - self.start)) / self.thickness
        return Form(rays.CAPSULE, self.start, axes, (length, 0.0, 0.0))

    @cached_property
    def half(self) -> Array:
        half = np.abs(self.end - self.start)[:, 0] / 2
        return np.asarray(half + np.float32(self.thickness))


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

    @cached_property
    def form(self) -> Form:
        """Its normal is the triangle's own, leaned upwards as the light in a tuft of grass is."""
        flat = unit(cross(self.b - self.a, self.c - self.a))
        axes = np.concatenate([self.b - self.a, self.c - self.a, flat], axis=1)
        facing = flat * np.float32(0.6 if flat[2, 0] < 0 else -0.6) + self.lean
        return Form(rays.TRIANGLE, self.a, axes, facing=unit(facing)[:, 0])

    @cached_property
    def half(self) -> Array:
        corners = np.concatenate([self.a, self.b, self.c], axis=1) - self.centre
        return np.asarray(np.abs(corners).max(axis=1))
