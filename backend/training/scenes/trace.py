"""Which surface each camera ray meets, and which points a light does not reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.scenes import faces, hierarchy, rays
from training.scenes.geometry import Array, Shape, packed, rotation, turned, unit, vector
from training.scenes.terrain import Terrain
from training.scenes.texture import LATTICE, Fractal, Material

Indices = NDArray[np.int32]
Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Tree = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


@dataclass(frozen=True)
class Frame:
    """Where a surface's texture coordinates start and how they are turned."""

    origin: Array = field(default_factory=lambda: vector(0, 0, 0))
    turn: Array = field(default_factory=rotation)


@dataclass(frozen=True)
class Gaps:
    """A surface is only there where the pattern is over the level."""

    pattern: Fractal
    level: float


@dataclass(frozen=True)
class Surface:
    """A shape made of a material, perhaps with gaps in it.

    main: whether it is part of the main object; thing: number of the object of which it is part, 0
    for the surroundings; encloses: whether it hides sky from what is near it.
    """

    shape: Shape | Terrain
    material: Material
    main: bool = False
    frame: Frame = field(default_factory=Frame)
    gaps: Gaps | None = None
    encloses: bool = True
    thing: int = 0

    @property
    def solid(self) -> Shape:
        """Its shape, which is no terrain."""
        assert not isinstance(self.shape, Terrain)
        return self.shape


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
        return unit(turned(self.axes, rays))


class Bodies:
    """Surfaces in the order of the scene, made ready for many rays."""

    def __init__(self, surfaces: Sequence[Surface]) -> None:
        self.surfaces = tuple(surfaces)
        solid = [k for k, s in enumerate(surfaces) if not isinstance(s.shape, Terrain)]
        self._solid = np.array(solid, np.int32)
        self._open = [k for k, s in enumerate(surfaces) if isinstance(s.shape, Terrain)]
        shapes = [surfaces[k].solid for k in solid]
        self._place = np.full(len(surfaces) + 1, -1, np.int32)
        self._place[self._solid] = np.arange(len(shapes))
        turn = np.array([s.frame.turn.T for s in surfaces], np.float64).reshape(-1, 3, 3)
        origin = np.array([s.frame.origin for s in surfaces], np.float64).reshape(-1, 3, 1)
        self._frames = np.concatenate([turn, -turn @ origin], axis=2)
        gaps = np.zeros((len(shapes), 5))
        for n, k in enumerate(solid):
            hole = surfaces[k].gaps
            if hole is not None:
                p = hole.pattern
                gaps[n] = p.scale, p.octaves, p.seed, p.gain, hole.level
        self._shapes = (*packed(shapes), gaps, self._frames[self._solid])
        self._centre = np.array([s.centre[:, 0] for s in shapes], np.float64).reshape(-1, 3)
        self._half = np.array([s.half for s in shapes], np.float64).reshape(-1, 3)
        self._radius = np.array([s.radius for s in shapes], np.float64)

    @cached_property
    def main(self) -> NDArray[np.bool_]:
        """For each surface whether it is of the main object; false for -1."""
        return np.array([*(s.main for s in self.surfaces), False])

    @cached_property
    def things(self) -> NDArray[np.uint8]:
        """For each surface the number of its object: 1 surroundings, 2.. objects; 0 for -1."""
        known = {0: 1}
        of = [known.setdefault(s.thing, len(known) + 1) for s in self.surfaces]
        return np.array([*of, 0]).clip(0, 255).astype(np.uint8)

    @cached_property
    def _materials(self) -> tuple[list[Material], NDArray[np.int16]]:
        """The different materials, and which of them each surface is made of."""
        known = {id(s.material): s.material for s in self.surfaces}
        place = {key: n for n, key in enumerate(known)}
        which = [place[id(s.material)] for s in self.surfaces]
        return list(known.values()), np.array(which, np.int16)

    @cached_property
    def _tree(self) -> Tree:
        return _grown(self._centre, self._half)

    @cached_property
    def _near(self) -> tuple[Tree, NDArray[np.float64]]:
        """Bodies that hide sky, as spheres of the same bulk."""
        hides = np.array([self.surfaces[k].encloses for k in self._solid], bool)
        hides &= self._radius <= 3
        spheres = np.concatenate([self._centre, 0.6 * self._radius[:, None]], axis=1)[hides]
        return _grown(spheres[:, :3], np.repeat(3 * spheres[:, 3:], 3, axis=1)), spheres

    def nearest(self, origin: Array, direction: Array) -> tuple[Array, Indices]:
        """What rays from one point (3, 1) along directions (3, N) meet first.

        Returns distances (N,) in metres (inf for sky) and surface numbers (N,), -1 for sky.
        """
        reach = np.full(direction.shape[1], np.inf, np.float32)
        number = np.full(direction.shape[1], -1, np.int32)
        for k in self._open:
            shape = self.surfaces[k].shape
            assert isinstance(shape, Terrain)
            t = shape.meet(origin, direction)
            closer = t < reach
            reach[closer], number[closer] = t[closer], k
        distance, found = rays.nearest(
            self._shapes, self._tree, LATTICE, origin, direction, reach, False
        )
        hit = found >= 0
        number[hit] = self._solid[found[hit]]
        return np.where(hit, distance, reach), number

    def sorted_by_material(self, number: Indices) -> Numbers:
        """The order (N,) in which surfaces of one material follow each other."""
        return np.argsort(self._materials[1][number], kind="stable")

    def by_material(self, number: Indices) -> list[tuple[Material, slice]]:
        """Each material with its part of surface numbers (N,) that are sorted by material."""
        materials, which = self._materials
        edges = np.searchsorted(which[number], np.arange(len(materials) + 1))
        parts = zip(materials, edges[:-1], edges[1:], strict=True)
        return [(m, slice(int(a), int(b))) for m, a, b in parts if a < b]

    def normals(self, number: Indices, points: Array) -> Array:
        """Unit normals (3, N) at points (3, N) on the surfaces of the given numbers (N,)."""
        out = faces.normals(self._shapes, self._place[number], points)
        for k in self._open:
            here = np.flatnonzero(number == k)
            if here.size:
                shape = self.surfaces[k].shape
                assert isinstance(shape, Terrain)
                out[:, here] = shape.normal(points[:, here])
        return np.asarray(out, np.float32)

    def local(self, number: Indices, points: Array) -> Array:
        """Points (3, N) in the texture coordinates, in metres, of the surfaces (N,)."""
        return np.asarray(faces.moved(self._frames, number, points, True))

    def turned(self, number: Indices, directions: Array) -> Array:
        """Directions (3, N) in the texture coordinates of the surfaces (N,)."""
        return np.asarray(faces.moved(self._frames, number, directions, False))

    def shadowed(self, points: Array, to_light: Array, reach: Array) -> Mask:
        """Whether something stands between each point (3, N) and the light.

        to_light: unit directions (3, N), or (3, 1) for the sun; reach: distance to the light (N,),
        inf for the sun, negative where it does not matter.
        """
        limit = reach - np.float32(1e-3)
        _, found = rays.nearest(self._shapes, self._tree, LATTICE, points, to_light, limit, True)
        return np.asarray(found >= 0)

    def openness(self, points: Array, normals: Array) -> Array:
        """Share of the sky (N,), 0..1, that near bodies leave open: ambient occlusion."""
        tree, spheres = self._near
        return np.asarray(hierarchy.unhidden(tree, spheres, points, normals))


def _grown(centre: NDArray[np.float64], half: NDArray[np.float64]) -> Tree:
    corners, nodes, order = hierarchy.grow(centre - half, centre + half)
    return corners, nodes, order
