"""Scenes from seeds: a main object, what surrounds it, the camera, the day and the night."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from training.scenes import plants, scenery
from training.scenes.builder import Builder
from training.scenes.geometry import unit, vector
from training.scenes.interior import Interior
from training.scenes.light import Day, Flash, Sky
from training.scenes.objects import OBJECTS
from training.scenes.terrain import Ground
from training.scenes.texture import Colour
from training.scenes.trace import Camera, Surface

Rng = np.random.Generator


@dataclass(frozen=True)
class Composition:
    """Everything the renderer needs; `samples`² rays per pixel; `interior` where it is a room."""

    name: str
    surfaces: tuple[Surface, ...]
    camera: Camera
    day: Day
    flash: Flash
    night_stops: float
    beam_stops: float
    kelvin: float
    samples: int = 2
    interior: Interior | None = None


@dataclass(frozen=True)
class Place:
    """Where the main object stands (x, z), its size, and half the picture's width per metre."""

    x: float
    z: float
    height: float
    spread: float

    def beside(self, rng: Rng, clear: float) -> tuple[float, float]:
        """A spot at about the same distance, at least `clear` metres to one side."""
        side = -1.0 if self.x > 0 else 1.0
        room = max(self.spread * self.z - side * self.x * -1.0, clear)
        return self.x + side * float(rng.uniform(clear, max(clear * 1.1, room))), self.z + float(
            rng.uniform(-0.6, 0.9)
        )


Setting = Callable[[Rng, Place], list[Surface]]


def _waves(rng: Rng, height: float) -> tuple[tuple[float, float, float, float], ...]:
    waves = []
    for _ in range(4):
        k = rng.uniform(0.4, 1.8, 2) * rng.choice([-1, 1], 2)
        waves.append(
            (
                height * float(rng.uniform(0.4, 1)),
                float(k[0]),
                float(k[1]),
                float(rng.uniform(0, 6)),
            )
        )
    return tuple(waves)


def meadow(rng: Rng, at: Place) -> list[Surface]:
    """Open grass with hills, scattered trees and tufts."""
    floor = Ground(_waves(rng, 0.05))
    out = [
        Surface(floor, plants.grass(rng)),
        *scenery.ridges(rng, float(rng.uniform(45, 90))),
    ]
    for _ in range(int(rng.integers(1, 4))):
        z = float(rng.uniform(at.z + 5, 32))
        out += plants.tree(
            rng,
            float(rng.uniform(-1.1, 1.1)) * at.spread * z,
            z,
            float(rng.uniform(4, 8)),
            rng.random() < 0.3,
        )
    for _ in range(int(rng.integers(1, 4))):
        z = float(rng.uniform(at.z + 1, at.z + 7))
        out += plants.bush(
            rng, float(rng.uniform(-1, 1)) * at.spread * z, z, float(rng.uniform(0.5, 1.2))
        )
    return out + plants.blades(rng, 420, 0.9, at.z + 2, at.spread * 1.1, 0.13, floor)


def garden(rng: Rng, at: Place) -> list[Surface]:
    """A lawn before a house, with a fence, shrubs and a tree."""
    z = at.z + float(rng.uniform(6, 13))
    out = [scenery.ground(plants.grass(rng)), *scenery.ridges(rng, 60)]
    out += scenery.house(
        rng, float(rng.uniform(-0.6, 0.6)) * at.spread * z, z, float(rng.uniform(-0.4, 0.4))
    )
    out += plants.tree(
        rng, float(rng.choice([-1, 1])) * at.spread * (z - 3) * 0.8, z - 3, float(rng.uniform(4, 6))
    )
    if rng.random() < 0.6:
        left = -at.spread * (at.z + 2.5) * 1.05
        out += scenery.fence(rng, at.z + 2.5, left, left + float(rng.uniform(1.5, 4)))
    for _ in range(3):
        d = float(rng.uniform(at.z + 1, z - 2.5))
        out += plants.bush(
            rng, float(rng.uniform(-1, 1)) * at.spread * d, d, float(rng.uniform(0.5, 1.1))
        )
    return out + plants.blades(rng, 300, 0.9, at.z + 1, at.spread * 1.1, 0.09)


