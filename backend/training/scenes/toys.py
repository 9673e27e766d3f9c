"""Toys and what stands on tables; each function builds one and returns its height in metres."""

from __future__ import annotations

import numpy as np

from training.scenes.beings import BLACK
from training.scenes.builder import Builder, Rng, glossy, matt, paint, scaled, seed_of
from training.scenes.looks import Looks, timber
from training.scenes.texture import Material, fractal, plain, speckle


def teddy(b: Builder, rng: Rng, looks: Looks) -> float:
    """A stuffed bear or rabbit that sits."""
    colour = scaled((0.4, 0.24, 0.12), float(rng.uniform(0.4, 1.7)))
    if rng.random() < 0.3:
        colour = paint(rng, 0.4, float(rng.uniform(0.3, 0.7)))
    plush = Material(
        speckle(scaled(colour, 0.7), scaled(colour, 1.2), 0.01, seed_of(rng), 2, 0.9),
        fractal(0.02, 2, seed_of(rng)),
        0.0015,
    )
    pale = matt(scaled(colour, 1.6), 0.01, seed_of(rng), 0.2)
    ink, k = glossy(BLACK, 1.0), float(rng.uniform(0.8, 1.3))
    b.ellipsoid(plush, (0, 0.11 * k, 0), (0.08 * k, 0.11 * k, 0.07 * k))
    b.ellipsoid(pale, (0, 0.11 * k, -0.03 * k), (0.055 * k, 0.08 * k, 0.05 * k))
    b.ellipsoid(plush, (0, 0.27 * k, -0.01 * k), (0.078 * k, 0.07 * k, 0.07 * k))
    b.ellipsoid(pale, (0, 0.25 * k, -0.065 * k), (0.033 * k, 0.027 * k, 0.03 * k))
    b.ellipsoid(ink, (0, 0.262 * k, -0.094 * k), (0.011 * k, 0.008 * k, 0.007 * k))
    rabbit = rng.random() < 0.3
    for s in (-1, 1):
        b.ellipsoid(ink, (s * 0.028 * k, 0.285 * k, -0.07 * k), (0.008 * k, 0.009 * k, 0.006 * k))
        if rabbit:
            ear = (0.024 * k, 0.085 * k, 0.014 * k)
            b.ellipsoid(plush, (s * 0.04 * k, 0.4 * k, 0), ear, (0, 0, -s * 0.2))
        else:
            b.ellipsoid(plush, (s * 0.064 * k, 0.325 * k, 0), (0.03 * k, 0.03 * k, 0.017 * k))
        b.limb(plush, (s * 0.07 * k, 0.18 * k, 0), (s * 0.12 * k, 0.08 * k, -0.05 * k), 0.03 * k)
        b.limb(
            plush,
            (s * 0.05 * k, 0.04 * k, -0.03 * k),
            (s * 0.08 * k, 0.04 * k, -0.13 * k),
            0.038 * k,
        )
        b.ellipsoid(pale, (s * 0.082 * k, 0.045 * k, -0.165 * k), (0.03 * k, 0.036 * k, 0.012 * k))
    return (0.47 if rabbit else 0.35) * k


def toy_car(b: Builder, rng: Rng, looks: Looks) -> float:
    """A lorry or car of wood or plastic, side on."""
    body, cab = looks.finish(rng), looks.finish(rng)
    wheel = glossy(BLACK if rng.random() < 0.6 else paint(rng, 0.8, 0.5), 1.0)
    glass = Material(plain((0.05, 0.07, 0.09)), gloss=0.06, roughness=0.15)
    b.box(body, (0, 0.055, 0), (0.3, 0.03, 0.11))
    if rng.random() < 0.5:
        b.box(cab, (-0.1, 0.125, 0), (0.08, 0.11, 0.11))
        b.box(glass, (-0.115, 0.145, 0), (0.055, 0.045, 0.114))
        b.box(body, (0.06, 0.11, 0), (0.2, 0.08, 0.12))
        height = 0.18
    else:
        b.ellipsoid(body, (0, 0.075, 0), (0.16, 0.035, 0.058))
        b.ellipsoid(glass, (0.015, 0.1, 0), (0.088, 0.052, 0.05))
        b.ellipsoid(body, (0.015, 0.12, 0), (0.07, 0.036, 0.045))
        height = 0.155
    for x in (-0.1, 0.1):
        for z in (-0.05, 0.05):
            b.frustum(wheel, (x, 0.036, z - 0.012), (x, 0.036, z + 0.012), 0.036, 0.036)
            b.frustum(cab, (x, 0.036, z - 0.015), (x, 0.036, z + 0.015), 0.014, 0.014)
    return height


