"""Main objects: each function builds one at its builder's origin and returns its height."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from training.scenes.beings import fox, grazer, owl, person
from training.scenes.builder import Builder, Rng, glossy, matt, paint, scaled, seed_of
from training.scenes.texture import (
    Colour,
    Material,
    bands,
    blend,
    bricks,
    fractal,
    plain,
    speckle,
    tinted,
    wood,
)

Maker = Callable[[Builder, Rng], float]

SKIN: Colour = (0.52, 0.33, 0.24)
BLACK: Colour = (0.035, 0.033, 0.035)
WHITE: Colour = (0.72, 0.70, 0.66)


def telephone_box(b: Builder, rng: Rng) -> float:
    """A kiosk of painted iron with glazed sides and a domed roof."""
    colour: Colour = (0.5, 0.022, 0.02) if rng.random() < 0.7 else (0.03, 0.12, 0.3)
    iron, glass = (
        glossy(colour, seed_of(rng), 0.05, 0.25),
        Material(
            tinted(speckle((0.05, 0.06, 0.06), (0.13, 0.15, 0.15), 0.5, 3), 0.7, 5),
            gloss=0.06,
            roughness=0.12,
        ),
    )
    sign, stone = Material(plain((0.8, 0.78, 0.7))), matt((0.3, 0.28, 0.26), 0.05, 5)
    b.box(stone, (0, 0.05, 0), (1.02, 0.1, 1.02))
    b.box(glass, (0, 1.15, 0), (0.82, 2.0, 0.82))
    b.box(iron, (0, 0.22, 0), (0.9, 0.28, 0.9))
    for x in (-0.41, 0.41):
        for z in (-0.41, 0.41):
            b.box(iron, (x, 1.17, z), (0.1, 2.1, 0.1))
    for row in range(1, 7):
        b.box(iron, (0, 0.36 + row * 0.238, 0), (0.85, 0.03, 0.85))
    for x in (-0.13, 0.13):
        b.box(iron, (x, 1.1, 0), (0.028, 1.6, 0.856))
        b.box(iron, (0, 1.1, x), (0.856, 1.6, 0.028))
    b.box(iron, (0, 2.08, 0), (0.94, 0.28, 0.94))
    b.box(sign, (0, 2.09, 0), (0.66, 0.13, 0.955))
    b.box(sign, (0, 2.09, 0), (0.955, 0.13, 0.66))
    b.box(iron, (0, 2.25, 0), (1.0, 0.06, 1.0))
    b.ellipsoid(iron, (0, 2.27, 0), (0.46, 0.17, 0.46))
    return 2.44


def barrel(b: Builder, rng: Rng) -> float:
    """A wooden barrel with iron hoops."""
    light = scaled((0.4, 0.24, 0.12), float(rng.uniform(0.7, 1.4)))
    staves = Material(wood(scaled(light, 0.4), light, 0.085), fractal(0.02, 2, 3), 0.002)
    iron = Material(
        speckle((0.06, 0.055, 0.05), (0.2, 0.15, 0.11), 0.05, 4), gloss=0.15, roughness=0.45
    )
    levels = [
        (0.0, 0.29),
        (0.14, 0.335),
        (0.3, 0.365),
        (0.45, 0.375),
        (0.6, 0.365),
        (0.76, 0.335),
        (0.9, 0.29),
    ]
    for (y0, r0), (y1, r1) in pairwise(levels):
        b.frustum(staves, (0, y0, 0), (0, y1, 0), r0, r1)
    for y, r in ((0.03, 0.305), (0.2, 0.356), (0.65, 0.362), (0.82, 0.32)):
        b.frustum(iron, (0, y, 0), (0, y + 0.05, 0), r, r)
    return 0.9


def vase(b: Builder, rng: Rng) -> float:
    """A big glazed vase of revolution with painted bands."""
    glaze, band = paint(rng, 0.6, 0.55), paint(rng, 0.5, 0.7)
    pattern = bands((0, 1, 0), float(rng.uniform(0.08, 0.16)), 0.4, 0.6)
    body = Material(
        tinted(blend(plain(glaze), plain(band), pattern), 0.15, seed_of(rng), 0.3),
        gloss=0.06,
        roughness=0.2,
    )
    heights = np.linspace(0, 0.95, 12)
    radii = (
        0.15 + 0.17 * np.sin(np.clip(heights / 0.8, 0, 1) * np.pi) ** 1.2 + 0.07 * (heights > 0.86)
    )
    for k in range(11):
        a, c = (0, float(heights[k]), 0), (0, float(heights[k + 1]), 0)
        b.frustum(body, a, c, float(radii[k]), float(radii[k + 1]))
    b.frustum(matt((0.3, 0.28, 0.26), 0.05, 5), (0, -0.02, 0), (0, 0.03, 0), 0.24, 0.22)
    return 0.95


def potted_plant(b: Builder, rng: Rng) -> float:
    """A terracotta pot with a bush, perhaps in flower."""
    clay = matt((0.42, 0.17, 0.09), 0.08, seed_of(rng), 0.35)
    b.frustum(clay, (0, 0, 0), (0, 0.36, 0), 0.17, 0.25)
    b.frustum(clay, (0, 0.34, 0), (0, 0.43, 0), 0.28, 0.29)
    b.frustum(matt((0.08, 0.05, 0.03), 0.03, 2), (0, 0.42, 0), (0, 0.435, 0), 0.26, 0.25)
    green = float(rng.uniform(0.8, 1.5))
    for _ in range(7):
        x, z = (float(v) for v in rng.uniform(-0.22, 0.22, 2))
        y, r = float(rng.uniform(0.62, 1.0)), float(rng.uniform(0.14, 0.22))
        leaf = Material(
            speckle(
                scaled((0.03, 0.08, 0.02), green),
                scaled((0.14, 0.28, 0.06), green),
                0.06,
                seed_of(rng),
            ),
            fractal(0.05, 2, 4),
            0.03,
        )
        b.foliage(rng, leaf, (x, y, z), (r, r * 0.9, r), 0.09, 30)
    petal = glossy(paint(rng, 0.7, 0.7), 3.0, 0.03, 0.5)
    for _ in range(int(rng.integers(0, 14))):
        a, y = rng.uniform(0, 2 * np.pi), rng.uniform(0.55, 1.15)
        reach = 0.36 * np.sqrt(max(0.1, 1 - ((y - 0.82) / 0.42) ** 2))
        b.ball(petal, (float(reach * np.cos(a)), y, float(reach * np.sin(a))), 0.04)
    return 1.2


def car(b: Builder, rng: Rng) -> float:
    """A small car of boxes and rounded panels, side on."""
    colour = scaled(paint(rng, 0.8, 0.5), float(rng.uniform(0.3, 1.3)))
    body = glossy(colour, seed_of(rng), 0.06, 0.18)
    glass = Material(plain((0.03, 0.035, 0.04)), gloss=0.08, roughness=0.1)
    tyre, chrome = (
        matt((0.035, 0.034, 0.033), 0.02, 2),
        Material(plain((0.4, 0.4, 0.4)), gloss=0.4, roughness=0.25),
    )
    lamp, red = (
        Material(plain((0.8, 0.8, 0.76)), gloss=0.08, roughness=0.15),
        glossy((0.5, 0.03, 0.02), 1),
    )
    b.box(body, (0, 0.54, 0), (3.3, 0.4, 1.48))
    b.ellipsoid(body, (-1.1, 0.62, 0), (0.78, 0.26, 0.72))
    b.ellipsoid(body, (1.25, 0.64, 0), (0.55, 0.27, 0.72))
    b.ellipsoid(glass, (0.15, 0.72, 0), (1.12, 0.6, 0.66))
    b.ellipsoid(body, (0.15, 0.9, 0), (0.9, 0.47, 0.585))
    for z in (-1.0, 1.0):
        for low, high in ((-0.62, -0.4), (0.18, 0.18), (0.95, 0.7)):
            b.limb(body, (low, 0.72, 0.62 * z), (high, 1.18, 0.43 * z), 0.035)
        b.box(chrome, (0.0, 0.7, 0.745 * z), (0.16, 0.025, 0.03))
        b.box(chrome, (0.0, 0.5, 0.74 * z), (3.2, 0.035, 0.03))
        for axle in (-1.1, 1.15):
            arch = Material(plain(BLACK))
            b.frustum(arch, (axle, 0.34, 0.5 * z), (axle, 0.34, 0.75 * z), 0.345, 0.345)
    for x in (-1.66, 1.66):
        b.limb(chrome, (x, 0.4, -0.65), (x, 0.4, 0.65), 0.06)
    for x in (-1.1, 1.15):
        for z in (-0.72, 0.72):
            b.frustum(tyre, (x, 0.31, z - 0.1), (x, 0.31, z + 0.1), 0.31, 0.31)
            b.frustum(chrome, (x, 0.31, z - 0.115), (x, 0.31, z + 0.115), 0.15, 0.15)
    for z in (-0.55, 0.55):
        b.ellipsoid(lamp, (-1.64, 0.6, z), (0.09, 0.1, 0.12))
        b.ellipsoid(red, (1.66, 0.62, z), (0.05, 0.07, 0.13))
    return 1.36


def hay_bale(b: Builder, rng: Rng) -> float:
    """A round bale of straw lying on its side."""
    straw = Material(
        tinted(speckle((0.2, 0.13, 0.05), (0.62, 0.48, 0.24), 0.05, seed_of(rng), 5, 0.85), 0.4, 3),
        fractal(0.03, 2, 3),
        0.006,
    )
    turn = float(rng.uniform(-0.7, 0.7))
    x, z = 0.6 * np.sin(turn), 0.6 * np.cos(turn)
    b.frustum(straw, (-x, 0.64, -z), (x, 0.64, z), 0.65, 0.65)
    return 1.29


def statue(b: Builder, rng: Rng) -> float:
    """A bust of stone or bronze on a pedestal."""
    if rng.random() < 0.6:
        stone = matt(
            scaled((0.5, 0.48, 0.44), float(rng.uniform(0.6, 1.2))), 0.12, seed_of(rng), 0.3
        )
    else:
        stone = Material(
            speckle((0.05, 0.07, 0.05), (0.2, 0.26, 0.2), 0.15, seed_of(rng)),
            gloss=0.12,
            roughness=0.45,
        )
    base = Material(
        tinted(bricks((0.35, 0.33, 0.3), (0.45, 0.43, 0.4), (0.2, 0.19, 0.18), 0.9, 0.3), 0.3, 5)
    )
    b.box(base, (0, 0.08, 0), (0.78, 0.16, 0.78))
    b.box(base, (0, 0.5, 0), (0.58, 0.8, 0.58))
    b.box(base, (0, 0.93, 0), (0.7, 0.09, 0.7))
    b.ellipsoid(stone, (0, 1.08, 0), (0.3, 0.2, 0.19))
    b.ellipsoid(stone, (0, 1.2, 0), (0.27, 0.13, 0.16))
    b.limb(stone, (0, 1.25, 0), (0, 1.42, -0.01), 0.085)
    b.ellipsoid(stone, (0, 1.52, -0.02), (0.115, 0.16, 0.135))
    b.ellipsoid(stone, (0, 1.5, -0.155), (0.024, 0.04, 0.03))
    b.ellipsoid(stone, (0, 1.58, 0.02), (0.13, 0.125, 0.135))
    b.ellipsoid(stone, (0, 1.41, -0.1), (0.06, 0.05, 0.05))
    for x in (-0.048, 0.048):
        b.ellipsoid(stone, (x, 1.545, -0.135), (0.03, 0.018, 0.02))
        b.ellipsoid(stone, (x * 2.5, 1.51, 0), (0.02, 0.05, 0.03))
    return 1.7


def crates(b: Builder, rng: Rng) -> float:
    """Wooden crates piled up, a fruit or two on top."""
    for at, size, turn in (
        ((-0.32, 0.25, 0.0), 0.5, 0.1),
        ((0.3, 0.25, -0.05), 0.5, -0.25),
        ((-0.05, 0.72, 0.0), 0.44, 0.5),
    ):
        light = scaled((0.42, 0.28, 0.15), float(rng.uniform(0.6, 1.4)))
        planks = Material(
            wood(scaled(light, 0.4), light, 0.1, (1, 0, 0)), fractal(0.03, 2, 3), 0.002
        )
        b.box(planks, at, (size, size * 0.96, size), (turn, 0, 0))
        for side in (-0.46, 0.46):
            dx, dz = side * size * np.cos(turn), -side * size * np.sin(turn)
            b.box(
                planks,
                (at[0] + float(dx), at[1], at[2] + float(dz)),
                (0.05, size, size * 1.03),
                (turn, 0, 0),
            )
    fruit = glossy(paint(rng, 0.9, 0.6), seed_of(rng), 0.05, 0.25)
    for x, z in ((-0.12, -0.1), (0.06, -0.06), (-0.02, 0.09)):
        b.ball(fruit, (x, 1.0, z), 0.075)
    return 1.07


OBJECTS: dict[str, Maker] = {
    "fox": fox,
    "grazer": grazer,
    "person": person,
    "telephone box": telephone_box,
    "barrel": barrel,
    "vase": vase,
    "potted plant": potted_plant,
    "car": car,
    "hay bale": hay_bale,
    "statue": statue,
    "crates": crates,
    "owl": owl,
}