def street(rng: Rng, at: Place) -> list[Surface]:
    """A paved street between house fronts."""
    out = [scenery.ground(scenery.pavement(rng)), *scenery.ridges(rng, 80)]
    half = float(rng.uniform(3.2, 5.0)) + abs(at.x)
    for k in range(2):
        for side in (-1, 1):
            z = at.z + 4 + 9.5 * k + float(rng.uniform(-1, 1))
            out += scenery.house(rng, side * (half + 2.5), z, -side * np.pi / 2)
    for _ in range(3):
        z = float(rng.uniform(at.z - 0.5, at.z + 9))
        out += scenery.post(
            rng, float(rng.choice([-1, 1])) * (half - 0.8), z, float(rng.uniform(0.8, 1.1))
        )
    out += plants.tree(rng, float(rng.uniform(-2, 2)), at.z + 26, 7.5)
    return out


def by_the_wall(rng: Rng, at: Place) -> list[Surface]:
    """A wall close behind, a pavement in front of it."""
    out = [scenery.ground(scenery.pavement(rng))]
    gap = float(rng.uniform(0.9, 2.6))
    out.append(
        scenery.wall(
            0,
            at.z + gap,
            40,
            float(rng.uniform(1.8, 4.0)),
            float(rng.uniform(-0.2, 0.2)),
            scenery.masonry(rng),
        )
    )
    out += scenery.ridges(rng, 50)
    for _ in range(int(rng.integers(1, 3))):
        out += plants.bush(
            rng,
            at.x + float(rng.choice([-1, 1])) * float(rng.uniform(1.2, 2.4)),
            at.z + gap - 0.4,
            0.6,
        )
    return out


def forest(rng: Rng, at: Place) -> list[Surface]:
    """Trunks one behind the other over leaf litter."""
    floor = Ground(_waves(rng, 0.06))
    out = [Surface(floor, scenery.soil(rng)), *scenery.ridges(rng, 35)]
    placed = 0
    while placed < 16:
        z = float(rng.uniform(at.z * 0.9, at.z + 17))
        x = float(rng.uniform(-1.15, 1.15)) * at.spread * z
        if abs(x - at.x * z / at.z) > 0.7 or z > at.z + 4:
            out += plants.trunks(rng, x, z)
            placed += 1
    for _ in range(5):
        z = float(rng.uniform(at.z + 1, at.z + 12))
        out += plants.bush(
            rng, float(rng.uniform(-1, 1)) * at.spread * z, z, float(rng.uniform(0.4, 1.1))
        )
    return out + plants.blades(rng, 220, 0.9, at.z + 2, at.spread * 1.1, 0.16, floor)


def room(rng: Rng, at: Place) -> list[Surface]:
    """A corner of a yard or an open hall: a floor, two or three walls, nothing far."""
    out = [scenery.ground(scenery.boards(rng))]
    gap, side = float(rng.uniform(1.0, 2.2)), float(rng.choice([-1, 1]))
    paper = scenery.masonry(rng)
    edge = at.spread * at.z + float(rng.uniform(0.0, 0.5))
    out.append(scenery.wall(0, at.z + gap, 24, 8, 0, paper))
    out.append(scenery.wall(side * edge, at.z, 14, 8, np.pi / 2, paper))
    shelf = Builder(
        vector(-side * edge * 0.75, 0, at.z + gap - 0.35), float(rng.uniform(-0.2, 0.2))
    )
    OBJECTS[str(rng.choice(["crates", "vase", "potted plant", "barrel"]))](shelf, rng)
    return out + shelf.surfaces


SETTINGS: dict[str, Setting] = {
    "meadow": meadow,
    "garden": garden,
    "street": street,
    "wall": by_the_wall,
    "forest": forest,
    "room": room,
}

_PLAUSIBLE: dict[str, tuple[str, ...]] = {
    "meadow": ("fox", "grazer", "person", "hay bale", "statue", "barrel"),
    "garden": ("fox", "person", "statue", "barrel", "potted plant", "vase", "owl"),
    "street": ("telephone box", "person", "car", "crates", "statue"),
    "wall": ("barrel", "car", "person", "telephone box", "crates", "vase"),
    "forest": ("fox", "grazer", "owl", "person"),
    "room": ("vase", "potted plant", "crates", "person", "owl"),
}

_WIDE = {"fox": 1.5, "grazer": 2.1, "car": 3.7, "hay bale": 1.5, "crates": 1.2}


