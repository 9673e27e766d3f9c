"""What stands around the main object: floors, walls, plants, houses and far hills."""

from __future__ import annotations

import numpy as np

from training.scenes.builder import Builder, Rng, glossy, paint, scaled, seed_of
from training.scenes.geometry import vector
from training.scenes.terrain import Ground, Ridge
from training.scenes.texture import (
    Colour,
    Material,
    blend,
    bricks,
    checks,
    fractal,
    paving,
    plain,
    ramp,
    speckle,
    tinted,
    wood,
)
from training.scenes.trace import Surface


def ground(
    material: Material, waves: tuple[tuple[float, float, float, float], ...] = ()
) -> Surface:
    """The floor; it receives shadows and casts none."""
    return Surface(Ground(waves), material)


def soil(rng: Rng) -> Material:
    """Bare earth with leaf litter and moss."""
    earth = speckle((0.05, 0.035, 0.022), (0.24, 0.17, 0.1), 0.3, seed_of(rng), 6, 0.75)
    litter = speckle((0.1, 0.06, 0.025), (0.42, 0.27, 0.12), 0.06, seed_of(rng), 3, 0.8)
    moss = speckle((0.03, 0.05, 0.012), (0.13, 0.18, 0.05), 0.1, seed_of(rng), 4, 0.8)
    mixed = blend(earth, litter, ramp(fractal(0.25, 4, seed_of(rng), 0.7), 0.45, 0.6))
    return Material(
        blend(mixed, moss, ramp(fractal(1.6, 4, seed_of(rng)), 0.52, 0.68)),
        fractal(0.12, 4, seed_of(rng), 0.65),
        0.025,
    )


def pavement(rng: Rng) -> Material:
    """Slabs, cobbles or asphalt."""
    kind = int(rng.integers(3))
    warm: Colour = (0.3, 0.27, 0.23)
    if kind == 0:
        return Material(
            tinted(
                paving(scaled(warm, 0.8), scaled(warm, 1.4), (0.09, 0.08, 0.07), 0.45),
                1.5,
                seed_of(rng),
            ),
            fractal(0.03, 2, 3),
            0.001,
        )
    if kind == 1:
        return Material(
            tinted(
                paving((0.14, 0.13, 0.13), (0.36, 0.33, 0.3), (0.05, 0.05, 0.045), 0.14),
                1.5,
                seed_of(rng),
            ),
            fractal(0.06, 3, 3),
            0.004,
        )
    asphalt = speckle((0.04, 0.04, 0.042), (0.17, 0.165, 0.16), 0.05, seed_of(rng), 4, 0.8)
    return Material(tinted(asphalt, 2.5, seed_of(rng), 0.3), fractal(0.02, 2, 3), 0.001)


def boards(rng: Rng) -> Material:
    """A floor of planks or tiles."""
    if rng.random() < 0.5:
        light = scaled((0.4, 0.26, 0.14), float(rng.uniform(0.6, 1.3)))
        planks = wood(scaled(light, 0.45), light, 0.14, (0, 0, 1))
        return Material(planks, gloss=0.04, roughness=0.4)
    tile = scaled(paint(rng, 0.25, 0.6), float(rng.uniform(0.5, 1)))
    return Material(
        tinted(checks(tile, scaled(tile, 0.25), 0.33), 0.8, seed_of(rng), 0.2),
        gloss=0.04,
        roughness=0.3,
    )


def masonry(rng: Rng) -> Material:
    """A wall: bricks, plaster, wallpaper-like bands of paint, or timber."""
    kind = int(rng.integers(4))
    if kind <= 1:
        red = scaled((0.36, 0.15, 0.09), float(rng.uniform(0.7, 1.3)))
        other: Colour = (0.45, 0.33, 0.22) if kind else scaled(red, 0.5)
        return Material(
            tinted(bricks(red, other, (0.38, 0.35, 0.31), 0.24, 0.085), 1.4, seed_of(rng)),
            fractal(0.03, 3, 4),
            0.002,
        )
    if kind == 2:
        colour = paint(rng, 0.3, 0.62)
        plaster = tinted(
            speckle(scaled(colour, 0.75), scaled(colour, 1.15), 0.5, seed_of(rng), 6, 0.7),
            2.2,
            seed_of(rng),
        )
        stains = ramp(fractal(1.1, 5, seed_of(rng), 0.65), 0.6, 0.72)
        return Material(
            blend(plaster, plain(scaled(colour, 0.45)), stains), fractal(0.06, 3, 4), 0.003
        )
    light = scaled((0.42, 0.3, 0.19), float(rng.uniform(0.5, 1.3)))
    return Material(wood(scaled(light, 0.4), light, 0.16), fractal(0.03, 2, 4), 0.002)


def wall(
    x: float, z: float, width: float, height: float, yaw: float, material: Material
) -> Surface:
    """An upright wall whose middle stands at (x, z)."""
    b = Builder(vector(x, 0, z), yaw, thing=0)
    b.box(material, (0, height / 2, 0), (width, height, 0.24))
    return b.surfaces[0]


