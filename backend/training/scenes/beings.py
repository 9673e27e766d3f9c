"""Animals and people: each function builds one and returns its height in metres."""

from __future__ import annotations

import numpy as np

from training.scenes.builder import Builder, Rng, glossy, matt, paint, scaled, seed_of
from training.scenes.texture import (
    Colour,
    Material,
    bands,
    blend,
    checks,
    fractal,
    plain,
    ramp,
    speckle,
    stretched,
    tinted,
)

SKIN: Colour = (0.52, 0.33, 0.24)
BLACK: Colour = (0.035, 0.033, 0.035)
WHITE: Colour = (0.72, 0.70, 0.66)


def _fur(dark: Colour, light: Colour, rng: Rng) -> Material:
    middle = (0.5 * (dark[0] + light[0]), 0.5 * (dark[1] + light[1]), 0.5 * (dark[2] + light[2]))
    hairs = stretched(speckle(dark, light, 0.012, seed_of(rng), 2, 0.9), 3.0, 1.6, 1.6)
    coat = blend(hairs, plain(middle), ramp(fractal(0.11, 3, seed_of(rng)), 0.1, 1.3))
    return Material(tinted(coat, 0.3, seed_of(rng), 0.25), fractal(0.03, 2, seed_of(rng)), 0.0018)


def fox(b: Builder, rng: Rng) -> float:
    """A small animal, side on: russet, sandy or grey coat, pale belly, dark legs, bushy tail."""
    coats: list[tuple[Colour, Colour]] = [
        ((0.24, 0.07, 0.02), (0.55, 0.22, 0.07)),
        ((0.25, 0.16, 0.08), (0.52, 0.38, 0.22)),
        ((0.09, 0.09, 0.09), (0.34, 0.33, 0.32)),
    ]
    dark, light = coats[int(rng.integers(3))]
    coat, pale = _fur(dark, light, rng), _fur((0.45, 0.42, 0.36), (0.8, 0.77, 0.7), rng)
    sock, ink = _fur((0.03, 0.025, 0.02), (0.09, 0.07, 0.06), rng), glossy(BLACK, 1.0)
    b.ellipsoid(coat, (0, 0.46, 0), (0.33, 0.14, 0.12), (0, 0, 0.06))
    b.ellipsoid(coat, (-0.24, 0.47, 0), (0.16, 0.155, 0.12))
    b.ellipsoid(coat, (0.22, 0.46, 0), (0.16, 0.15, 0.115))
    b.ellipsoid(pale, (-0.25, 0.43, 0), (0.135, 0.14, 0.095))
    for x, z, bend in (
        (-0.25, -0.06, 0.03),
        (-0.22, 0.06, -0.04),
        (0.24, -0.06, 0.05),
        (0.3, 0.06, 0.0),
    ):
        b.limb(coat, (x, 0.40, z), (x - bend, 0.2, z), 0.048)
        b.limb(sock, (x - bend, 0.21, z), (x - bend / 3, 0.035, z), 0.031)
        b.ellipsoid(sock, (x - bend / 3 - 0.03, 0.028, z), (0.052, 0.028, 0.034))
    b.limb(coat, (-0.3, 0.52, 0), (-0.42, 0.66, 0), 0.085)
    b.ellipsoid(coat, (-0.47, 0.72, 0), (0.115, 0.1, 0.1))
    b.ellipsoid(pale, (-0.505, 0.688, 0), (0.092, 0.065, 0.088))
    b.ellipsoid(coat, (-0.585, 0.695, 0), (0.095, 0.042, 0.046), (0, 0, 0.15))
    b.ball(ink, (-0.672, 0.70, 0), 0.024)
    for z in (-0.062, 0.062):
        b.frustum(coat, (-0.43, 0.785, z), (-0.42, 0.93, z * 1.3), 0.052, 0.005)
        b.frustum(sock, (-0.445, 0.80, z), (-0.437, 0.89, z * 1.25), 0.036, 0.004)
        b.ball(ink, (-0.535, 0.748, z * 1.12), 0.019)
    for share in np.linspace(0, 1, 10):
        x, y = 0.38 + 0.46 * float(share), 0.48 - 0.21 * float(share) ** 0.8
        r = 0.06 + 0.045 * float(np.sin(np.pi * share**0.8))
        b.ellipsoid(pale if share > 0.85 else coat, (x, y, 0), (r * 1.1, r * 0.9, r * 0.9))
    return 0.93