def daylight(rng: Rng, sunny: bool, bounce: Colour, haze: float) -> Day:
    """A sunny day from any side, or a cloudy one; both balanced so that grey looks grey."""
    seed = float(rng.uniform(0, 60))
    if not sunny:
        sky = Sky((0.5, 0.53, 0.57), (0.78, 0.79, 0.8), 0.8, (0.86, 0.87, 0.88), seed)
        return Day(sky, (0.95, 0.97, 1.0), bounce, None, haze=haze)
    azimuth = float(rng.uniform(-2.6, 2.6))
    height = float(rng.uniform(0.45, 1.05))
    to_sun = vector(
        np.sin(azimuth) * np.cos(height), np.sin(height), -np.cos(azimuth) * np.cos(height)
    )
    sky = Sky((0.1, 0.23, 0.56), (0.6, 0.74, 0.9), float(rng.uniform(0.0, 0.75)), seed=seed)
    return Day(sky, (0.23, 0.29, 0.39), bounce, unit(to_sun), (1.06, 0.97, 0.83), haze)


def compose(seed: int, aspect: float = 1.5) -> Composition:
    """The composition of a seed for pictures of the given width / height."""
    rng = np.random.default_rng(seed)
    setting = list(SETTINGS)[int(seed) % len(SETTINGS)]
    plausible = _PLAUSIBLE[setting]
    kind = plausible[(seed // len(SETTINGS) + 3 * (seed % len(SETTINGS))) % len(plausible)]
    probe = Builder(vector(0, 0, 0))
    height = OBJECTS[kind](probe, np.random.default_rng(seed))
    fov = float(rng.uniform(35, 65))
    spread = float(np.tan(np.radians(fov) / 2))
    tall = height / float(rng.uniform(0.42, 0.72)) * aspect / 2 / spread
    wide = _WIDE.get(kind, 0.6) / float(rng.uniform(0.38, 0.62)) / 2 / spread
    z = float(np.clip(max(tall, wide), 2.0, 8.0))
    x = float(rng.uniform(-0.28, 0.28)) * spread * z
    at = Place(x, z, height, spread)
    surfaces = SETTINGS[setting](rng, at)
    floor = surfaces[0].shape
    y = floor.height_at(x, z) if isinstance(floor, Ground) else 0.0
    yaw = float(rng.uniform(-0.5, 0.5)) + (np.pi if rng.random() < 0.5 and kind in _WIDE else 0.0)
    main = Builder(vector(x, y - 0.01, z), yaw, main=True)
    OBJECTS[kind](main, np.random.default_rng(seed))
    surfaces += main.surfaces
    if rng.random() < 0.7:
        other = str(
            rng.choice([k for k in _PLAUSIBLE[setting] if k not in ("car", "grazer", kind)])
        )
        bx, bz = at.beside(rng, _WIDE.get(kind, 0.8) / 2 + 0.8)
        second = Builder(vector(bx, 0, bz), float(rng.uniform(-0.6, 0.6)))
        OBJECTS[other](second, rng)
        surfaces += second.surfaces
    if rng.random() < 0.4:
        near = float(rng.uniform(1.2, 1.8))
        edge = -np.sign(x) * spread * near * float(rng.uniform(0.72, 0.95))
        surfaces += scenery.post(rng, float(edge), near, float(rng.uniform(0.7, 1.3)))

    lens = float(rng.uniform(0.5, 1.8))
    pitch = float(np.arctan2(height * 0.5 - lens, z) + rng.uniform(-0.01, 0.06))
    camera = Camera(lens, pitch, fov)
    indoors = setting == "room"
    sunny = bool(rng.random() < (0.35 if indoors else 0.72))
    bounce: Colour = (
        (0.13, 0.13, 0.08) if setting in ("meadow", "garden", "forest") else (0.19, 0.18, 0.16)
    )
    haze = float(rng.uniform(250, 1500)) if not indoors else np.inf
    day = daylight(rng, sunny, bounce, haze)
    if indoors:  # what a glossy floor mirrors is a ceiling, not the sky
        day = replace(day, sky=Sky((0.3, 0.29, 0.27), (0.3, 0.29, 0.27)))
    beam = float(rng.uniform(1.0, 1.8))
    corner = float(np.arctan(spread * np.hypot(1, 1 / aspect)))
    lamp = camera.position + vector(
        float(rng.uniform(0.02, 0.08)), float(rng.uniform(0.05, 0.12)), 0
    )
    flash = Flash(
        lamp, unit(vector(x, height * 0.5, z) - lamp), corner / float(np.sqrt(2 * np.log(2) * beam))
    )
    return Composition(
        name=f"{kind}, {setting}, {'sunny' if sunny else 'cloudy'}",
        surfaces=tuple(surfaces),
        camera=camera,
        day=day,
        flash=flash,
        night_stops=float(rng.uniform(4.5, 7.5)),
        beam_stops=-beam,
        kelvin=float(np.exp(rng.uniform(np.log(3000), np.log(8000)))),
    )
