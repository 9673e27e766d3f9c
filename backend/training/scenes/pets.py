"""Cats, dogs and birds in a house; each function builds one and returns its height in metres."""

from __future__ import annotations

import numpy as np

from training.scenes.beings import BLACK
from training.scenes.builder import Builder, Point, Rng, glossy, scaled, seed_of
from training.scenes.looks import Looks
from training.scenes.texture import (
    Colour,
    Material,
    bands,
    blend,
    fractal,
    plain,
    ramp,
    speckle,
    stretched,
    tinted,
)

_COATS: tuple[Colour, ...] = (
    (0.36, 0.2, 0.09),
    (0.22, 0.15, 0.09),
    (0.06, 0.055, 0.05),
    (0.3, 0.29, 0.28),
    (0.62, 0.58, 0.52),
    (0.45, 0.33, 0.2),
)


def _coat(rng: Rng) -> tuple[Material, Material]:
    """A coat, plain, striped or patched, and the paler one of belly and muzzle."""
    colour = scaled(_COATS[int(rng.integers(len(_COATS)))], float(rng.uniform(0.7, 1.3)))
    hairs = stretched(
        speckle(scaled(colour, 0.65), scaled(colour, 1.3), 0.012, seed_of(rng), 2, 0.9),
        2.5,
        1.5,
        1.5,
    )
    kind = rng.random()
    albedo = tinted(hairs, 0.2, seed_of(rng), 0.2)
    if kind < 0.35:
        stripes = bands((1.0, 0.3, 0.0), float(rng.uniform(0.035, 0.07)), 0.4, 1.0)
        albedo = blend(albedo, plain(scaled(colour, 0.35)), stripes)
    elif kind < 0.6:
        patches = ramp(fractal(0.25, 3, seed_of(rng)), 0.5, 0.54)
        albedo = blend(albedo, plain((0.68, 0.66, 0.62)), patches)
    relief = fractal(0.025, 2, seed_of(rng))
    pale = (0.66, 0.63, 0.58) if rng.random() < 0.5 else scaled(colour, 1.4)
    belly = speckle(scaled(pale, 0.8), pale, 0.015, seed_of(rng), 2, 0.9)
    return Material(albedo, relief, 0.0015), Material(belly, relief, 0.0015)


def _curve(b: Builder, coat: Material, points: list[Point], thick: float, thin: float) -> None:
    """A tail or a neck: limbs from point to point, ever thinner."""
    for k in range(len(points) - 1):
        radius = thick + (thin - thick) * k / max(1, len(points) - 2)
        b.limb(coat, points[k], points[k + 1], radius)


def _cat_head(b: Builder, coat: Material, pale: Material, at: Point, eyes: Material) -> None:
    x, y, z = at
    ink = glossy(BLACK, 1.0)
    b.ellipsoid(coat, (x, y, z), (0.058, 0.05, 0.053))
    for side in (-1, 1):
        b.frustum(
            coat, (x + side * 0.034, y + 0.03, z), (x + side * 0.044, y + 0.083, z), 0.024, 0.003
        )
        b.ellipsoid(pale, (x + side * 0.016, y - 0.016, z - 0.042), (0.021, 0.017, 0.02))
        b.ellipsoid(eyes, (x + side * 0.024, y + 0.01, z - 0.044), (0.012, 0.011, 0.008))
        b.ellipsoid(ink, (x + side * 0.024, y + 0.01, z - 0.05), (0.004, 0.009, 0.004))
    b.ellipsoid(ink, (x, y - 0.006, z - 0.06), (0.007, 0.005, 0.005))


