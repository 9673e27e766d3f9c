"""The shell of a room: floor, walls, ceiling, windows with what hangs there, doors, skirting."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.scenes.builder import Builder, Point, Rng, glossy, scaled
from training.scenes.geometry import Array, cross, rotation, vector
from training.scenes.interior import Window
from training.scenes.looks import CREAM, Looks
from training.scenes.texture import Colour, Material
from training.scenes.trace import Surface

THICK = 0.2  # metres of a wall
WALLS = ("back", "left", "right", "front")  # the back wall is at +z in the room's coordinates


@dataclass(frozen=True)
class Opening:
    """A window's hole in a wall: its middle along the wall and in height, width and height."""

    wall: str
    along: float
    up: float
    width: float
    height: float


@dataclass(frozen=True)
class Plan:
    """A room of width × height × depth; its coordinates start at the middle of its floor."""

    width: float
    height: float
    depth: float

    def at(self, wall: str, along: float, up: float, out: float) -> Point:
        """A point `along` a wall from its middle, `up` from the floor, `out` of the room."""
        x, z = self.width / 2 + out, self.depth / 2 + out
        points = {
            "back": (along, z),
            "front": (along, -z),
            "left": (-x, along),
            "right": (x, along),
        }
        return points[wall][0], up, points[wall][1]

    def size(self, wall: str, along: float, up: float, through: float) -> Point:
        """Edges of a box that lies along a wall."""
        return (along, up, through) if wall in ("back", "front") else (through, up, along)

    def length(self, wall: str) -> float:
        """Length of a wall in metres."""
        return self.width if wall in ("back", "front") else self.depth

    @staticmethod
    def yaw(wall: str) -> float:
        """How what stands against the wall is turned to face the room."""
        return {"back": 0.0, "left": -np.pi / 2, "right": np.pi / 2, "front": np.pi}[wall]


def shell(b: Builder, rng: Rng, looks: Looks, plan: Plan, openings: list[Opening]) -> list[Surface]:
    """Floor, walls with their openings, ceiling; all of it surroundings that hide no sky."""
    w, h, d = plan.width, plan.height, plan.depth
    paper, feature = looks.wall(rng), looks.wall(rng)
    white = glossy(scaled(CREAM, float(rng.uniform(0.8, 1.15))), 3.0, 0.02, 0.6)
    b.box(looks.floor(rng), (0, -0.05, 0), (w + 0.5, 0.1, d + 0.5))
    b.box(white, (0, h + 0.05, 0), (w + 0.5, 0.1, d + 0.5))
    for wall in WALLS:
        matter = feature if wall == "back" and rng.random() < 0.4 else paper
        holes = [o for o in openings if o.wall == wall]
        _wall(b, matter, plan, wall, holes)
        if rng.random() < 0.8:
            size = plan.size(wall, plan.length(wall), 0.09, 0.016)
            b.box(white, plan.at(wall, 0, 0.045, -0.008), size)
    for opening in openings:
        _frame(b, white, plan, opening)
    return [replace(s, encloses=False, thing=0) for s in b.surfaces]


def _wall(b: Builder, matter: Material, plan: Plan, wall: str, holes: list[Opening]) -> None:
    """A wall around its openings, which do not overlap."""
    left = -plan.length(wall) / 2 - THICK
    end, height = -left, plan.height + 0.1

    def piece(a: float, c: float, low: float, high: float) -> None:
        if c > a and high > low:
            at = plan.at(wall, (a + c) / 2, (low + high) / 2, THICK / 2)
            b.box(matter, at, plan.size(wall, c - a, high - low, THICK))

    for hole in sorted(holes, key=lambda o: o.along):
        a, c = hole.along - hole.width / 2, hole.along + hole.width / 2
        piece(left, a, 0, height)
        piece(a, c, 0, hole.up - hole.height / 2)
        piece(a, c, hole.up + hole.height / 2, height)
        left = c
    piece(left, end, 0, height)