def blocks(b: Builder, rng: Rng, looks: Looks) -> float:
    """A tower of building blocks and some beside it."""
    y, side = 0.0, 0.0
    for _ in range(int(rng.integers(3, 6))):
        side = float(rng.uniform(0.05, 0.08))
        x, z = (float(v) for v in rng.uniform(-0.012, 0.012, 2))
        turn = (float(rng.uniform(-0.4, 0.4)), 0.0, 0.0)
        b.box(looks.finish(rng), (x, y + side / 2, z), (side, side, side), turn)
        y += side
    if rng.random() < 0.5:
        b.frustum(looks.finish(rng), (0, y, 0), (0, y + 0.06, 0), side * 0.6, 0.002)
        y += 0.06
    for _ in range(int(rng.integers(2, 5))):
        side = float(rng.uniform(0.04, 0.07))
        angle, reach = float(rng.uniform(0, 6.3)), float(rng.uniform(0.1, 0.2))
        at = (reach * np.cos(angle), side / 2, reach * np.sin(angle))
        turn = (float(rng.uniform(0, 1.5)), 0.0, 0.0)
        b.box(looks.finish(rng), (float(at[0]), at[1], float(at[2])), (side, side, side), turn)
    return y


def ball(b: Builder, rng: Rng, looks: Looks) -> float:
    """A ball, plain or patterned."""
    r = float(rng.uniform(0.07, 0.14))
    b.ball(looks.finish(rng) if rng.random() < 0.5 else looks.cloth(rng), (0, r, 0), r)
    return 2 * r


def robot(b: Builder, rng: Rng, looks: Looks) -> float:
    """A tin robot."""
    body, limb, eye = looks.finish(rng), looks.finish(rng), glossy((0.7, 0.6, 0.1), 1.0)
    for s in (-1, 1):
        b.box(limb, (s * 0.04, 0.015, -0.01), (0.055, 0.03, 0.08))
        b.box(limb, (s * 0.04, 0.07, 0), (0.035, 0.09, 0.04))
        b.frustum(limb, (s * 0.075, 0.2, 0), (s * 0.105, 0.2, 0), 0.022, 0.022)
        b.limb(limb, (s * 0.1, 0.195, 0), (s * 0.11, 0.12, -0.03), 0.016)
        b.ball(eye, (s * 0.022, 0.29, -0.042), 0.012)
        b.frustum(limb, (s * 0.045, 0.28, 0), (s * 0.06, 0.28, 0), 0.014, 0.014)
    b.box(body, (0, 0.17, 0), (0.13, 0.13, 0.09))
    b.box(looks.picture(rng, 0.08, 0.06), (0, 0.18, -0.005), (0.08, 0.06, 0.09), own=True)
    b.box(body, (0, 0.28, 0), (0.095, 0.075, 0.08))
    b.frustum(limb, (0, 0.31, 0), (0, 0.36, 0), 0.006, 0.004)
    b.ball(eye, (0, 0.365, 0), 0.01)
    return 0.37


