"""Grass, shrubs and trees."""

from __future__ import annotations

import numpy as np

from training.scenes.builder import Builder, Rng, scaled, seed_of
from training.scenes.geometry import Blade, unit, vector
from training.scenes.terrain import Ground
from training.scenes.texture import (
    Colour,
    Material,
    blend,
    fractal,
    ramp,
    speckle,
    stretched,
    tinted,
)
from training.scenes.trace import Surface


def grass(rng: Rng) -> Material:
    """A lawn with paler and browner patches."""
    tone = float(rng.uniform(0.8, 1.3))
    green = speckle(
        scaled((0.022, 0.05, 0.012), tone),
        scaled((0.15, 0.24, 0.05), tone),
        0.06,
        seed_of(rng),
        4,
        1.0,
    )
    straw = speckle((0.08, 0.07, 0.03), (0.34, 0.29, 0.13), 0.06, seed_of(rng), 4, 1.0)
    mixed = blend(green, straw, ramp(fractal(2.5, 6, seed_of(rng), 0.75), 0.38, 0.8))
    return Material(
        tinted(mixed, 6.0, seed_of(rng), 0.25), fractal(0.05, 3, seed_of(rng), 0.7), 0.012
    )


def tree(
    rng: Rng, x: float, z: float, height: float, conifer: bool = False, leafy: int = 14
) -> list[Surface]:
    """A tree: a trunk, some limbs, and a crown of leafy ellipsoids."""
    b = Builder(vector(x, 0, z), float(rng.uniform(0, 6.3)))
    bark = Material(
        stretched(
            speckle((0.05, 0.04, 0.03), (0.27, 0.21, 0.15), 0.06, seed_of(rng), 5, 0.7), 1, 6, 1
        ),
        fractal(0.08, 3, 2),
        0.03,
    )
    tone, warm = float(rng.uniform(0.75, 1.4)), float(rng.uniform(0.6, 1.5))
    dark, light = scaled((0.025 * warm, 0.055, 0.014), tone), scaled((0.12 * warm, 0.2, 0.05), tone)
    size = height / 9
    material = Material(
        speckle(dark, light, 0.3 * size, seed_of(rng), 4, 0.75),
        fractal(0.25 * size, 3, 5, 0.7),
        0.14 * size,
    )
    trunk = height * 0.04
    b.frustum(bark, (0, 0, 0), (0, height * 0.62, 0), trunk, trunk * 0.5)
    if conifer:
        for k in range(6):
            y = height * (0.16 + 0.13 * k)
            r = height * 0.23 * (1 - k / 6.6)
            b.foliage(rng, material, (0, y, 0), (r, height * 0.1, r), 0.045 * height, leafy + 2)
        b.frustum(material, (0, height * 0.8, 0), (0, height, 0), height * 0.05, 0.01)
        return b.surfaces
    for _ in range(10):
        angle, out = rng.uniform(0, 6.3), height * 0.2 * np.sqrt(rng.random())
        r = height * float(rng.uniform(0.12, 0.19))
        at = (
            float(out * np.cos(angle)),
            height * float(rng.uniform(0.5, 0.86)),
            float(out * np.sin(angle)),
        )
        b.foliage(rng, material, at, (r, r * 0.8, r), 0.035 * height, leafy)
    for _ in range(3):
        angle = rng.uniform(0, 6.3)
        tip = (
            0.17 * height * float(np.cos(angle)),
            0.6 * height,
            0.17 * height * float(np.sin(angle)),
        )
        b.limb(bark, (0, height * 0.34, 0), tip, trunk * 0.35)
    return b.surfaces


def trunks(rng: Rng, x: float, z: float) -> list[Surface]:
    """A tall bare trunk whose crown is out of the picture."""
    b = Builder(vector(x, 0, z), float(rng.uniform(0, 6.3)))
    bark = Material(
        stretched(
            speckle(
                (0.05, 0.04, 0.03),
                scaled((0.28, 0.22, 0.15), float(rng.uniform(0.6, 1.6))),
                0.06,
                seed_of(rng),
                5,
                0.75,
            ),
            1,
            7,
            1,
        ),
        fractal(0.07, 3, 2),
        0.03,
    )
    r = float(rng.uniform(0.1, 0.3))
    lean = rng.uniform(-0.9, 0.9, 2)
    b.frustum(bark, (0, -0.1, 0), (float(lean[0]), 11, float(lean[1])), r, r * 0.6)
    b.frustum(bark, (0, -0.1, 0), (0, 0.5, 0), r * 1.6, r * 0.98)
    return b.surfaces


def bush(rng: Rng, x: float, z: float, size: float, leafy: int = 20) -> list[Surface]:
    """A shrub of leafy ellipsoids."""
    b = Builder(vector(x, 0, z), float(rng.uniform(0, 6.3)))
    tone = float(rng.uniform(0.7, 1.5))
    material = Material(
        speckle(
            scaled((0.025, 0.05, 0.015), tone),
            scaled((0.13, 0.21, 0.06), tone),
            0.09,
            seed_of(rng),
            4,
            0.8,
        ),
        fractal(0.08, 3, 5, 0.7),
        0.05,
    )
    for _ in range(6):
        dx, dz = rng.uniform(-0.5, 0.5, 2) * size
        r = size * float(rng.uniform(0.3, 0.45))
        y = size * float(rng.uniform(0.25, 0.6))
        b.foliage(rng, material, (float(dx), y, float(dz)), (r, r, r), 0.12, leafy)
    return b.surfaces


def blades(
    rng: Rng,
    count: int,
    near: float,
    far: float,
    spread: float,
    height: float,
    shape: Ground | None = None,
) -> list[Surface]:
    """Blades of grass strewn over the floor; `spread` is the half width per metre of distance."""
    floor = shape or Ground()
    tones = []
    for _ in range(8):
        dry = rng.random() < 0.25
        colour: Colour = (0.3, 0.25, 0.11) if dry else (0.09, 0.17, 0.035)
        colour = scaled(colour, float(rng.uniform(0.6, 1.5)))
        tones.append(
            Material(speckle(scaled(colour, 0.6), scaled(colour, 1.2), 0.03, seed_of(rng), 2))
        )
    out = []
    for _ in range(count):
        z = near * (far / near) ** float(rng.random())
        x = float(rng.uniform(-spread, spread)) * z
        y = floor.height_at(x, z)
        tall = height * float(rng.uniform(0.4, 1.25))
        lean = rng.uniform(-0.45, 0.45, 2) * tall
        half = 0.0035 + 0.003 * float(rng.random())
        shape_of_blade = Blade(
            vector(x - half, y - 0.01, z),
            vector(x + half, y - 0.01, z),
            vector(x + float(lean[0]), y + tall, z + float(lean[1])),
            unit(vector(float(lean[0]) * 2, 1.0, float(lean[1]) * 2)),
        )
        out.append(Surface(shape_of_blade, tones[int(rng.integers(8))], encloses=False))
    return out
