"""Statues and monuments: each function builds one and returns its height in metres."""

from __future__ import annotations

from training.scenes.builder import Builder, Rng, matt, scaled, seed_of
from training.scenes.looks import Looks
from training.scenes.people import Outfit, head_and_shoulders, sitting, standing
from training.scenes.texture import Material, bricks, fractal, speckle, tinted


def _matter(rng: Rng) -> Material:
    """Stone, bronze or verdigris."""
    kind = rng.random()
    if kind < 0.6:
        stone = scaled((0.52, 0.49, 0.44), float(rng.uniform(0.4, 1.35)))
        return matt(stone, 0.12, seed_of(rng), 0.2)
    dark, light = ((0.05, 0.035, 0.02), (0.16, 0.11, 0.07))
    if kind < 0.8:
        dark, light = (0.05, 0.1, 0.08), (0.2, 0.33, 0.27)
    return Material(speckle(dark, light, 0.15, seed_of(rng)), gloss=0.1, roughness=0.45)


def _plinth(b: Builder, rng: Rng, side: float, height: float) -> None:
    """A base of masonry or of one stone, with a foot and a cornice."""
    tone = float(rng.uniform(0.5, 1.3))
    if rng.random() < 0.5:
        grey, other = scaled((0.35, 0.33, 0.3), tone), scaled((0.42, 0.4, 0.37), tone)
        albedo = bricks(grey, other, scaled(grey, 0.5), 0.9, 0.3)
        stone = Material(tinted(albedo, 0.3, seed_of(rng)), fractal(0.05, 3, 2), 0.002)
    else:
        stone = matt(scaled((0.4, 0.38, 0.35), tone), 0.1, seed_of(rng), 0.15)
    b.box(stone, (0, 0.06, 0), (side * 1.35, 0.12, side * 1.35))
    b.box(stone, (0, height / 2, 0), (side, height, side))
    b.box(stone, (0, height - 0.04, 0), (side * 1.15, 0.08, side * 1.15))


def standing_statue(b: Builder, rng: Rng, looks: Looks) -> float:
    """A figure on a plinth."""
    k, height = float(rng.uniform(0.7, 1.15)), float(rng.uniform(0.5, 1.2))
    _plinth(b, rng, 0.62 * k, height)
    return standing(b, rng, Outfit.of_one(_matter(rng), rng), k, height)


def sitting_statue(b: Builder, rng: Rng, looks: Looks) -> float:
    """A figure that sits on a block."""
    matter, height = _matter(rng), float(rng.uniform(0.5, 0.9))
    b.box(matter, (0, height / 2, 0.05), (0.55, height, 0.42))
    b.box(matter, (0, 0.05, -0.2), (0.75, 0.1, 1.0))
    return sitting(b, rng, Outfit.of_one(matter, rng), height)


def portrait(b: Builder, rng: Rng, looks: Looks) -> float:
    """A bust on a pillar."""
    height = float(rng.uniform(0.8, 1.3))
    _plinth(b, rng, 0.36, height)
    return head_and_shoulders(b, rng, Outfit.of_one(_matter(rng), rng), 1.1, height)


def small_bust(b: Builder, rng: Rng, looks: Looks) -> float:
    """A bust for a table or a mantelpiece."""
    matter = _matter(rng)
    k = float(rng.uniform(0.4, 0.65))
    b.frustum(matter, (0, 0, 0), (0, 0.1 * k, 0), 0.11 * k, 0.08 * k)
    return head_and_shoulders(b, rng, Outfit.of_one(matter, rng), k, 0.06 * k)


def lion(b: Builder, rng: Rng, looks: Looks) -> float:
    """A lion that lies on a plinth."""
    matter, y = _matter(rng), float(rng.uniform(0.5, 0.9))
    _plinth(b, rng, 1.0, y)
    b.ellipsoid(matter, (0.15, y + 0.2, 0), (0.42, 0.2, 0.2))
    b.ellipsoid(matter, (0.38, y + 0.19, 0), (0.2, 0.2, 0.22))
    b.ellipsoid(matter, (-0.2, y + 0.42, 0), (0.24, 0.27, 0.22), (0, 0, 0.4))
    b.ellipsoid(matter, (-0.36, y + 0.5, 0), (0.14, 0.15, 0.14))
    b.ellipsoid(matter, (-0.48, y + 0.46, 0), (0.085, 0.075, 0.08))
    for z in (-0.12, 0.12):
        b.limb(matter, (-0.15, y + 0.1, z), (-0.48, y + 0.06, z), 0.06)
        b.ellipsoid(matter, (0.3, y + 0.12, z * 1.7), (0.2, 0.12, 0.07))
        b.limb(matter, (0.2, y + 0.05, z * 1.9), (0.02, y + 0.05, z * 1.9), 0.05)
        b.ball(matter, (-0.34, y + 0.64, z), 0.045)
    b.limb(matter, (0.56, y + 0.1, 0.05), (0.42, y + 0.05, -0.28), 0.03)
    return y + 0.7


def obelisk(b: Builder, rng: Rng, looks: Looks) -> float:
    """A pointed pillar or an urn on one."""
    matter, y = _matter(rng), float(rng.uniform(0.6, 1.1))
    _plinth(b, rng, 0.6, y)
    if rng.random() < 0.5:
        b.frustum(matter, (0, y, 0), (0, y + 1.6, 0), 0.21, 0.13)
        b.frustum(matter, (0, y + 1.6, 0), (0, y + 1.78, 0), 0.13, 0.005)
        return y + 1.78
    b.frustum(matter, (0, y, 0), (0, y + 0.1, 0), 0.18, 0.08)
    b.frustum(matter, (0, y + 0.1, 0), (0, y + 0.45, 0), 0.1, 0.27)
    b.ellipsoid(matter, (0, y + 0.45, 0), (0.27, 0.12, 0.27))
    b.frustum(matter, (0, y + 0.54, 0), (0, y + 0.6, 0), 0.22, 0.29)
    return y + 0.6