def fruit(b: Builder, rng: Rng, looks: Looks) -> float:
    """A bowl of fruit."""
    bowl = looks.finish(rng)
    b.frustum(bowl, (0, 0, 0), (0, 0.02, 0), 0.06, 0.06)
    b.frustum(bowl, (0, 0.015, 0), (0, 0.085, 0), 0.07, 0.15)
    peel = [
        glossy(paint(rng, 0.9, float(rng.uniform(0.3, 0.65))), seed_of(rng), 0.04, 0.3)
        for _ in range(2)
    ]
    for k in range(7):
        angle, reach = k * 1.05, 0.085 if k < 6 else 0.0
        at = (reach * np.cos(angle), 0.105 + (0.055 if k == 6 else 0.0), reach * np.sin(angle))
        r = float(rng.uniform(0.036, 0.045))
        b.ball(peel[int(rng.integers(2))], (float(at[0]), at[1], float(at[2])), r)
    return 0.2


def flowers(b: Builder, rng: Rng, looks: Looks) -> float:
    """A vase of flowers."""
    glass, stem = looks.finish(rng), matt((0.05, 0.12, 0.03), 0.02, 3.0)
    petal, heart = glossy(paint(rng, 0.7, 0.65), 3.0, 0.02, 0.6), glossy((0.55, 0.4, 0.05), 2.0)
    r = float(rng.uniform(0.035, 0.05))
    b.frustum(glass, (0, 0, 0), (0, 0.08, 0), r, r * 1.5)
    b.frustum(glass, (0, 0.08, 0), (0, 0.2, 0), r * 1.5, r * 0.9)
    for _ in range(int(rng.integers(5, 10))):
        lean = rng.uniform(-0.13, 0.13, 2)
        tip = (float(lean[0]), float(rng.uniform(0.32, 0.42)), float(lean[1]))
        b.limb(stem, (0, 0.18, 0), tip, 0.004)
        for k in range(6):
            a = k * np.pi / 3
            at = (tip[0] + 0.022 * float(np.cos(a)), tip[1], tip[2] + 0.022 * float(np.sin(a)))
            b.ellipsoid(petal, at, (0.02, 0.01, 0.02))
        b.ball(heart, (tip[0], tip[1] + 0.004, tip[2]), 0.012)
    for _ in range(14):
        lean = rng.uniform(-0.1, 0.1, 2)
        at = (float(lean[0]), float(rng.uniform(0.22, 0.33)), float(lean[1]))
        b.ellipsoid(
            stem, at, (0.03, 0.006, 0.014), (float(rng.uniform(0, 6)), float(rng.normal(0, 0.5)), 0)
        )
    return 0.43


def mug(b: Builder, rng: Rng, looks: Looks) -> float:
    """A mug with a handle."""
    glaze = looks.finish(rng)
    b.frustum(glaze, (0, 0, 0), (0, 0.1, 0), 0.036, 0.042)
    b.frustum(matt((0.05, 0.03, 0.02), 0.02, 1.0), (0, 0.09, 0), (0, 0.1005, 0), 0.036, 0.037)
    for y, z in ((0.025, 0.06), (0.075, 0.06)):
        b.limb(glaze, (0.035, y, 0), (z, y, 0), 0.006)
    b.limb(glaze, (0.06, 0.025, 0), (0.06, 0.075, 0), 0.006)
    return 0.1


def books(b: Builder, rng: Rng, looks: Looks) -> float:
    """A pile of books, the uppermost with a picture on it."""
    y = 0.0
    for _ in range(int(rng.integers(2, 6))):
        thick = float(rng.uniform(0.015, 0.045))
        w, d = float(rng.uniform(0.15, 0.22)), float(rng.uniform(0.2, 0.29))
        turn = (float(rng.uniform(-0.3, 0.3)), 0.0, 0.0)
        b.box(looks.finish(rng), (0, y + thick / 2, 0), (w, thick, d), turn)
        b.box(
            matt((0.7, 0.67, 0.58), 0.01, 2.0, 0.1),
            (0.006, y + thick / 2, 0),
            (w - 0.005, thick - 0.008, d + 0.002),
            turn,
        )
        y += thick
    b.box(
        looks.picture(rng, w - 0.01, d - 0.01, 0, 2), (0, y, 0), (w - 0.01, 0.002, d - 0.01), turn
    )
    return y


