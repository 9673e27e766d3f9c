"""Put shapes together in the coordinates of the thing they belong to."""

from __future__ import annotations

import colorsys
import itertools
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from training.scenes.geometry import (
    Array,
    Blade,
    Box,
    Capsule,
    Ellipsoid,
    Frustum,
    Shape,
    rotation,
    vector,
)
from training.scenes.texture import Colour, Material, fractal, speckle
from training.scenes.trace import Frame, Gaps, Surface

Point = tuple[float, float, float]
Rng = np.random.Generator


_things = itertools.count(1)


@dataclass
class Builder:
    """Collects the surfaces of one thing that stands at `place`, turned by `yaw` radians.

    Its own coordinates have their origin on the ground below it, y up and its front towards -z.
    `thing` is the number by which what it builds is known apart from other things.
    """

    place: Array
    yaw: float = 0.0
    main: bool = False
    surfaces: list[Surface] = field(default_factory=list)
    thing: int = field(default_factory=_things.__next__)

    @cached_property
    def frame(self) -> Frame:
        """The thing's own coordinates."""
        return Frame(self.place, rotation(self.yaw))

    def point(self, p: Point) -> Array:
        """A point of the thing in the world, (3, 1)."""
        return np.asarray(self.place + self.frame.turn @ vector(*p), np.float32)

    def _put(
        self,
        shape: Shape,
        material: Material,
        frame: Frame,
        gaps: Gaps | None = None,
        encloses: bool = True,
    ) -> None:
        surface = Surface(shape, material, self.main, frame, gaps, encloses, self.thing)
        self.surfaces.append(surface)

    def add(self, shape: Shape, material: Material, gaps: Gaps | None = None) -> None:
        """Add a shape that is already in the world."""
        self._put(shape, material, self.frame, gaps)

    def ellipsoid(
        self,
        material: Material,
        at: Point,
        size: Point,
        turn: Point = (0, 0, 0),
        gaps: Gaps | None = None,
    ) -> None:
        """Semi-axes `size`, turned by (yaw, pitch, roll)."""
        self.add(Ellipsoid(self.point(at), size, self.frame.turn @ rotation(*turn)), material, gaps)

    def ball(self, material: Material, at: Point, radius: float) -> None:
        """A sphere."""
        self.ellipsoid(material, at, (radius, radius, radius))

    def box(
        self,
        material: Material,
        at: Point,
        size: Point,
        turn: Point = (0, 0, 0),
        own: bool = False,
    ) -> None:
        """Full edges `size`, turned by (yaw, pitch, roll).

        A turned piece carries its texture with it (planks, tiles), any other only if it has its
        `own`, which then starts at its middle.
        """
        half = (size[0] / 2, size[1] / 2, size[2] / 2)
        shape = Box(self.point(at), half, self.frame.turn @ rotation(*turn))
        frame = Frame(shape.centre, shape.turn) if own or any(turn) else self.frame
        self._put(shape, material, frame)

    def frustum(self, material: Material, a: Point, b: Point, bottom: float, top: float) -> None:
        """A cylinder or cone from a to b."""
        self.add(Frustum(self.point(a), self.point(b), bottom, top), material)

    def limb(self, material: Material, a: Point, b: Point, thickness: float) -> None:
        """A capsule from a to b."""
        self.add(Capsule(self.point(a), self.point(b), thickness), material)

    def foliage(
        self,
        rng: Rng,
        material: Material,
        at: Point,
        size: Point,
        leaf: float,
        count: int,
    ) -> None:
        """A leafy ellipsoid: a core with gaps and `count` leaves on it, each `leaf` metres long."""
        core = (size[0] * 0.88, size[1] * 0.88, size[2] * 0.88)
        self.ellipsoid(material, at, core, gaps=leaves(leaf * 1.4, float(rng.uniform(0, 60))))
        for _ in range(count):
            out = rng.standard_normal(3)
            out /= np.linalg.norm(out)
            side, tip = rng.standard_normal((2, 3)) * leaf * np.array([[0.3], [0.55]])
            stem = np.array(at) + out * np.array(size) * rng.uniform(0.82, 1.0)
            tip = stem + tip + out * leaf * 0.45
            a, b, c = (
                self.point((float(p[0]), float(p[1]), float(p[2])))
                for p in (stem - side, stem + side, tip)
            )
            shape = Blade(a, b, c, self.frame.turn @ np.array(out, np.float32)[:, None])
            self._put(shape, material, self.frame, encloses=False)


def seed_of(rng: Rng) -> float:
    """A random place in the noise."""
    return float(rng.uniform(0, 60))


def paint(rng: Rng, saturation: float = 0.75, value: float = 0.6) -> Colour:
    """A random saturated albedo whose strongest channel is `value`."""
    return colorsys.hsv_to_rgb(rng.random(), saturation * rng.uniform(0.8, 1.1), value)


def scaled(colour: Colour, factor: float) -> Colour:
    """A lighter or darker version of an albedo, kept below 0.88."""
    r, g, b = (min(c * factor, 0.88) for c in colour)
    return r, g, b


def matt(colour: Colour, scale: float, seed: float, contrast: float = 0.45) -> Material:
    """Rough matter around one colour."""
    dark, light = scaled(colour, 1 - contrast), scaled(colour, 1 + contrast)
    return Material(speckle(dark, light, scale, seed), fractal(scale / 3, 2, seed + 3), scale / 14)


def glossy(colour: Colour, seed: float, gloss: float = 0.05, roughness: float = 0.3) -> Material:
    """Painted or glazed matter, faintly uneven."""
    dark, light = scaled(colour, 0.85), scaled(colour, 1.12)
    return Material(speckle(dark, light, 0.25, seed), gloss=gloss, roughness=roughness)


def leaves(size: float, seed: float, density: float = 0.55) -> Gaps:
    """Gaps between leaves."""
    return Gaps(fractal(size, 3, seed, 0.7), 0.755 - 0.5 * density)
