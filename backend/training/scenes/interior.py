"""Light in a room: windows, lamps, and what the room's surfaces throw back.

Light that has been thrown back is found by radiosity (Goral et al. 1984) on few patches: every
order of reflection, but without the shadows of what stands between a patch and what it lights;
there `Lit.open` alone darkens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.scenes import patches
from training.scenes.geometry import Array, cross, dot, turned, unit
from training.scenes.light import Flash, Lit
from training.scenes.texture import Colour
from training.scenes.trace import Bodies, Mask, Numbers

PATCHES = 128
REFLECTIONS = 60  # after which one per mille is left in the whitest room
RAYS = 4  # to all windows together from each sample, but at least two to each


@dataclass(frozen=True)
class Window:
    """An opening through which an even sky shines: its centre and half edges (3, 1), its radiance.

    `right` × `up` points out of the room.
    """

    centre: Array
    right: Array
    up: Array
    sky: Colour

    def irradiance(self, bodies: Bodies, lit: Lit, places: Array) -> Array:
        """What shines in, (3, N); shadows are looked for at places (K, 2, N) in it, -1..1.

        How much a point would get is summed over a grid, and the rays say which share of it they
        see: so there is noise in half shadows only.
        """
        sum_, seen, all_ = np.zeros((3, lit.open.size), np.float32)
        grid = np.array([-2 / 3, 0, 2 / 3], np.float32)
        for u in grid:
            for v in grid:
                sum_ += self._share(lit, u, v, grid.size**2)[0]
        for u, v in places:
            share, to_light, reach = self._share(lit, u, v, len(places))
            limit = np.where(share > 0, reach, np.float32(-1))
            seen += share * ~bodies.shadowed(lit.lifted, to_light, limit)
            all_ += share
        light = sum_ * seen / np.maximum(all_, np.float32(1e-9))
        return np.asarray(np.array(self.sky, np.float32)[:, None] * light, np.float32)

    def _share(
        self, lit: Lit, u: Array | np.float32, v: Array | np.float32, count: int
    ) -> tuple[Array, Array, Array]:
        """Irradiance (N,) by one of `count` parts, direction (3, N) to it, distance (N,)."""
        away = np.asarray(self.centre + self.right * u + self.up * v - lit.position, np.float32)
        across = cross(self.right, self.up)
        area = np.float32(4 * np.linalg.norm(across) / count)
        squared = dot(away, away)
        reach = np.sqrt(squared)
        to_light = np.asarray(away / reach, np.float32)
        facing = np.maximum(dot(lit.normal, to_light), 0)
        facing = facing * np.maximum(dot(unit(across), to_light), 0)
        return facing * area / (np.float32(np.pi) * squared + area), to_light, reach


@dataclass(frozen=True)
class Bulb:
    """A lamp in the room that shines evenly: position (3, 1), irradiance at 1 m, size in metres."""

    position: Array
    colour: Colour
    size: float = 0.12

    def irradiance(self, bodies: Bodies, lit: Lit) -> Array:
        """Irradiance (3, N) on the points, shadows and all."""
        away = np.asarray(self.position - lit.position, np.float32)
        squared = dot(away, away)
        reach = np.sqrt(squared)
        to_light = np.asarray(away / reach, np.float32)
        facing = np.maximum(dot(lit.normal, to_light), 0)
        limit = np.where(facing > 0, reach - np.float32(1.3 * self.size), np.float32(-1))
        free = ~bodies.shadowed(lit.lifted, to_light, limit)
        strength = free * facing / (squared + np.float32(self.size**2))
        return np.asarray(np.array(self.colour, np.float32)[:, None] * strength, np.float32)


@dataclass(frozen=True)
class Interior:
    """The air of a room: a box with its floor's middle at `origin` (3, 1), turned by (3, 3)."""

    origin: Array
    turn: Array
    size: tuple[float, float, float]
    windows: tuple[Window, ...]
    bulbs: tuple[Bulb, ...]

    def within(self, points: Array) -> Mask:
        """Whether points (3, N) are in the room, give or take the thickness of a wall."""
        x, y, z = np.abs(turned(self.turn.T, points - self.origin))
        w, h, d = self.size
        return np.asarray((x < w / 2 + 0.1) & (y < h + 0.1) & (z < d / 2 + 0.1))

    @property
    def across(self) -> float:
        """Metres from corner to corner: what is farther from one in the room is outside."""
        return float(np.linalg.norm(self.size))

    @property
    def middle(self) -> Array:
        """The middle of the room, (3, 1)."""
        return self.origin + np.array([[0], [self.size[1] / 2], [0]], np.float32)

    def sky_light(self, bodies: Bodies, lit: Lit, sample: Numbers) -> Array:
        """Irradiance (3, N) through all windows.

        sample: number (N,) of each point among those of its pixel, which look at other places.
        """
        out = np.zeros_like(lit.position)
        each = max(2, RAYS // max(1, len(self.windows)))
        jitter = np.random.default_rng(0).random((each, 2, lit.open.size), np.float32)
        # The four samples of a pixel look into four columns, and each down the rows of its own.
        row = np.arange(each)[:, None] + np.zeros_like(sample)
        column = np.broadcast_to(sample % 4, row.shape)
        spread = np.array([[4], [each]], np.float32)
        places = 2 * (np.stack([column, row], axis=1) + jitter) / spread - 1
        for window in self.windows:
            out += window.irradiance(bodies, lit, places.astype(np.float32))
        return out

    def lamp_light(self, bodies: Bodies, lit: Lit) -> Array:
        """Irradiance (3, N) from all lamps."""
        out = np.zeros_like(lit.position)
        for bulb in self.bulbs:
            out += bulb.irradiance(bodies, lit)
        return out


@dataclass(frozen=True)
class Radiosity:
    """Patches of a room: centres and normals (3, M), areas (M,), and the radiance (9, M) of each.

    Of the radiance three rows are by the ambient light of the night, three by all light of the
    day, three by the flash.
    """

    centre: Array
    normal: Array
    area: Array
    radiance: Array

    def at(self, lit: Lit) -> tuple[Array, Array, Array]:
        """Irradiance (3, N) that the patches throw at night, by day and by the flash."""
        light = patches.gathered(
            lit.position, lit.normal, self.centre, self.normal, self.area, self.radiance
        )
        light *= lit.open
        return light[:3], light[3:6], light[6:]

    @cached_property
    def by_day(self) -> Colour:
        """Mean radiance of the room by day: what a glossy floor mirrors."""
        r, g, b = (float(c) for c in np.average(self.radiance[3:6], 1, weights=self.area))
        return r, g, b


def directions(count: int) -> Array:
    """Unit vectors (3, count) spread evenly, on a Fibonacci lattice."""
    k = np.arange(count, dtype=np.float64) + 0.5
    y, angle = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - y * y)
    return np.stack([r * np.cos(angle), y, r * np.sin(angle)]).astype(np.float32)