def grazer(b: Builder, rng: Rng) -> float:
    """A big animal, side on: striped, patched or plain."""
    kind = int(rng.integers(3))
    if kind == 0:
        stripes = bands((1.0, 0.25, 0.0), 0.15, 0.5, 1.2)
        hide = Material(
            blend(speckle((0.5, 0.48, 0.44), (0.78, 0.76, 0.7), 0.04, 2), plain(BLACK), stripes)
        )
    elif kind == 1:
        patch = ramp(fractal(0.55, 3, seed_of(rng)), 0.48, 0.53)
        dark: Colour = (0.12, 0.055, 0.025) if rng.random() < 0.5 else BLACK
        hide = Material(
            blend(speckle((0.55, 0.53, 0.5), (0.8, 0.78, 0.74), 0.04, 2), plain(dark), patch)
        )
    else:
        hide = _fur((0.16, 0.085, 0.04), (0.4, 0.24, 0.13), rng)
    hoof, ink = matt((0.06, 0.05, 0.045), 0.03, 3), glossy(BLACK, 1.0)
    b.ellipsoid(hide, (0, 1.08, 0), (0.72, 0.33, 0.29))
    b.ellipsoid(hide, (-0.42, 1.10, 0), (0.33, 0.36, 0.28))
    b.ellipsoid(hide, (0.45, 1.12, 0), (0.34, 0.36, 0.29))
    for x, z, bend in (
        (-0.5, -0.15, 0.06),
        (-0.42, 0.15, -0.05),
        (0.52, -0.15, -0.05),
        (0.62, 0.15, 0.06),
    ):
        b.frustum(hide, (x, 0.55, z), (x, 1.05, z), 0.075, 0.15)
        b.frustum(hide, (x + bend, 0.1, z), (x, 0.58, z), 0.048, 0.075)
        b.frustum(hoof, (x + bend, 0.0, z), (x + bend, 0.12, z), 0.072, 0.055)
    b.limb(hide, (-0.62, 1.2, 0), (-0.93, 1.52, 0), 0.165)
    b.ellipsoid(hide, (-1.05, 1.56, 0), (0.22, 0.135, 0.12), (0, 0, 0.5))
    b.ellipsoid(
        matt((0.12, 0.09, 0.08), 0.03, 8), (-1.22, 1.455, 0), (0.1, 0.085, 0.09), (0, 0, 0.5)
    )
    for z in (-0.11, 0.11):
        b.ellipsoid(hide, (-0.92, 1.72, z * 1.3), (0.05, 0.1, 0.03), (0, 0, z * 3))
        b.ball(ink, (-1.08, 1.62, z * 1.02), 0.026)
    b.limb(hoof, (0.78, 1.22, 0), (0.9, 0.6, 0.02), 0.028)
    b.ellipsoid(hoof, (0.905, 0.52, 0.02), (0.045, 0.15, 0.045))
    return 1.8