def ridges(rng: Rng, first: float = 60.0) -> list[Surface]:
    """Lines of far trees, hills and perhaps mountains, each paler than the one before."""
    out = []
    for k, (z, height, wave) in enumerate(
        ((first, 4.5, 1.6), (first * 3, 13.0, 9.0), (first * 9, 40.0, 35.0))
    ):
        lengths = (
            ((1.0, 60.0), (0.45, 23.0), (0.2, 7.0), (0.12, 2.4))
            if k == 0
            else ((1.0, 300.0), (0.4, 110.0), (0.1, 33.0))
        )
        waves = tuple(
            (wave * h, w * float(rng.uniform(0.8, 1.25)) * (1 + k), float(rng.uniform(0, 6.3)))
            for h, w in lengths
        )
        dark: Colour = ((0.02, 0.04, 0.012), (0.035, 0.06, 0.025), (0.06, 0.075, 0.06))[k]
        light: Colour = ((0.11, 0.17, 0.05), (0.16, 0.2, 0.09), (0.15, 0.17, 0.14))[k]
        material = Material(speckle(dark, light, (1.5, 12.0, 60.0)[k], seed_of(rng), 5, 0.7))
        out.append(Surface(Ridge(z, height, waves), material))
    return out


def house(
    rng: Rng, x: float, z: float, yaw: float = 0.0, walls: Material | None = None
) -> list[Surface]:
    """A house with a pitched roof, windows and a door towards -z."""
    b = Builder(vector(x, 0, z), yaw)
    w, h, d = float(rng.uniform(6, 9)), float(rng.uniform(3.2, 5.6)), 5.0
    walls, frame = walls or masonry(rng), Material(plain((0.7, 0.69, 0.66)))
    tiles = Material(
        tinted(
            bricks((0.3, 0.11, 0.07), (0.18, 0.09, 0.07), (0.06, 0.04, 0.035), 0.25, 0.16),
            1.5,
            seed_of(rng),
        ),
        fractal(0.1, 2, 2),
        0.02,
    )
    glass = Material(
        tinted(speckle((0.03, 0.035, 0.04), (0.12, 0.13, 0.14), 0.8, seed_of(rng)), 1, 4),
        gloss=0.07,
        roughness=0.1,
    )
    b.box(walls, (0, h / 2, 0), (w, h, d))
    slope = 0.62
    length = d / 2 / np.cos(slope) + 0.5
    for side in (-1, 1):
        y, at = h + np.sin(slope) * length / 2 - 0.2, side * (d / 4 + 0.1)
        b.box(tiles, (0, float(y), at), (w + 0.7, 0.16, float(length)), (0, side * slope, 0))
    b.box(walls, (0, h + 0.5, 0), (w - 0.06, 1.2, d * 0.45))
    b.box(walls, (w * 0.3, h + 2.0, 0.6), (0.7, 1.6, 0.7))
    front = -d / 2
    door = glossy(paint(rng, 0.7, 0.3), 3.0)
    b.box(frame, (0, 1.1, front), (1.2, 2.25, 0.12))
    b.box(door, (0, 1.05, front - 0.03), (1.0, 2.1, 0.12))
    for y in (1.45, 4.1) if h > 4.8 else (1.45,):
        for at in (-w * 0.31, w * 0.31):
            b.box(frame, (at, y, front), (1.3, 1.35, 0.14))
            for pane in (-0.29, 0.29):
                b.box(glass, (at + pane, y, front - 0.02), (0.5, 1.15, 0.14))
            b.box(frame, (at, y - 0.72, front - 0.06), (1.5, 0.08, 0.3))
    return b.surfaces


def fence(rng: Rng, z: float, left: float, right: float, height: float = 0.95) -> list[Surface]:
    """A picket fence across the picture."""
    b = Builder(vector(0, 0, z))
    light = scaled((0.62, 0.58, 0.52), float(rng.uniform(0.4, 1.2)))
    planks = Material(wood(scaled(light, 0.6), light, 0.5), fractal(0.04, 2, 3), 0.002)
    for y in (0.25, 0.7):
        b.box(planks, ((left + right) / 2, y * height, 0.03), (right - left, 0.07, 0.03))
    for k in range(int((right - left) / 0.22)):
        x = left + k * 0.22
        b.box(planks, (x, height / 2, 0), (0.1, height * float(rng.uniform(0.96, 1.04)), 0.025))
    return b.surfaces


def post(rng: Rng, x: float, z: float, height: float) -> list[Surface]:
    """A wooden or painted iron post."""
    b = Builder(vector(x, 0, z), float(rng.uniform(0, 1.5)))
    if rng.random() < 0.5:
        light = scaled((0.4, 0.32, 0.24), float(rng.uniform(0.6, 1.2)))
        b.box(
            Material(wood(scaled(light, 0.35), light, 0.3), fractal(0.03, 3, 3), 0.003),
            (0, height / 2, 0),
            (0.11, height, 0.11),
        )
    else:
        iron = glossy(scaled(paint(rng, 0.7, 0.3), float(rng.uniform(0.2, 1.2))), 2.0)
        b.frustum(iron, (0, 0, 0), (0, height, 0), 0.055, 0.045)
        b.ball(iron, (0, height, 0), 0.075)
    return b.surfaces