def _frame(b: Builder, white: Material, plan: Plan, o: Opening) -> None:
    """The window's frame with a bar or two, and its sill."""

    def bar(along: float, up: float, wide: float, tall: float, out: float = 0.1) -> None:
        at = plan.at(o.wall, o.along + along, o.up + up, out)
        b.box(white, at, plan.size(o.wall, wide, tall, 0.05))

    for side in (-1, 1):
        bar(side * (o.width / 2 - 0.025), 0, 0.05, o.height)
        bar(0, side * (o.height / 2 - 0.025), o.width, 0.05)
    bar(0, 0, 0.045, o.height)
    if o.height > 1.2:
        bar(0, o.height * 0.15, o.width, 0.035)
    sill = plan.at(o.wall, o.along, o.up - o.height / 2 - 0.015, -0.04)
    b.box(white, sill, plan.size(o.wall, o.width + 0.12, 0.03, 0.32))


def window(b: Builder, plan: Plan, opening: Opening, sky: Colour) -> Window:
    """The light that comes through an opening."""
    outwards = np.subtract(plan.at(opening.wall, 0, 0, 1), plan.at(opening.wall, 0, 0, 0))
    up = vector(0, 1, 0)
    out: Array = rotation(b.yaw) @ vector(*(float(v) for v in outwards))
    across = cross(up, out)
    centre = b.point(plan.at(opening.wall, opening.along, opening.up, 0.03))
    half = np.float32(opening.width / 2), np.float32(opening.height / 2)
    return Window(centre, across * half[0], up * half[1], sky)


def curtains(b: Builder, rng: Rng, looks: Looks, plan: Plan, o: Opening) -> None:
    """Drawn back curtains of folded cloth to both sides of a window."""
    cloth, rail = looks.cloth(rng), glossy((0.2, 0.17, 0.14), 2.0)
    top = min(o.up + o.height / 2 + 0.12, plan.height - 0.04)
    foot = 0.02 if rng.random() < 0.6 else o.up - o.height / 2 - 0.12
    wide = float(rng.uniform(0.14, 0.3))
    for side in (-1, 1):
        for k in range(6):
            along = o.along + side * (o.width / 2 - 0.05 + wide * (k / 5 - 0.15))
            out = -0.085 - 0.02 * (k % 2)
            a, c = plan.at(o.wall, along, foot + 0.03, out), plan.at(o.wall, along, top, out)
            b.limb(cloth, a, c, 0.032)
    reach = o.width / 2 + wide + 0.1
    a, c = (plan.at(o.wall, o.along + s * reach, top + 0.01, -0.09) for s in (-1, 1))
    b.limb(rail, a, c, 0.014)


def door(b: Builder, rng: Rng, looks: Looks, plan: Plan, wall: str, along: float) -> None:
    """A closed door with its frame and handle."""
    leaf, frame = looks.finish(rng), glossy(scaled(CREAM, 1.1), 2.0)
    b.box(frame, plan.at(wall, along, 1.03, 0.0), plan.size(wall, 0.96, 2.06, 0.05))
    b.box(leaf, plan.at(wall, along, 1.0, 0.0), plan.size(wall, 0.82, 2.0, 0.06))
    for up, tall in ((0.5, 0.7), (1.45, 0.85)):
        b.box(leaf, plan.at(wall, along, up, -0.03), plan.size(wall, 0.56, tall, 0.012))
    metal = Material(frame.albedo, gloss=0.3, roughness=0.3)
    b.ball(metal, plan.at(wall, along + 0.33, 1.02, -0.07), 0.028)


def picture(
    b: Builder, rng: Rng, looks: Looks, plan: Plan, wall: str, along: float, up: float
) -> None:
    """A framed picture or a poster on a wall."""
    tall, wide = float(rng.uniform(0.3, 0.8)), float(rng.uniform(0.3, 0.9))
    edge = 0.03 if rng.random() < 0.7 else 0.0
    hung = Builder(b.point(plan.at(wall, along, up, 0.0)), b.yaw + plan.yaw(wall), thing=b.thing)
    if edge:
        frame = looks.finish(rng)
        hung.box(frame, (0, 0, -0.012), (wide + 2 * edge, tall + 2 * edge, 0.024))
    hung.box(looks.picture(rng, wide, tall), (0, 0, -0.015), (wide, tall, 0.022))
    b.surfaces += hung.surfaces
