"""Vehicles, side on with their front towards -x: each function returns the height in metres."""

from __future__ import annotations

import numpy as np

from training.scenes.beings import BLACK
from training.scenes.builder import Builder, Rng, glossy, matt, paint, scaled
from training.scenes.looks import Looks, lacquer
from training.scenes.texture import Material, plain

GLASS = Material(plain((0.03, 0.035, 0.04)), gloss=0.08, roughness=0.1)
CHROME = Material(plain((0.4, 0.4, 0.4)), gloss=0.4, roughness=0.25)
LAMP = Material(plain((0.8, 0.8, 0.76)), gloss=0.08, roughness=0.15)
TYRE = matt((0.035, 0.034, 0.033), 0.02, 2)
RED = glossy((0.5, 0.03, 0.02), 1)


def _lacquer(rng: Rng) -> Material:
    """A car's paint: white, grey and black are as common as colours."""
    grey = float(rng.uniform(0.02, 0.75))
    colour = (grey, grey, grey) if rng.random() < 0.5 else paint(rng, 0.85, 0.55)
    return lacquer(rng, scaled(colour, float(rng.uniform(0.4, 1.1))), 0.05, 0.2)


def _wheel(b: Builder, x: float, z: float, r: float, wide: float = 0.2) -> None:
    b.frustum(TYRE, (x, r, z - wide / 2), (x, r, z + wide / 2), r, r)
    b.frustum(CHROME, (x, r, z - wide / 2 - 0.01), (x, r, z + wide / 2 + 0.01), r * 0.58, r * 0.58)
    b.frustum(TYRE, (x, r, z - wide / 2 - 0.015), (x, r, z + wide / 2 + 0.015), r * 0.2, r * 0.2)


def saloon(b: Builder, rng: Rng, looks: Looks) -> float:
    """A car: saloon, estate or hatchback."""
    body, length, width = _lacquer(rng), float(rng.uniform(3.6, 4.5)), 1.66
    front, back = -length / 2, length / 2
    estate = rng.random() < 0.5
    sill, belt, roof = 0.28, 0.86, float(rng.uniform(1.38, 1.52))
    b.box(body, (0, 0.5, 0), (length - 0.3, 0.42, width))
    b.ellipsoid(body, (front + 0.8, 0.62, 0), (0.85, 0.26, width / 2))
    b.ellipsoid(body, (back - 0.7, 0.66, 0), (0.75, 0.28, width / 2))
    b.box(body, (0, 0.72, 0), (length - 1.1, 0.26, width - 0.02))
    nose, tail = front + length * 0.3, back - (0.25 if estate else 0.75)
    top0, top1 = nose + 0.75, tail - (0.3 if estate else 0.55)
    half = width / 2 - 0.2
    b.box(body, ((top0 + top1) / 2, roof - 0.03, 0), (top1 - top0 + 0.1, 0.06, 2 * half - 0.06))
    b.box(
        GLASS,
        ((top0 + top1) / 2, (belt + roof) / 2, 0),
        (top1 - top0, roof - belt - 0.04, 2 * half),
    )
    for low, high in ((nose, top0), (tail, top1)):
        middle = ((low + high) / 2, (belt + roof) / 2 - 0.03, 0)
        slope = float(np.arctan2(roof - belt, high - low))
        run = float(np.hypot(roof - belt, high - low))
        b.box(GLASS, (middle[0], middle[1], 0), (run, 0.05, 2 * half - 0.04), (0, 0, slope))
    for z in (-1.0, 1.0):
        posts = [(nose, top0), (top0 + (top1 - top0) * 0.48,) * 2, (tail, top1)]
        for low, high in posts:
            b.limb(body, (low, belt - 0.04, z * (half + 0.1)), (high, roof - 0.03, z * half), 0.035)
        b.box(
            GLASS,
            ((nose + tail) / 2, belt + 0.05, z * (half + 0.03)),
            (tail - nose - 0.5, 0.3, 0.05),
        )
        b.box(CHROME, (top0 + 0.55, belt - 0.1, z * width / 2), (0.16, 0.025, 0.03))
        b.box(matt(BLACK, 0.02, 2), (0, sill, z * (width / 2 - 0.01)), (length - 1.5, 0.06, 0.03))
        b.box(body, (nose + 0.35, belt + 0.06, z * (half + 0.27)), (0.1, 0.1, 0.16))
        b.ellipsoid(LAMP, (front + 0.13, 0.64, z * 0.58), (0.12, 0.08, 0.16))
        b.ellipsoid(RED, (back - 0.03, 0.7, z * 0.6), (0.06, 0.1, 0.14))
        for x in (front + 0.75, back - 0.75):
            b.frustum(
                matt(BLACK, 0.02, 2),
                (x, 0.33, z * 0.5),
                (x, 0.33, z * (width / 2 + 0.004)),
                0.36,
                0.36,
            )
            _wheel(b, x, z * (width / 2 - 0.1), 0.31)
    b.box(matt(BLACK, 0.02, 2), (front + 0.06, 0.42, 0), (0.1, 0.14, 1.2))
    b.box(LAMP, (front + 0.02, 0.45, 0), (0.06, 0.1, 0.45))
    return roof


