"""People of all ages, standing, walking, sitting: each function returns the height in metres.

They face -z. One body serves the living, in an outfit, and statues, all of one matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.scenes.beings import BLACK
from training.scenes.builder import Builder, Point, Rng, glossy, matt, scaled
from training.scenes.looks import Looks
from training.scenes.texture import Material


@dataclass(frozen=True)
class Outfit:
    """What a figure is made of; `skirt` in place of trousers, `long` hair, a hat."""

    skin: Material
    hair: Material
    top: Material
    legs: Material
    shoes: Material
    eyes: Material
    skirt: bool = False
    long: bool = False
    hat: Material | None = None
    sleeves: bool = True

    @classmethod
    def drawn(cls, rng: Rng, looks: Looks) -> Outfit:
        """Someone's clothes and colours."""
        hair = scaled((0.16, 0.1, 0.06), float(rng.choice([0.2, 0.5, 1.2, 2.6, 4.0])))
        top = looks.cloth(rng)
        return cls(
            skin=looks.skin(rng),
            hair=matt(hair, 0.02, 9),
            top=top,
            legs=top if rng.random() < 0.15 else looks.cloth(rng),
            shoes=glossy(BLACK, 2.0) if rng.random() < 0.5 else looks.finish(rng),
            eyes=glossy(BLACK, 1.0),
            skirt=bool(rng.random() < 0.3),
            long=bool(rng.random() < 0.45),
            hat=looks.cloth(rng) if rng.random() < 0.2 else None,
            sleeves=bool(rng.random() < 0.7),
        )

    @classmethod
    def of_one(cls, matter: Material, rng: Rng) -> Outfit:
        """A statue's."""
        skirt, long = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        return cls(matter, matter, matter, matter, matter, matter, skirt, long)


class _Body:
    """Puts the parts of a body on a builder, all sizes times `k`, moved up by `up` metres."""

    def __init__(self, b: Builder, outfit: Outfit, k: float, up: float) -> None:
        self.b, self.of, self.k, self.up = b, outfit, k, up

    def at(self, p: Point) -> Point:
        return (p[0] * self.k, p[1] * self.k + self.up, p[2] * self.k)

    def limb(self, material: Material, points: Sequence[Point], radii: Sequence[float]) -> None:
        """Frusta and balls from point to point, each point with its radius."""
        for k, (p, r) in enumerate(zip(points, radii, strict=True)):
            self.b.ball(material, self.at(p), r * self.k)
            if k:
                a, s = points[k - 1], radii[k - 1]
                self.b.frustum(material, self.at(a), self.at(p), s * self.k, r * self.k)

    def lump(self, material: Material, at: Point, size: Point, turn: Point = (0, 0, 0)) -> None:
        sized = (size[0] * self.k, size[1] * self.k, size[2] * self.k)
        self.b.ellipsoid(material, self.at(at), sized, turn)

    def head(self, y: float, z: float, turn: float) -> None:
        """A head whose middle is at height y; it looks `turn` radians aside."""
        middle = self.b.point(self.at((0, 0, z)))
        b = Builder(middle, self.b.yaw + turn, self.b.main, self.b.surfaces, self.b.thing)
        on, of = _Body(b, self.of, self.k, 0.0), self.of
        on.lump(of.skin, (0, y, 0), (0.08, 0.115, 0.098))
        on.lump(of.skin, (0, y - 0.05, -0.03), (0.058, 0.062, 0.062))
        on.lump(of.skin, (0, y - 0.01, -0.1), (0.014, 0.024, 0.02))
        on.lump(of.hair, (0, y + 0.042, 0.022), (0.09, 0.088, 0.096))
        for x in (-0.032, 0.032):
            on.lump(of.eyes, (x, y + 0.012, -0.086), (0.013, 0.008, 0.01))
            on.lump(of.hair, (x, y + 0.034, -0.088), (0.02, 0.005, 0.012))
            on.lump(of.skin, (x * 2.5, y - 0.01, 0.005), (0.014, 0.028, 0.02))
        mouth = of.skin if of.skin is of.hair else matt((0.32, 0.12, 0.1), 0.02, 3)
        on.lump(mouth, (0, y - 0.056, -0.088), (0.025, 0.006, 0.008))
        if of.long:
            on.lump(of.hair, (0, y - 0.05, 0.05), (0.1, 0.15, 0.07))
            for x in (-0.078, 0.078):
                on.lump(of.hair, (x, y - 0.06, 0.0), (0.026, 0.13, 0.05))
        if of.hat is not None:
            brim, crown = on.at((0, y + 0.055, 0)), on.at((0, y + 0.17, 0.01))
            b.frustum(of.hat, brim, on.at((0, y + 0.067, 0)), 0.17 * self.k, 0.165 * self.k)
            b.frustum(of.hat, brim, crown, 0.105 * self.k, 0.085 * self.k)

    def trunk(self, hip: float, z: float) -> None:
        """From the hips at height `hip` to the neck."""
        of = self.of
        self.lump(of.legs, (0, hip, z), (0.17, 0.12, 0.125))
        self.lump(of.top, (0, hip + 0.22, z), (0.172, 0.34, 0.122))
        self.lump(of.top, (0, hip + 0.38, z - 0.005), (0.19, 0.17, 0.125))
        self.limb(of.top, [(-0.16, hip + 0.49, z), (0.16, hip + 0.49, z)], [0.062, 0.062])
        self.limb(of.skin, [(0, hip + 0.52, z), (0, hip + 0.63, z - 0.01)], [0.058, 0.05])

    def arm(self, shoulder: Point, elbow: Point, hand: Point) -> None:
        of = self.of
        low = of.top if of.sleeves else of.skin
        self.limb(of.top, [shoulder, elbow], [0.058, 0.045])
        self.limb(low, [elbow, hand], [0.044, 0.032])
        reach = [h - e for h, e in zip(hand, elbow, strict=True)]
        tip = tuple(h + 0.28 * r for h, r in zip(hand, reach, strict=True))
        self.limb(of.skin, [hand, (tip[0], tip[1], tip[2])], [0.032, 0.026])

    def leg(self, hip: Point, knee: Point, ankle: Point) -> None:
        of = self.of
        cloth = of.skin if of.skirt else of.legs
        self.limb(cloth, [hip, knee, ankle], [0.09, 0.062, 0.045])
        self.lump(of.shoes, (ankle[0], ankle[1] - 0.035, ankle[2] - 0.055), (0.048, 0.045, 0.125))


