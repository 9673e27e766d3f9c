"""Where things stand in a room: along the walls, in corners, on the floor, on the walls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.scenes import furniture, toys
from training.scenes import shell as parts
from training.scenes.builder import Builder, Rng
from training.scenes.geometry import Array
from training.scenes.looks import Looks
from training.scenes.shell import Plan
from training.scenes.trace import Surface

Maker = Callable[[Builder, Rng, Looks], float]


@dataclass(frozen=True)
class _Spot:
    """What is taken of the floor: a disc of the room's coordinates."""

    x: float
    z: float
    radius: float


def extent(surfaces: list[Surface]) -> tuple[Array, Array]:
    """The corners (3,) of the box about surfaces."""
    centre = np.concatenate([s.solid.centre for s in surfaces], axis=1)
    half = np.stack([s.solid.half for s in surfaces], axis=1)
    return (centre - half).min(axis=1), (centre + half).max(axis=1)


class Furnishing:
    """Collects what stands in a room, each thing where nothing stands yet."""

    def __init__(self, frame: Builder, plan: Plan, rng: Rng, looks: Looks) -> None:
        self.frame, self.plan, self.rng, self.looks = frame, plan, rng, looks
        self.surfaces: list[Surface] = []
        self.taken: list[_Spot] = []
        self.on_wall: list[tuple[str, float, float]] = []
        self.hung: list[tuple[str, float, float]] = []
        self.tall: list[tuple[str, float, float]] = []

    def local(self, p: Array) -> tuple[float, float]:
        """x and z of a point (3, 1) in the room's coordinates."""
        x, _, z = (self.frame.frame.turn.T @ (p - self.frame.place))[:, 0]
        return float(x), float(z)

    def keep_free(self, a: Array, c: Array, radius: float) -> None:
        """Let nothing stand about the way from a to c, points (3, 1)."""
        (x0, z0), (x1, z1) = self.local(a), self.local(c)
        self.taken += [
            _Spot(x0 + (x1 - x0) * s, z0 + (z1 - z0) * s, radius) for s in np.linspace(0, 1, 9)
        ]

    def free(self, x: float, z: float, radius: float) -> bool:
        """Whether a disc lies in the room and touches nothing."""
        inside = (
            abs(x) + radius < self.plan.width / 2 + 0.02
            and abs(z) + radius < self.plan.depth / 2 + 0.02
        )
        return inside and all(np.hypot(x - t.x, z - t.z) > radius + t.radius for t in self.taken)

    def thing(self, x: float, y: float, z: float, yaw: float) -> Builder:
        """A builder of a new thing at a place in the room."""
        return Builder(self.frame.point((x, y, z)), self.frame.yaw + yaw)

    def stand(self, maker: Maker, x: float, z: float, yaw: float) -> bool:
        """Build something on the floor where it has room, turned by yaw."""
        made = self.thing(x, 0.0, z, yaw)
        maker(made, self.rng, self.looks)
        low, high = extent(made.surfaces)
        radius = float(max(high[0] - low[0], high[2] - low[2])) / 2
        if not self.free(x, z, radius * 0.9):
            return False
        self.taken.append(_Spot(x, z, radius * 0.9))
        self.surfaces += made.surfaces
        return True

    def against(self, maker: Maker, wall: str, along: float, wide: float, deep: float) -> bool:
        """Build something with its back to a wall, `wide` along it and `deep`."""
        before_window = maker is furniture.shelf and _meets(self.tall, wall, along, wide)
        if before_window or _meets(self.on_wall, wall, along, wide):
            return False
        x, _, z = self.plan.at(wall, along, 0, -deep / 2 - 0.03)
        steps = np.linspace(-0.5, 0.5, max(1, round(wide / deep))) * max(0.0, wide - deep)
        inward = (1, 0) if wall in ("back", "front") else (0, 1)
        spots = [_Spot(x + s * inward[0], z + s * inward[1], deep / 2) for s in steps]
        if not all(self.free(s.x, s.z, s.radius) for s in spots):
            return False
        self.taken += spots
        self.on_wall.append((wall, along, wide))
        made = self.thing(x, 0.0, z, self.plan.yaw(wall))
        maker(made, self.rng, self.looks)
        self.surfaces += made.surfaces
        return True


def furnish(room: Furnishing) -> None:
    """Furniture along the walls, things in corners and on the floor, pictures."""
    rng, plan = room.rng, room.plan
    pieces: list[tuple[Maker, float, float]] = [
        (furniture.shelf, 0.95, 0.34),
        (furniture.cupboard, 1.45, 0.5),
        (furniture.sofa, 1.75, 0.95),
        (lambda b, r, k: furniture.table(b, r, k, 1.1, 0.6), 1.1, 0.64),
        (furniture.chair, 0.5, 0.5),
        (furniture.shelf, 0.95, 0.34),
        (furniture.bed, 2.1, 1.0),
    ]
    for k in rng.permutation(len(pieces))[: int(rng.integers(3, 7))]:
        maker, wide, deep = pieces[int(k)]
        for _ in range(4):
            wall = str(rng.choice(parts.WALLS, p=[0.55, 0.2, 0.2, 0.05]))
            reach = max(0.0, (plan.length(wall) - wide) / 2)
            if room.against(maker, wall, float(rng.uniform(-reach, reach)), wide, deep):
                break
    for maker in (
        toys.pot_plant,
        furniture.floor_lamp,
        furniture.chair,
        toys.ball,
        toys.teddy,
        toys.blocks,
    ):
        if rng.random() < 0.45:
            for _ in range(4):
                x = float(rng.uniform(-0.5, 0.5)) * (plan.width - 0.5)
                z = float(rng.uniform(-0.2, 0.5)) * (plan.depth - 0.5)
                if room.stand(maker, x, z, float(rng.uniform(-1, 1))):
                    break
    for wall in ("back", "left", "right"):
        length = plan.length(wall)
        along = float(rng.uniform(-0.5, 0.5)) * (length - 1.1)
        if rng.random() < 0.3 and not _meets(room.on_wall + room.hung, wall, along, 1.0):
            made = Builder(room.frame.place, room.frame.yaw)
            parts.door(made, rng, room.looks, plan, wall, along)
            room.surfaces += made.surfaces
            room.hung.append((wall, along, 1.0))
        for _ in range(int(rng.integers(0, 4))):
            along = float(rng.uniform(-0.5, 0.5)) * (length - 1.0)
            if not _meets(room.hung, wall, along, 0.95):
                made = Builder(room.frame.place, room.frame.yaw)
                up = float(rng.uniform(1.5, 1.75))
                parts.picture(made, rng, room.looks, plan, wall, along, up)
                room.surfaces += made.surfaces
                room.hung.append((wall, along, 0.95))


def _meets(spans: list[tuple[str, float, float]], wall: str, along: float, wide: float) -> bool:
    """Whether something on the wall lies where `wide` metres about `along` shall be."""
    return any(w == wall and abs(along - a) < (wide + t) / 2 for w, a, t in spans)