def van(b: Builder, rng: Rng, looks: Looks) -> float:
    """A delivery van, perhaps with a picture on its side."""
    body, length, width, roof = _lacquer(rng), 4.6, 1.8, float(rng.uniform(1.9, 2.4))
    b.box(body, (0.45, (roof + 0.35) / 2, 0), (length - 0.95, roof - 0.35, width))
    b.box(body, (-1.9, 0.65, 0), (0.9, 0.6, width))
    slope = (roof - 0.95) * 0.55
    b.box(GLASS, (-1.72, 1.35, 0), (0.06, 1.0, width - 0.15), (0, 0, -slope * 0.75))
    b.ellipsoid(body, (-1.75, 0.85, 0), (0.62, 0.28, width / 2 - 0.02))
    for z in (-1.0, 1.0):
        b.box(GLASS, (-1.15, 1.4, z * width / 2), (0.7, 0.5, 0.02))
        if rng.random() < 0.6:
            sign = looks.picture(rng, 1.6, 0.8)
            b.box(sign, (0.75, roof * 0.58, z * width / 2), (1.6, 0.8, 0.012), own=True)
        b.box(matt(BLACK, 0.02, 2), (0, 0.42, z * width / 2), (length - 1.4, 0.08, 0.03))
        b.ellipsoid(LAMP, (-2.32, 0.75, z * 0.65), (0.07, 0.11, 0.16))
        b.box(RED, (length / 2 - 0.05, 0.95, z * 0.82), (0.04, 0.3, 0.1))
        b.box(matt(BLACK, 0.02, 2), (-1.45, 1.25, z * (width / 2 + 0.12)), (0.08, 0.22, 0.16))
        for x in (-1.5, 1.5):
            b.frustum(
                matt(BLACK, 0.02, 2),
                (x, 0.38, z * 0.6),
                (x, 0.38, z * (width / 2 + 0.004)),
                0.4,
                0.4,
            )
            _wheel(b, x, z * (width / 2 - 0.1), 0.34)
    b.box(matt(BLACK, 0.02, 2), (-2.35, 0.45, 0), (0.12, 0.22, width - 0.05))
    return roof


def _rim(b: Builder, x: float, r: float, thick: float) -> None:
    """A bicycle's wheel: a tyre of short limbs, a hub and spokes."""
    points = [
        (x + r * float(np.cos(a)), r + thick + r * float(np.sin(a)), 0.0)
        for a in np.linspace(0, 2 * np.pi, 25)
    ]
    for k in range(24):
        b.limb(TYRE, points[k], points[k + 1], thick)
        if k % 2:
            b.limb(CHROME, (x, r + thick, 0.02 * (k % 4 - 2)), points[k], 0.002)
    b.frustum(CHROME, (x, r + thick, -0.05), (x, r + thick, 0.05), 0.022, 0.022)


def bicycle(b: Builder, rng: Rng, looks: Looks) -> float:
    """A bicycle on its stand."""
    frame, saddle = _lacquer(rng), matt((0.05, 0.035, 0.025), 0.03, 2)
    _rim(b, -0.52, 0.32, 0.018)
    _rim(b, 0.52, 0.32, 0.018)
    hub, axle, crank = (-0.52, 0.338, 0.0), (0.52, 0.338, 0.0), (0.08, 0.29, 0.0)
    head, seat = (-0.36, 0.82, 0.0), (0.2, 0.8, 0.0)
    for p, q in (
        (head, crank),
        (crank, seat),
        (head, seat),
        (crank, axle),
        (seat, axle),
        (head, hub),
    ):
        b.limb(frame, p, q, 0.017)
    b.limb(CHROME, head, (-0.34, 0.98, 0), 0.014)
    b.limb(CHROME, (-0.34, 0.98, -0.27), (-0.34, 0.98, 0.27), 0.012)
    for z in (-1, 1):
        b.limb(saddle, (-0.34, 0.98, z * 0.27), (-0.22, 0.97, z * 0.3), 0.016)
        b.limb(CHROME, crank, (0.08 + z * 0.12, 0.29 - z * 0.11, z * 0.07), 0.011)
        b.box(saddle, (0.08 + z * 0.12, 0.29 - z * 0.11, z * 0.11), (0.1, 0.02, 0.08))
    b.limb(CHROME, seat, (0.22, 0.92, 0), 0.014)
    b.ellipsoid(saddle, (0.24, 0.945, 0), (0.13, 0.03, 0.07))
    b.frustum(CHROME, (0.08, 0.29, -0.055), (0.08, 0.29, -0.05), 0.09, 0.09)
    b.limb(CHROME, (0.3, 0.35, 0.02), (0.36, 0.01, 0.18), 0.01)
    if rng.random() < 0.5:
        basket = matt((0.4, 0.28, 0.15), 0.02, 3)
        b.frustum(basket, (-0.55, 0.75, 0), (-0.55, 0.97, 0), 0.12, 0.16)
    return 1.0


