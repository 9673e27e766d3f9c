"""People, vehicles and statues outdoors, from seeds."""

from __future__ import annotations

import numpy as np

from training.scenes import statues, vehicles
from training.scenes.builder import Builder, Rng
from training.scenes.composition import SETTINGS, Composition, Place, daylight
from training.scenes.furnishing import Maker, extent
from training.scenes.geometry import Array, unit, vector
from training.scenes.light import Flash
from training.scenes.looks import Looks
from training.scenes.people import Outfit, sitting, standing
from training.scenes.photo_texture import Photos
from training.scenes.terrain import Ground, Terrain
from training.scenes.texture import Colour, Material, wood
from training.scenes.trace import Camera, Surface


def _adult(b: Builder, rng: Rng, looks: Looks) -> float:
    return standing(b, rng, Outfit.drawn(rng, looks))


def _child(b: Builder, rng: Rng, looks: Looks) -> float:
    return standing(b, rng, Outfit.drawn(rng, looks), float(rng.uniform(0.5, 0.8)))


def _group(b: Builder, rng: Rng, looks: Looks) -> float:
    """Two or three people side by side."""
    count, tallest = int(rng.integers(2, 4)), 0.0
    for k in range(count):
        at = b.point(((k - (count - 1) / 2) * 0.62, 0.0, float(rng.uniform(-0.15, 0.15))))
        one = Builder(at, b.yaw + float(rng.uniform(-0.4, 0.4)), b.main, b.surfaces, b.thing)
        size = float(rng.choice([1.0, 1.0, 0.65]))
        tallest = max(tallest, standing(one, rng, Outfit.drawn(rng, looks), size))
    return tallest


def _on_a_bench(b: Builder, rng: Rng, looks: Looks) -> float:
    """Someone on a bench, which counts as part of the main object."""
    planks = Material(wood((0.2, 0.13, 0.07), (0.4, 0.27, 0.15), 0.1, (1, 0, 0)))
    for z in (-0.18, -0.06, 0.06, 0.18):
        b.box(planks, (0, 0.44, z), (1.5, 0.03, 0.1))
    for y in (0.62, 0.76, 0.9):
        b.box(planks, (0, y, 0.24 + (y - 0.6) * 0.2), (1.5, 0.1, 0.025), (0, -0.2, 0))
    for x in (-0.65, 0.65):
        b.box(vehicles.TYRE, (x, 0.22, 0), (0.06, 0.44, 0.42))
        b.limb(vehicles.TYRE, (x, 0.4, 0.2), (x, 0.95, 0.33), 0.025)
    at = b.point((float(rng.uniform(-0.4, 0.4)), 0, 0.0))
    one = Builder(at, b.yaw, b.main, b.surfaces, b.thing)
    sitting(one, rng, Outfit.drawn(rng, looks), 0.455)
    return 1.43


PEOPLE: dict[str, Maker] = {
    "adult": _adult,
    "child": _child,
    "group": _group,
    "bench": _on_a_bench,
    "portrait": _adult,
}
VEHICLES: dict[str, Maker] = {
    "car": vehicles.saloon,
    "van": vehicles.van,
    "bicycle": vehicles.bicycle,
    "scooter": vehicles.scooter,
    "tractor": vehicles.tractor,
}
STATUES: dict[str, Maker] = {
    "statue": statues.standing_statue,
    "seated statue": statues.sitting_statue,
    "bust": statues.portrait,
    "lion": statues.lion,
    "obelisk": statues.obelisk,
}
PLACES = {
    "people": ("meadow", "garden", "street", "wall", "forest"),
    "vehicles": ("street", "wall", "street", "garden", "meadow"),
    "statues": ("garden", "street", "meadow", "wall", "forest"),
}


def _turn(rng: Rng, sort: str) -> float:
    """People and statues face the camera more or less; vehicles are seen from any side."""
    if sort != "vehicles":
        return float(rng.normal(0, 0.45))
    return float(rng.choice([0.0, np.pi]) + rng.uniform(-1.0, 1.0))


def _cleared(surfaces: list[Surface], x: float, z: float, size: Array) -> list[Surface]:
    """Without the things that stand where the main object stands, or before it."""
    in_the_way = set()
    for s in surfaces:
        if s.thing and not isinstance(s.shape, Terrain):
            at, half = s.solid.centre[:, 0], s.solid.half
            depth = float(at[2] - half[2])
            share = min(max(depth, 0.3) / z, 1.0)
            apart = abs(float(at[0]) - x * share) - float(half[0])
            if depth < z + float(size[2]) / 2 and apart < share * float(size[0]) / 2 + 0.05:
                in_the_way.add(s.thing)
    return [s for s in surfaces if s.thing not in in_the_way]