def solved(lit: Lit, middle: Array, received: Array) -> Radiosity:
    """The radiosity of patches seen from the middle (3, 1) of a room in even directions.

    lit: the patches, black where a window is; received: irradiance (9, M) on them from outside,
    lamps and the flash.
    """
    away = lit.position - middle
    squared = dot(away, away)
    slant = np.maximum(-dot(away, lit.normal) / np.sqrt(squared), np.float32(0.25))
    area = np.asarray(4 * np.pi / squared.size * squared / slant, np.float32)
    centre, normal = lit.position, lit.normal
    count = squared.size
    shares = patches.gathered(
        lit.position, lit.normal, centre, normal, area, np.eye(count, dtype=np.float32)
    ).T
    # What i gets from j is what j gets from i, and each gets all of its light from the room.
    exchange = shares * area[:, None] + (shares * area[:, None]).T
    for _ in range(20):
        scale = np.sqrt(area / exchange.sum(axis=1))
        exchange *= scale[:, None] * scale
    albedo = np.tile(lit.albedo, (3, 1))
    radiance = patches.settled(exchange / area[:, None], albedo, received, REFLECTIONS)
    return Radiosity(centre, normal, area, radiance)


def flash_light(flash: Flash, bodies: Bodies, lit: Lit) -> Array:
    """Irradiance (N,) straight from the flash, shadows and all."""
    strength, to_lamp, reach = flash.irradiance(lit.position)
    facing = dot(lit.normal, to_lamp)
    limit = np.where((facing > 0) & (reach < 60), reach, np.float32(-1))
    free = ~bodies.shadowed(lit.lifted, to_lamp, limit)
    return np.asarray(strength * np.maximum(facing, 0) * free * (reach < 60), np.float32)
