"""Scenes of wide variety: shapes put together at random, surfaces that look like bits of photos.

They start from the compositions in ``scenes`` and leave their plausibility behind: what a network
learns must not hang on a fox being brown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.scenes.builder import Builder, Rng, glossy, matt, paint, seed_of
from training.scenes.composition import Composition, compose
from training.scenes.geometry import Array, vector
from training.scenes.light import Day, Sky
from training.scenes.objects import OBJECTS
from training.scenes.photo_texture import Photos, cut, mirrored
from training.scenes.render import RenderedScene, main_share, render
from training.scenes.texture import Material, fractal
from training.scenes.trace import Surface

EMPTY = 0.12  # share of scenes without a main object
LEAST, MOST = 0.012, 0.7  # of the picture that a main object covers
TRIES = 8


def wild_scene(seed: int, width: int, height: int, photos: Photos) -> RenderedScene:
    """Render the scene of a seed.

    Args:
        seed: The same gives the same scene from the same photos.
        width, height: Pixels.
        photos: (h, w, 3) encoded pictures from which surfaces are cut.
    """
    for attempt in range(TRIES):
        rng = np.random.default_rng((seed, attempt))
        scene, empty = wild_composition(rng, width / height, photos)
        if rng.random() < 0.25:
            scene = replace(scene, samples=1)
        share = main_share(scene, width, height)
        if empty or LEAST <= share <= MOST:
            break
    if share < LEAST / 4:
        scene = replace(scene, surfaces=tuple(replace(s, main=False) for s in scene.surfaces))
    return render(scene, width, height, seed=seed)


def wild_composition(rng: Rng, aspect: float, photos: Photos) -> tuple[Composition, bool]:
    """A random composition, and whether it is one without a main object."""
    base = compose(int(rng.integers(1_000_000, 2_000_000)), aspect)
    main = [s for s in base.surfaces if s.main]
    around = [s for s in base.surfaces if not s.main]
    place = main[0].frame.origin
    size = max(float(s.solid.centre[1, 0] + s.solid.radius) for s in main)
    empty = bool(rng.random() < EMPTY)
    if empty:
        main = []
    elif rng.random() < 0.6:
        builder = Builder(place, float(rng.uniform(-np.pi, np.pi)), main=True)
        if rng.random() < 0.3:
            OBJECTS[str(rng.choice(list(OBJECTS)))](builder, rng)
        else:
            assemble(builder, rng, size * float(rng.uniform(0.6, 1.1)), photos)
        main = builder.surfaces
    for _ in range(int(rng.integers(0, 4))):
        around += _bystander(rng, place, size, photos)
    dressed = _dressed(around, rng, photos, 0.5) + _dressed(main, rng, photos, 0.4)
    fov = float(np.clip(base.camera.fov * rng.uniform(0.75, 1.35), 20, 85))
    pitch = base.camera.pitch + float(rng.normal(0, 0.06))
    camera = replace(base.camera, fov=fov, pitch=pitch)
    return replace(base, surfaces=tuple(dressed), camera=camera, day=_weather(base.day, rng)), empty


def assemble(b: Builder, rng: Rng, size: float, photos: Photos) -> None:
    """Build something of up to eight simple solids, about ``size`` metres high."""
    coats = [_coat(rng, photos) for _ in range(int(rng.integers(1, 4)))]
    count = int(rng.integers(1, 9))
    wide = size * float(rng.uniform(0.3, 1.2))
    stands = rng.random() < 0.8
    at = np.array([0.0, size / 2, 0.0])
    for _ in range(count):
        coat = coats[int(rng.integers(len(coats)))]
        x, y, z = (float(v) for v in at)
        part = np.exp(rng.uniform(np.log(0.12), np.log(0.5), 3)) * np.array([wide, size, wide])
        a, c, d = (float(v) for v in part)
        turn = tuple(float(v) for v in rng.normal(0, 0.5, 3))
        kind = rng.random()
        if kind < 0.4:
            b.ellipsoid(coat, (x, max(y, c * 0.7), z), (a, c, d), (turn[0], turn[1], turn[2]))
        elif kind < 0.6:
            b.box(
                coat, (x, max(y, c), z), (2 * a, 2 * c, 2 * d), (turn[0], turn[1] / 3, turn[2] / 3)
            )
        elif kind < 0.8:
            tip = (x + float(rng.normal(0, 0.3)) * wide, float(rng.uniform(0.5, 1)) * size, z)
            b.frustum(coat, (x, 0.0, z), tip, a * 0.8, a * float(rng.uniform(0, 1)))
        else:
            foot = (x + float(rng.normal(0, 0.25)) * wide, 0.0 if stands else y * 0.5, z)
            b.limb(coat, foot, (x, y + c, z), 0.25 * a)
        step = rng.normal(0, 0.28, 3) * np.array([wide, size, wide])
        at = np.clip(at + step, [-wide, 0.1 * size, -wide], [wide, 0.95 * size, wide])
    if rng.random() < 0.25:
        b.foliage(
            rng, coats[0], (0, size * 0.7, 0), (wide / 2, size / 3, wide / 2), 0.12 * size, 24
        )


def _bystander(rng: Rng, place: Array, size: float, photos: Photos) -> list[Surface]:
    """Something that is not meant: smaller, farther, or at the edge of the picture."""
    z = float(place[2, 0]) * float(rng.uniform(1.3, 4.0))
    x = float(rng.uniform(-0.8, 0.8)) * z
    builder = Builder(vector(x, 0, z), float(rng.uniform(-np.pi, np.pi)))
    if rng.random() < 0.5:
        OBJECTS[str(rng.choice(list(OBJECTS)))](builder, rng)
    else:
        assemble(builder, rng, size * float(rng.uniform(0.3, 1.0)), photos)
    return builder.surfaces


def _coat(rng: Rng, photos: Photos) -> Material:
    kind = rng.random()
    if kind < 0.6:
        return _from_photo(rng, photos)
    if kind < 0.8:
        return matt(
            paint(rng, float(rng.uniform(0, 0.9)), float(rng.uniform(0.05, 0.85))),
            0.3,
            seed_of(rng),
        )
    return glossy(
        paint(rng, float(rng.uniform(0, 0.9)), float(rng.uniform(0.05, 0.85))), seed_of(rng)
    )


def _dressed(surfaces: Sequence[Surface], rng: Rng, photos: Photos, share: float) -> list[Surface]:
    """Give a share of the materials another look; what was of one material remains so."""
    new = {
        id(s.material): _from_photo(rng, photos) if rng.random() < share else s.material
        for s in surfaces
    }
    return [replace(s, material=new[id(s.material)]) for s in surfaces]


def _from_photo(rng: Rng, photos: Photos) -> Material:
    """Matter that shows a bit of a photo, mirrored where it is repeated."""
    part = cut(rng, photos, (0.06, 0.5))
    metres = float(np.exp(rng.uniform(np.log(0.25), np.log(4.0))))
    turn = float(rng.uniform(0, 2 * np.pi))
    texture = mirrored(part, metres, turn)
    gloss = float(rng.uniform(0, 0.08)) if rng.random() < 0.3 else 0.0
    if rng.random() < 0.4:
        return Material(texture, fractal(metres / 8, 3, seed_of(rng)), metres / 120, gloss=gloss)
    return Material(texture, gloss=gloss)


def _weather(day: Day, rng: Rng) -> Day:
    """Another light: skies and suns of any colour that one may see."""
    tint = np.exp(rng.normal(0, 0.18, 3))

    def tinted(colour: tuple[float, float, float]) -> tuple[float, float, float]:
        r, g, b = (float(v) for v in np.array(colour) * tint)
        return r, g, b

    sky = replace(
        day.sky,
        zenith=tinted(day.sky.zenith),
        horizon=tinted(day.sky.horizon),
        clouds=float(rng.uniform(0, 1)) if rng.random() < 0.5 else day.sky.clouds,
    )
    if rng.random() < 0.15:  # a blank wall of a sky, bright or dark
        level = float(rng.uniform(0.02, 1.0))
        sky = Sky(tinted((level, level, level)), tinted((level, level, level)))
    haze = float(rng.uniform(15, 120)) if rng.random() < 0.15 else day.haze
    return replace(day, sky=sky, dome=tinted(day.dome), haze=haze)