def person(b: Builder, rng: Rng) -> float:
    """Someone standing, in a coat or a checked or striped shirt, and trousers."""
    tone = float(rng.uniform(0.25, 1.15))
    skin = matt(scaled(SKIN, tone), 0.05, 4, 0.12)
    colour = paint(rng, 0.6, 0.45)
    style = int(rng.integers(3))
    if style == 0:
        shirt = Material(checks(colour, scaled(colour, 0.35), 0.045))
    elif style == 1:
        shirt = Material(blend(plain(colour), plain(WHITE), bands((0, 1, 0), 0.09, 0.45)))
    else:
        shirt = Material(
            speckle(scaled(colour, 0.8), scaled(colour, 1.2), 0.015, 5, 3, 0.9),
            fractal(0.18, 3, 6),
            0.03,
        )
    denim = Material(
        speckle((0.04, 0.06, 0.115), (0.075, 0.11, 0.2), 0.02, 7, 3, 0.9),
        fractal(0.16, 3, 8),
        0.022,
    )
    hair, shoe = (
        matt(scaled((0.16, 0.09, 0.05), float(rng.uniform(0.3, 2))), 0.02, 9),
        glossy(BLACK, 2.0),
    )
    for x in (-0.11, 0.11):
        b.limb(denim, (x, 0.86, 0), (x * 1.15, 0.5, -0.015), 0.095)
        b.limb(denim, (x * 1.15, 0.5, -0.015), (x * 1.2, 0.13, 0.01), 0.07)
        b.ellipsoid(shoe, (x * 1.25, 0.05, -0.05), (0.055, 0.055, 0.14))
    b.ellipsoid(shirt, (0, 1.0, 0), (0.19, 0.19, 0.125))
    b.ellipsoid(shirt, (0, 1.22, 0), (0.215, 0.25, 0.135))
    b.limb(shirt, (-0.17, 1.385, 0), (0.17, 1.385, 0), 0.075)
    for x, out, ahead in ((-0.235, -0.06, 0.0), (0.235, 0.05, -0.12)):
        b.limb(shirt, (x, 1.37, 0), (x + out, 1.1, 0.02), 0.058)
        b.limb(shirt, (x + out, 1.1, 0.02), (x + out * 1.2, 0.9, ahead), 0.046)
        b.ellipsoid(skin, (x + out * 1.2, 0.83, ahead * 1.15), (0.04, 0.075, 0.05))
    b.limb(skin, (0, 1.44, 0), (0, 1.54, -0.01), 0.055)
    b.ellipsoid(skin, (0, 1.64, -0.015), (0.085, 0.12, 0.1))
    b.ellipsoid(skin, (0, 1.625, -0.115), (0.018, 0.026, 0.022))
    b.ellipsoid(hair, (0, 1.685, 0.018), (0.094, 0.095, 0.1))
    for x in (-0.034, 0.034):
        b.ellipsoid(shoe, (x, 1.655, -0.105), (0.014, 0.009, 0.01))
    b.ellipsoid(matt((0.35, 0.12, 0.1), 0.02, 3), (0, 1.578, -0.094), (0.032, 0.008, 0.012))
    return 1.78


def owl(b: Builder, rng: Rng) -> float:
    """A big bird on a stump, facing the camera."""
    bark = Material(
        stretched(speckle((0.06, 0.045, 0.03), (0.3, 0.23, 0.16), 0.05, seed_of(rng)), 1, 5, 1),
        fractal(0.06, 3, 3),
        0.02,
    )
    dark, light = (
        ((0.13, 0.08, 0.045), (0.5, 0.37, 0.24))
        if rng.random() < 0.6
        else ((0.4, 0.4, 0.4), (0.82, 0.82, 0.82))
    )
    plumage = Material(
        blend(
            speckle(dark, light, 0.06, seed_of(rng), 4, 0.8),
            plain(scaled(light, 1.2)),
            bands((0.3, 1, 0), 0.055, 0.3, 1.5),
        ),
        fractal(0.03, 2, 4),
        0.004,
    )
    face = matt(scaled(light, 1.3), 0.02, 6, 0.25)
    amber, ink = glossy((0.75, 0.38, 0.03), 1.0, 0.05, 0.2), glossy(BLACK, 1.0)
    b.frustum(bark, (0, 0, 0), (0, 0.55, 0), 0.24, 0.19)
    b.ellipsoid(plumage, (0, 0.84, 0), (0.2, 0.3, 0.18))
    for x in (-0.17, 0.17):
        b.ellipsoid(plumage, (x, 0.8, 0.04), (0.06, 0.28, 0.13), (0, 0, x))
    b.ellipsoid(plumage, (0, 1.18, -0.01), (0.165, 0.14, 0.145))
    for x in (-0.067, 0.067):
        b.ellipsoid(face, (x, 1.185, -0.1), (0.078, 0.085, 0.055))
        b.ball(amber, (x, 1.195, -0.13), 0.037)
        b.ball(ink, (x, 1.195, -0.152), 0.02)
        b.frustum(plumage, (x * 1.3, 1.27, -0.02), (x * 2, 1.4, -0.02), 0.045, 0.004)
        b.limb(amber, (x, 0.56, -0.08), (x, 0.56, -0.16), 0.02)
    b.frustum(ink, (0, 1.17, -0.15), (0, 1.12, -0.2), 0.025, 0.003)
    return 1.4