def scooter(b: Builder, rng: Rng, looks: Looks) -> float:
    """A motor scooter."""
    body, saddle = _lacquer(rng), matt((0.05, 0.035, 0.03), 0.03, 2)
    for x in (-0.62, 0.6):
        _wheel(b, x, 0.0, 0.23, 0.11)
    b.ellipsoid(body, (-0.62, 0.36, 0), (0.26, 0.14, 0.1))
    b.box(body, (-0.1, 0.27, 0), (0.7, 0.08, 0.32))
    b.box(body, (-0.44, 0.6, 0), (0.06, 0.68, 0.4), (0, 0, 0.25))
    b.ellipsoid(body, (0.48, 0.5, 0), (0.42, 0.24, 0.2))
    for z in (-0.17, 0.17):
        b.ellipsoid(body, (0.48, 0.44, z), (0.3, 0.19, 0.08))
    b.ellipsoid(saddle, (0.36, 0.75, 0), (0.36, 0.07, 0.14))
    b.limb(CHROME, (-0.6, 0.3, 0), (-0.45, 0.98, 0), 0.025)
    b.ellipsoid(body, (-0.46, 1.0, 0), (0.1, 0.09, 0.12))
    b.ellipsoid(LAMP, (-0.55, 1.0, 0), (0.04, 0.07, 0.07))
    b.limb(CHROME, (-0.42, 1.03, -0.32), (-0.42, 1.03, 0.32), 0.014)
    for z in (-1, 1):
        b.limb(matt(BLACK, 0.02, 2), (-0.42, 1.03, z * 0.24), (-0.41, 1.03, z * 0.36), 0.02)
        b.limb(CHROME, (-0.42, 1.03, z * 0.2), (-0.43, 1.24, z * 0.3), 0.007)
        b.ellipsoid(CHROME, (-0.43, 1.27, z * 0.3), (0.015, 0.05, 0.06))
    b.ellipsoid(RED, (0.9, 0.6, 0), (0.03, 0.05, 0.06))
    return 1.1


def tractor(b: Builder, rng: Rng, looks: Looks) -> float:
    """A farm tractor."""
    body, hub = _lacquer(rng), glossy((0.6, 0.45, 0.05), 2)
    b.box(body, (-0.65, 0.95, 0), (1.5, 0.5, 0.6))
    b.box(matt(BLACK, 0.03, 2), (-1.4, 0.92, 0), (0.06, 0.4, 0.5))
    b.box(matt(BLACK, 0.03, 2), (-0.3, 0.62, 0), (2.0, 0.25, 0.4))
    b.frustum(matt(BLACK, 0.03, 2), (-0.9, 1.2, 0.2), (-0.9, 1.75, 0.2), 0.04, 0.04)
    b.box(GLASS, (0.62, 1.6, 0), (0.95, 0.95, 0.95))
    b.box(body, (0.62, 2.12, 0), (1.15, 0.1, 1.15))
    b.box(body, (0.62, 1.05, 0), (1.0, 0.4, 0.9))
    for x in (0.14, 1.1):
        for z in (-0.48, 0.48):
            b.box(body, (x, 1.6, z), (0.06, 1.0, 0.06))
    for z in (-0.72, 0.72):
        b.frustum(TYRE, (0.75, 0.72, z - 0.2), (0.75, 0.72, z + 0.2), 0.72, 0.72)
        b.frustum(hub, (0.75, 0.72, z - 0.21), (0.75, 0.72, z + 0.21), 0.4, 0.4)
        b.frustum(TYRE, (-1.1, 0.43, z - 0.13), (-1.1, 0.43, z + 0.13), 0.43, 0.43)
        b.frustum(hub, (-1.1, 0.43, z - 0.14), (-1.1, 0.43, z + 0.14), 0.24, 0.24)
        b.ellipsoid(LAMP, (-1.42, 1.05, z * 0.3), (0.03, 0.07, 0.07))
    return 2.17