def pot_plant(b: Builder, rng: Rng, looks: Looks) -> float:
    """A plant with long or round leaves in a pot; from a window sill's size to a man's height."""
    k = float(rng.uniform(0.35, 1.0))
    pot = looks.finish(rng) if rng.random() < 0.5 else matt((0.42, 0.17, 0.09), 0.08, seed_of(rng))
    b.frustum(pot, (0, 0, 0), (0, 0.28 * k, 0), 0.13 * k, 0.18 * k)
    b.frustum(
        matt((0.06, 0.04, 0.03), 0.03, 2), (0, 0.27 * k, 0), (0, 0.285 * k, 0), 0.165 * k, 0.165 * k
    )
    green = scaled((0.06, 0.14, 0.04), float(rng.uniform(0.6, 1.6)))
    leaf = Material(
        speckle(scaled(green, 0.7), scaled(green, 1.3), 0.05, seed_of(rng)),
        gloss=0.03,
        roughness=0.4,
    )
    long = rng.random() < 0.5
    height = k * float(rng.uniform(0.8, 1.4))
    for n in range(int(rng.integers(16, 30))):
        angle = n * 2.4 + float(rng.normal(0, 0.3))
        out = (float(np.cos(angle)), float(np.sin(angle)))
        up = float(rng.uniform(0.45, 1.0)) * (height - 0.28 * k)
        reach = float(rng.uniform(0.12, 0.45)) * (height - 0.2 * k)
        base = (out[0] * 0.04 * k, 0.28 * k, out[1] * 0.04 * k)
        tip = (out[0] * reach, 0.28 * k + up, out[1] * reach)
        if long:
            side = 0.025 * k
            bend = tuple(
                (p + q) / 2 + d for p, q, d in zip(base, tip, (0, 0.08 * k, 0), strict=True)
            )
            b.limb(leaf, base, (bend[0], bend[1], bend[2]), 0.006 * k)
            yaw, pitch = float(np.arctan2(out[0], out[1])), float(np.arctan2(up, reach))
            for share, wide in ((0.45, 1.0), (0.7, 0.8), (0.92, 0.45)):
                at = tuple(p + (q - p) * share for p, q in zip(base, tip, strict=True))
                size = (side * wide, 0.004, 0.16 * height)
                b.ellipsoid(leaf, (at[0], at[1], at[2]), size, (yaw, -pitch, 0))
        else:
            b.limb(leaf, base, tip, 0.006 * k)
            tilt = (float(rng.uniform(0, 6.3)), float(rng.normal(0, 0.4)), 0.0)
            b.ellipsoid(leaf, tip, (0.085 * k, 0.006, 0.065 * k), tilt)
    return height


def guitar(b: Builder, rng: Rng, looks: Looks) -> float:
    """A guitar on a stand."""
    body, neck, ink = timber(rng), timber(rng, 0.6), glossy(BLACK, 1.0)
    lean = (0.0, 0.15, 0.0)
    b.ellipsoid(body, (0, 0.27, 0.0), (0.19, 0.19, 0.05), lean)
    b.ellipsoid(body, (0, 0.5, 0.035), (0.145, 0.15, 0.05), lean)
    b.frustum(ink, (0, 0.4, -0.043), (0, 0.4005, -0.053), 0.045, 0.045)
    b.box(neck, (0, 0.8, 0.06), (0.05, 0.6, 0.025), lean)
    b.box(neck, (0, 1.14, 0.115), (0.07, 0.15, 0.02), lean)
    for s in (-1, 1):
        b.limb(ink, (s * 0.1, 0.09, -0.06), (s * 0.18, 0.012, 0.2), 0.012)
        b.limb(ink, (s * 0.1, 0.09, -0.06), (s * 0.15, 0.012, -0.16), 0.012)
    return 1.22