def _others(
    rng: Rng, looks: Looks, at: Place, size: Array, makers: dict[str, Maker]
) -> list[Surface]:
    """Perhaps someone or something more, farther off and to a side."""
    if rng.random() < 0.5:
        return []
    choice = PEOPLE if rng.random() < 0.5 else makers
    depth = at.z + float(rng.uniform(1.0, 7.0)) + float(size[2])
    side = -1.0 if at.x > 0 else 1.0
    x = at.x * depth / at.z + side * (float(size[0]) / 2 + float(rng.uniform(0.8, 2.0)))
    made = Builder(vector(x, 0, depth), float(rng.uniform(-np.pi, np.pi)))
    choice[str(rng.choice(list(choice)))](made, rng, looks)
    return made.surfaces


def compose_figure(seed: int, aspect: float = 4 / 3, photos: Photos = ()) -> Composition:
    """The scene of a seed: people, a vehicle or a statue in one of the outdoor settings.

    Args:
        seed: The same gives the same scene from the same photos.
        aspect: Width / height of the picture.
        photos: (h, w, 3) encoded pictures from which clothes and signs are cut.
    """
    rng = np.random.default_rng((seed, 19))
    looks = Looks(photos)
    sort = list(PLACES)[seed % len(PLACES)]
    makers = {"people": PEOPLE, "vehicles": VEHICLES, "statues": STATUES}[sort]
    kind = str(rng.choice(list(makers)))
    setting = str(rng.choice(PLACES[sort]))
    yaw = _turn(rng, sort)
    start = int(rng.integers(1 << 31))

    def build(x: float, y: float, z: float) -> Builder:
        made = Builder(vector(x, y, z), yaw, main=True)
        makers[kind](made, np.random.default_rng(start), looks)
        return made

    low, high = extent(build(0, 0, 0).surfaces)
    size = high - low
    height = float(high[1])
    if kind == "portrait":  # someone near, of whom one sees no more than the upper half
        low, size = low + size * np.array([0, 0.55, 0]), size * np.array([1, 0.45, 1])
    fov = float(rng.uniform(36, 62))
    spread = float(np.tan(np.radians(fov) / 2))
    tall = float(size[1]) / float(rng.uniform(0.45, 0.8)) * aspect / 2 / spread
    wide = float(size[0]) / float(rng.uniform(0.42, 0.72)) / 2 / spread
    z = float(np.clip(max(tall, wide) + size[2] / 2, 1.2, 10.0))
    x = float(rng.uniform(-0.22, 0.22)) * spread * z - float(low[0] + high[0]) / 2
    at = Place(x, z, height, spread)
    surfaces = SETTINGS[setting](rng, at)
    floor = surfaces[0].shape
    y = floor.height_at(x, z) if isinstance(floor, Ground) else 0.0
    surfaces = _cleared(surfaces, x, z, size)
    main = build(x, y - 0.005, z)
    surfaces += main.surfaces + _others(rng, looks, at, size, makers)
    middle = y + float(low[1] + size[1] / 2)
    lens = float(np.clip(middle + rng.uniform(-0.1, 0.25) * z, 0.5, 1.8))
    camera = Camera(lens, float(np.arctan2(middle - lens, z) + rng.uniform(-0.03, 0.04)), fov)
    bounce: Colour = (
        (0.13, 0.13, 0.08) if setting in ("meadow", "garden", "forest") else (0.19, 0.18, 0.16)
    )
    day = daylight(rng, bool(rng.random() < 0.7), bounce, float(rng.uniform(250, 1500)))
    beam = float(rng.uniform(1.0, 1.8))
    corner = float(np.arctan(spread * np.hypot(1, 1 / aspect)))
    lamp = camera.position + vector(
        float(rng.uniform(0.02, 0.08)), float(rng.uniform(0.05, 0.12)), 0
    )
    return Composition(
        name=f"{kind}, {setting}",
        surfaces=tuple(surfaces),
        camera=camera,
        day=day,
        flash=Flash(
            lamp,
            unit(vector(x, middle, z) - lamp),
            corner / float(np.sqrt(2 * np.log(2) * beam)),
        ),
        night_stops=float(rng.uniform(4.5, 7.5)),
        beam_stops=-beam,
        kelvin=float(np.exp(rng.uniform(np.log(3000), np.log(8000)))),
    )