def cat(b: Builder, rng: Rng, looks: Looks) -> float:
    """A cat that sits, faces the camera, or lies on its side across the picture."""
    coat, pale = _coat(rng)
    eyes = glossy(((0.45, 0.5, 0.1), (0.6, 0.35, 0.05), (0.15, 0.4, 0.5))[int(rng.integers(3))], 1)
    if rng.random() < 0.65:
        b.ellipsoid(coat, (0, 0.12, 0.05), (0.1, 0.12, 0.13))
        b.ellipsoid(coat, (0, 0.2, -0.01), (0.075, 0.13, 0.085), (0, 0.25, 0))
        b.ellipsoid(pale, (0, 0.2, -0.055), (0.05, 0.1, 0.05))
        for side in (-1, 1):
            b.ellipsoid(coat, (side * 0.085, 0.07, 0.03), (0.045, 0.075, 0.09))
            b.limb(coat, (side * 0.035, 0.18, -0.07), (side * 0.035, 0.02, -0.085), 0.022)
            b.ellipsoid(pale, (side * 0.035, 0.016, -0.1), (0.024, 0.016, 0.034))
            b.ellipsoid(pale, (side * 0.09, 0.016, -0.055), (0.025, 0.016, 0.045))
        turn = float(rng.choice([-1, 1]))
        tail = [
            (turn * s, 0.025, z) for s, z in ((0.06, 0.16), (0.15, 0.12), (0.18, 0.0), (0.14, -0.1))
        ]
        _curve(b, coat, tail, 0.022, 0.017)
        _cat_head(b, coat, pale, (0, 0.345, -0.05), eyes)
        return 0.43
    b.ellipsoid(coat, (0.03, 0.085, 0), (0.21, 0.085, 0.1))
    b.ellipsoid(coat, (0.14, 0.09, 0), (0.1, 0.09, 0.1))
    for x, z in ((-0.2, -0.07), (-0.16, -0.1), (0.16, -0.12)):
        b.limb(coat, (x + 0.08, 0.04, z * 0.6), (x - 0.05, 0.022, z), 0.022)
        b.ellipsoid(pale, (x - 0.07, 0.018, z), (0.03, 0.018, 0.022))
    _curve(
        b,
        coat,
        [(0.2, 0.05, 0.04), (0.32, 0.03, 0.0), (0.34, 0.025, -0.1), (0.26, 0.022, -0.16)],
        0.022,
        0.015,
    )
    b.ellipsoid(coat, (-0.14, 0.13, -0.02), (0.06, 0.07, 0.06))
    _cat_head(b, coat, pale, (-0.18, 0.19, -0.05), eyes)
    return 0.27