def _arms(body: _Body, rng: Rng, hip: float, z: float) -> None:
    """Both arms of someone who stands, each hanging, akimbo, bent forward or raised."""
    y = hip + 0.48
    for side in (-1, 1):
        shoulder = (side * 0.195, y, z)
        kind = rng.random()
        if kind < 0.5:
            out, ahead = float(rng.uniform(0.02, 0.1)), float(rng.uniform(-0.12, 0.06))
            elbow = (side * (0.215 + out), y - 0.28, z + ahead / 3)
            hand = (side * (0.2 + out), y - 0.52, z + ahead - 0.06)
        elif kind < 0.7:
            elbow, hand = (side * 0.4, y - 0.22, z + 0.08), (side * 0.21, y - 0.4, z - 0.06)
        elif kind < 0.88:
            elbow, hand = (side * 0.25, y - 0.27, z), (side * 0.15, y - 0.22, z - 0.25)
        else:
            elbow, hand = (side * 0.36, y + 0.12, z), (side * 0.38, y + 0.38, z - 0.05)
        body.arm(shoulder, elbow, hand)


def standing(b: Builder, rng: Rng, of: Outfit, k: float = 1.0, up: float = 0.0) -> float:
    """Someone who stands or walks; `k` times as tall as a man, on something `up` metres high."""
    body, hip = _Body(b, of, k, up), 0.9
    stride = float(rng.uniform(0.15, 0.32)) if rng.random() < 0.4 else 0.02
    for side in (-1, 1):
        ahead = side * stride
        lift = 0.03 if stride > 0.1 and side > 0 else 0.0
        knee = (side * 0.1, 0.49, -ahead * 0.45 - 0.02)
        body.leg((side * 0.085, hip - 0.03, 0), knee, (side * 0.105, 0.085 + lift, -ahead + 0.03))
    if of.skirt:
        hem = float(rng.uniform(0.25, 0.6))
        b.frustum(of.legs, body.at((0, hem, 0)), body.at((0, hip + 0.08, 0)), 0.3 * k, 0.15 * k)
    body.trunk(hip, 0.0)
    _arms(body, rng, hip, 0.0)
    body.head(hip + 0.74, -0.02, float(rng.uniform(-0.6, 0.6)))
    return 1.76 * k + up


def sitting(b: Builder, rng: Rng, of: Outfit, seat: float, k: float = 1.0) -> float:
    """Someone who sits on a seat `seat` metres high; the feet reach the ground or hang."""
    body = _Body(b, of, k, seat)
    hip, foot = 0.1, max(0.085, 0.085 + seat / k - 0.46) - seat / k
    for side in (-1, 1):
        out = float(rng.uniform(0.07, 0.16))
        knee = (side * (0.04 + out), 0.09, -0.42)
        body.leg((side * 0.085, hip, 0), knee, (side * (0.04 + out), foot, -0.42))
    if of.skirt:
        body.lump(of.legs, (0, 0.09, -0.2), (0.21, 0.1, 0.27))
    body.trunk(hip, 0.02)
    y = hip + 0.48
    for side in (-1, 1):
        elbow = (side * 0.25, y - 0.27, 0.0)
        body.arm((side * 0.195, y, 0.02), elbow, (side * 0.13, y - 0.3, -0.24))
    body.head(hip + 0.74, 0.0, float(rng.uniform(-0.6, 0.6)))
    return seat + (hip + 0.87) * k


def head_and_shoulders(b: Builder, rng: Rng, of: Outfit, k: float = 1.0, up: float = 0.0) -> float:
    """A bust: what sculptors show of a man."""
    body = _Body(b, of, k, up)
    body.lump(of.top, (0, 0.12, 0), (0.2, 0.16, 0.12))
    body.lump(of.top, (0, 0.2, 0.0), (0.235, 0.09, 0.11))
    body.limb(of.skin, [(0, 0.22, 0), (0, 0.37, -0.01)], [0.062, 0.055])
    body.head(0.47, -0.02, float(rng.uniform(-0.5, 0.5)))
    return up + 0.6 * k
