"""Furniture: each function builds a piece and returns the height on which things can stand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from training.scenes.builder import Builder, Rng, glossy, paint, scaled, seed_of
from training.scenes.looks import CREAM, Looks, timber
from training.scenes.texture import Material, plain

METAL = Material(plain((0.35, 0.35, 0.36)), gloss=0.3, roughness=0.35)


def _between(rng: Rng, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def table(b: Builder, rng: Rng, looks: Looks, width: float = 1.3, depth: float = 0.8) -> float:
    """A table of wood or lacquer, perhaps with a cloth."""
    top = timber(rng) if rng.random() < 0.65 else looks.finish(rng)
    height, thick = _between(rng, 0.68, 0.78), _between(rng, 0.025, 0.05)
    b.box(top, (0, height - thick / 2, 0), (width, thick, depth))
    b.box(top, (0, height - thick - 0.04, 0), (width - 0.16, 0.08, depth - 0.16))
    leg = _between(rng, 0.025, 0.045)
    for x in (-1, 1):
        for z in (-1, 1):
            at = x * (width / 2 - 0.08), z * (depth / 2 - 0.08)
            b.frustum(top, (at[0], 0, at[1]), (at[0], height - thick, at[1]), leg * 0.7, leg)
    if rng.random() < 0.3:
        cloth = looks.cloth(rng)
        b.box(cloth, (0, height + 0.003, 0), (width + 0.012, 0.006, depth + 0.012))
        for side in (-1, 1):
            b.box(cloth, (0, height - 0.09, side * (depth / 2 + 0.005)), (width, 0.19, 0.006))
            b.box(cloth, (side * (width / 2 + 0.005), height - 0.09, 0), (0.006, 0.19, depth))
        height += 0.006
    return height


def low_table(b: Builder, rng: Rng, looks: Looks) -> float:
    """A coffee table, square or round."""
    top, height = timber(rng) if rng.random() < 0.6 else looks.finish(rng), _between(rng, 0.38, 0.5)
    if rng.random() < 0.5:
        r = _between(rng, 0.35, 0.5)
        b.frustum(top, (0, height - 0.03, 0), (0, height, 0), r, r)
        b.frustum(top, (0, 0.02, 0), (0, height, 0), 0.05, 0.04)
        b.frustum(top, (0, 0, 0), (0, 0.03, 0), 0.26, 0.24)
        return height
    width, depth = _between(rng, 0.8, 1.1), _between(rng, 0.5, 0.65)
    b.box(top, (0, height - 0.02, 0), (width, 0.04, depth))
    for x in (-1, 1):
        b.box(top, (x * (width / 2 - 0.05), height / 2, 0), (0.05, height, depth - 0.08))
    return height


def chair(b: Builder, rng: Rng, looks: Looks) -> float:
    """A wooden chair with a cushion; its front is towards -z."""
    wood, cushion = timber(rng), looks.cloth(rng)
    seat = 0.44
    b.box(wood, (0, seat, 0), (0.42, 0.03, 0.42))
    b.box(cushion, (0, seat + 0.03, 0), (0.39, 0.035, 0.39))
    for x in (-0.18, 0.18):
        b.frustum(wood, (x, 0, -0.18), (x, seat, -0.18), 0.018, 0.022)
        b.limb(wood, (x, 0.02, 0.2), (x, seat, 0.18), 0.02)
        b.limb(wood, (x, seat, 0.18), (x, 0.93, 0.25), 0.02)
    for y in (0.62, 0.75, 0.88):
        b.box(wood, (0, y, 0.18 + (y - seat) * 0.145), (0.36, 0.07, 0.018), (0, -0.14, 0))
    return seat + 0.048


def sofa(b: Builder, rng: Rng, looks: Looks, width: float = 1.7) -> float:
    """A sofa or an armchair with cushions; its front is towards -z."""
    cover = looks.cloth(rng)
    seat = _between(rng, 0.38, 0.44)
    b.box(cover, (0, 0.17, 0.03), (width - 0.1, 0.22, 0.76))
    b.limb(cover, (-width / 2 + 0.15, 0.74, 0.36), (width / 2 - 0.15, 0.74, 0.36), 0.1)
    b.box(cover, (0, 0.5, 0.36), (width - 0.1, 0.5, 0.18))
    for side in (-1, 1):
        x = side * (width / 2 - 0.08)
        b.box(cover, (x, 0.32, 0.0), (0.16, 0.5, 0.82))
        b.limb(cover, (x, 0.57, -0.34), (x, 0.57, 0.34), 0.085)
        for z in (-0.32, 0.34):
            b.frustum(METAL, (x, 0, z), (x, 0.08, z), 0.02, 0.025)
    count = max(1, round((width - 0.32) / 0.62))
    each = (width - 0.34) / count
    for n in range(count):
        along = (n + 0.5) * each - (width - 0.34) / 2
        b.box(cover, (along, seat - 0.08, -0.04), (each - 0.015, 0.13, 0.66))
        b.ellipsoid(cover, (along, seat - 0.02, -0.04), (each * 0.47, 0.035, 0.3))
    if rng.random() < 0.7:
        pillow, end = looks.cloth(rng), float(rng.choice([-1, 1]))
        lies = (end * (width / 2 - 0.33), seat + 0.17, 0.18)
        b.ellipsoid(pillow, lies, (0.21, 0.2, 0.08), (0.1 * end, -0.3, 0.1))
    return seat - 0.008  # one sinks in a little


def shelf(b: Builder, rng: Rng, looks: Looks, width: float = 0.9) -> float:
    """A bookcase with books, boxes and small things; its front is towards -z."""
    board = timber(rng, 1.8) if rng.random() < 0.6 else glossy(scaled(CREAM, 1.0), seed_of(rng))
    height, depth = _between(rng, 1.1, 2.0), 0.3
    for x in (-width / 2, width / 2):
        b.box(board, (x, height / 2, 0), (0.025, height, depth))
    b.box(board, (0, height / 2, depth / 2 - 0.01), (width, height, 0.015))
    levels = np.linspace(0.06, height - 0.012, max(3, round(height / 0.34) + 1))
    for y in levels:
        b.box(board, (0, float(y), 0), (width, 0.022, depth))
    for low, high in pairwise(levels):
        _row(b, rng, looks, width, float(low) + 0.011, float(high - low) - 0.03)
    return height


def _row(b: Builder, rng: Rng, looks: Looks, width: float, y: float, room: float) -> None:
    """Things on one board of a shelf, with `room` metres above it."""
    x, end = -width / 2 + 0.02, width / 2 - 0.02
    while x < end - 0.05:
        kind = rng.random()
        if kind < 0.75:
            thick = _between(rng, 0.018, 0.05)
            tall, deep = room * _between(rng, 0.6, 0.95), _between(rng, 0.15, 0.22)
            colour = paint(rng, _between(rng, 0.1, 0.9), _between(rng, 0.05, 0.7))
            back = glossy(colour, seed_of(rng), 0.03, 0.5)
            b.box(back, (x + thick / 2, y + tall / 2, -0.02), (thick - 0.002, tall, deep))
            x += thick
        elif kind < 0.88:
            wide = min(_between(rng, 0.12, 0.25), end - x)
            tall = room * _between(rng, 0.4, 0.85)
            b.box(looks.finish(rng), (x + wide / 2, y + tall / 2, -0.02), (wide - 0.02, tall, 0.2))
            x += wide
        else:
            r = min(_between(rng, 0.04, 0.075), room / 2.4)
            if x + 2 * r < end:
                vase = glossy(paint(rng, 0.6, _between(rng, 0.1, 0.7)), seed_of(rng))
                b.ellipsoid(vase, (x + r + 0.01, y + r, -0.03), (r, r, r))
                b.frustum(
                    vase,
                    (x + r + 0.01, y + r, -0.03),
                    (x + r + 0.01, y + 2.3 * r, -0.03),
                    r * 0.5,
                    r * 0.6,
                )
            x += 2 * r + 0.03


def cupboard(b: Builder, rng: Rng, looks: Looks) -> float:
    """A sideboard or a chest of drawers; its front is towards -z."""
    body = timber(rng) if rng.random() < 0.5 else looks.finish(rng)
    width, height, depth = _between(rng, 0.8, 1.4), _between(rng, 0.7, 0.95), 0.42
    b.box(body, (0, height / 2 + 0.03, 0), (width, height - 0.06, depth))
    b.box(body, (0, height - 0.012, -0.005), (width + 0.04, 0.024, depth + 0.03))
    b.box(METAL, (0, 0.03, 0.01), (width - 0.08, 0.06, depth - 0.08))
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    for i in range(columns):
        for k in range(rows):
            w, h = width / columns, (height - 0.1) / rows
            x, y = (i + 0.5) * w - width / 2, 0.07 + (k + 0.5) * h
            b.box(body, (x, y, -depth / 2 - 0.006), (w - 0.02, h - 0.02, 0.014))
            b.ball(METAL, (x, y + h * 0.2, -depth / 2 - 0.025), 0.014)
    return height


def bed(b: Builder, rng: Rng, looks: Looks) -> float:
    """A bed seen from its side; the head is towards +x."""
    frame, cover, linen = timber(rng), looks.cloth(rng), glossy((0.72, 0.71, 0.69), 2.0, 0.0)
    b.box(frame, (0, 0.22, 0), (2.0, 0.14, 0.95))
    b.box(frame, (1.0, 0.45, 0), (0.05, 0.9, 0.95))
    for x in (-0.95, 0.95):
        for z in (-0.43, 0.43):
            b.box(frame, (x, 0.1, z), (0.07, 0.2, 0.07))
    b.box(linen, (0, 0.37, 0), (1.92, 0.18, 0.9))
    b.box(cover, (-0.25, 0.4, 0), (1.44, 0.2, 0.97))
    b.ellipsoid(cover, (-0.25, 0.49, 0), (0.7, 0.045, 0.45))
    b.ellipsoid(linen, (0.7, 0.52, 0), (0.2, 0.085, 0.36))
    return 0.53


def floor_lamp(b: Builder, rng: Rng, looks: Looks) -> float:
    """A standard lamp; returns the height of its bulb, which is in the shade."""
    shade, height = looks.cloth(rng), _between(rng, 1.3, 1.6)
    b.frustum(METAL, (0, 0, 0), (0, 0.03, 0), 0.15, 0.14)
    b.frustum(METAL, (0, 0, 0), (0, height, 0), 0.014, 0.012)
    b.frustum(shade, (0, height, 0), (0, height + 0.26, 0), 0.2, 0.14)
    return height