def dog(b: Builder, rng: Rng, looks: Looks) -> float:
    """A dog that sits facing the camera or stands side on; its size differs."""
    coat, pale = _coat(rng)
    ink, collar = glossy(BLACK, 1.0), looks.finish(rng)
    hang = bool(rng.random() < 0.6)
    k = float(rng.uniform(0.65, 1.25))

    def at(x: float, y: float, z: float) -> Point:
        return (x * k, y * k, z * k)

    def head(on: Builder, x: float, y: float, z: float) -> None:
        """A head that looks towards -z."""
        on.ellipsoid(coat, at(x, y, z), at(0.085, 0.08, 0.09))
        on.ellipsoid(pale, at(x, y - 0.03, z - 0.1), at(0.045, 0.04, 0.075))
        on.ellipsoid(ink, at(x, y - 0.01, z - 0.17), at(0.02, 0.016, 0.015))
        for side in (-1, 1):
            on.ellipsoid(ink, at(x + side * 0.04, y + 0.02, z - 0.078), at(0.013, 0.013, 0.01))
            if hang:
                lean = (0.0, 0.0, side * 0.25)
                on.ellipsoid(coat, at(x + side * 0.09, y - 0.005, z), at(0.025, 0.075, 0.045), lean)
            else:
                tip = at(x + side * 0.075, y + 0.15, z)
                on.frustum(coat, at(x + side * 0.055, y + 0.05, z), tip, 0.036 * k, 0.005)

    if rng.random() < 0.5:
        b.ellipsoid(coat, at(0, 0.17, 0.1), at(0.15, 0.17, 0.18))
        b.ellipsoid(coat, at(0, 0.33, 0.0), at(0.12, 0.2, 0.13), (0, 0.3, 0))
        b.ellipsoid(pale, at(0, 0.33, -0.07), at(0.08, 0.15, 0.07))
        for side in (-1, 1):
            b.ellipsoid(coat, at(side * 0.14, 0.11, 0.05), at(0.06, 0.11, 0.13))
            b.limb(coat, at(side * 0.065, 0.32, -0.08), at(side * 0.065, 0.04, -0.1), 0.035 * k)
            b.ellipsoid(pale, at(side * 0.065, 0.025, -0.125), at(0.04, 0.026, 0.055))
            b.ellipsoid(pale, at(side * 0.15, 0.025, -0.07), at(0.042, 0.026, 0.07))
        b.frustum(collar, at(0, 0.465, -0.03), at(0, 0.5, -0.035), 0.093 * k, 0.09 * k)
        b.limb(coat, at(0, 0.42, -0.02), at(0, 0.53, -0.04), 0.085 * k)
        head(b, 0, 0.6, -0.06)
        tail = [at(0.05, 0.04, 0.24), at(0.2, 0.04, 0.27), at(0.3, 0.06, 0.2)]
        _curve(b, coat, tail, 0.03 * k, 0.02 * k)
        return (0.69 if hang else 0.76) * k
    b.ellipsoid(coat, at(0, 0.42, 0), at(0.3, 0.13, 0.12))
    b.ellipsoid(coat, at(-0.2, 0.42, 0), at(0.16, 0.16, 0.13))
    for x, z, bend in (
        (-0.24, -0.07, 0.02),
        (-0.2, 0.07, -0.03),
        (0.24, -0.07, 0.05),
        (0.2, 0.07, 0.02),
    ):
        b.limb(coat, at(x, 0.36, z), at(x + bend, 0.18, z), 0.05 * k)
        b.limb(coat, at(x + bend, 0.18, z), at(x, 0.035, z), 0.032 * k)
        b.ellipsoid(pale, at(x - 0.02, 0.026, z), at(0.05, 0.026, 0.038))
    _curve(
        b, coat, [at(0.28, 0.46, 0), at(0.4, 0.54, 0), at(0.47, 0.66, 0.02)], 0.034 * k, 0.02 * k
    )
    b.limb(coat, at(-0.28, 0.5, 0), at(-0.38, 0.62, -0.02), 0.085 * k)
    b.limb(collar, at(-0.335, 0.545, 0), at(-0.345, 0.56, -0.005), 0.09 * k)
    yaw = b.yaw + float(rng.uniform(0.2, 1.4))
    neck = Builder(b.point(at(-0.42, 0.0, -0.02)), yaw, b.main, b.surfaces, b.thing)
    head(neck, 0, 0.68, -0.04)
    return (0.76 if hang else 0.84) * k


def parrot(b: Builder, rng: Rng, looks: Looks) -> float:
    """A bright bird on a stand."""
    hue = float(rng.random())
    plume = [
        glossy(
            (
                0.06 + 0.5 * float(np.clip(np.cos(2 * np.pi * (hue + s)), 0, 1)),
                0.06 + 0.4 * float(np.clip(np.cos(2 * np.pi * (hue + s - 1 / 3)), 0, 1)),
                0.06 + 0.5 * float(np.clip(np.cos(2 * np.pi * (hue + s - 2 / 3)), 0, 1)),
            ),
            seed_of(rng),
            0.02,
            0.6,
        )
        for s in (0.0, 0.3)
    ]
    wood, ink, beak = looks.finish(rng), glossy(BLACK, 1.0), glossy((0.5, 0.42, 0.25), 2.0)
    b.frustum(wood, (0, 0, 0), (0, 0.025, 0), 0.1, 0.09)
    b.frustum(wood, (0, 0.02, 0), (0, 0.16, 0), 0.012, 0.012)
    b.limb(wood, (-0.1, 0.165, 0), (0.1, 0.165, 0), 0.011)
    b.ellipsoid(plume[0], (0, 0.25, 0), (0.05, 0.085, 0.05), (0, 0.2, 0))
    for x in (-0.047, 0.047):
        b.ellipsoid(plume[1], (x, 0.235, 0.012), (0.016, 0.08, 0.038), (0, 0.25, 0))
        b.ellipsoid(ink, (x * 0.75, 0.352, -0.027), (0.007, 0.007, 0.007))
    b.ellipsoid(plume[0], (0, 0.345, -0.008), (0.042, 0.042, 0.044))
    b.frustum(beak, (0, 0.342, -0.045), (0, 0.318, -0.066), 0.016, 0.003)
    b.ellipsoid(plume[1], (0, 0.14, 0.05), (0.02, 0.09, 0.012), (0, 0.25, 0))
    return 0.39
