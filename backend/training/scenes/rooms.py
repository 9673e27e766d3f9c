"""Rooms from seeds: a main object in a furnished room, by a window's light and by the flash."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.scenes import furniture, objects, pets, scenery, statues, toys
from training.scenes import shell as parts
from training.scenes.builder import Builder, Rng, glossy
from training.scenes.composition import Composition
from training.scenes.furnishing import Furnishing, Maker, extent, furnish
from training.scenes.geometry import Array, rotation, unit, vector
from training.scenes.interior import Bulb, Interior
from training.scenes.light import Day, Flash, Sky, kelvin
from training.scenes.looks import Looks
from training.scenes.people import Outfit, sitting, standing
from training.scenes.photo_texture import Photos
from training.scenes.shell import Opening, Plan
from training.scenes.texture import Colour
from training.scenes.trace import Camera, Surface


def _person(b: Builder, rng: Rng, looks: Looks) -> float:
    size = 1.0 if rng.random() < 0.7 else float(rng.uniform(0.5, 0.8))
    return standing(b, rng, Outfit.drawn(rng, looks), size)


def _sitter(seat: float) -> Maker:
    def build(b: Builder, rng: Rng, looks: Looks) -> float:
        size = 1.0 if rng.random() < 0.7 else float(rng.uniform(0.6, 0.85))
        sitting(b, rng, Outfit.drawn(rng, looks), seat, size)
        return seat + 0.97 * size

    return build


def _plain(maker: objects.Maker) -> Maker:
    return lambda b, rng, looks: maker(b, rng)


FLOOR: dict[str, Maker] = {
    "person": _person,
    "someone": _person,
    "dog": pets.dog,
    "cat": pets.cat,
    "plant": toys.pot_plant,
    "guitar": toys.guitar,
    "teddy": toys.teddy,
    "toy car": toys.toy_car,
    "blocks": toys.blocks,
    "ball": toys.ball,
    "robot": toys.robot,
    "chair": furniture.chair,
    "vase": _plain(objects.vase),
}
TABLE: dict[str, Maker] = {
    "flowers": toys.flowers,
    "fruit": toys.fruit,
    "teddy": toys.teddy,
    "toy car": toys.toy_car,
    "robot": toys.robot,
    "bust": statues.small_bust,
    "books": toys.books,
    "parrot": pets.parrot,
    "blocks": toys.blocks,
    "cat": pets.cat,
    "mug": toys.mug,
    "plant": toys.pot_plant,
}
SEAT: dict[str, Maker] = {"cat": pets.cat, "dog": pets.dog, "teddy": toys.teddy}
SETTINGS = (*["floor"] * 4, "table", "table", "low table", "sofa", "sofa", "chair")


_WARM = kelvin(4200)[:, 0]


@dataclass(frozen=True)
class _Subject:
    """The main object and what it stands on, built where it shall be."""

    name: str
    main: Builder
    stand: list[Surface]


def _subject(rng: Rng, looks: Looks, setting: str, place: Array, yaw: float) -> _Subject:
    """Build a main object at a place (3, 1) of the floor, on a piece of furniture or not."""
    base = Builder(place, yaw)
    up, seat = 0.0, 0.0
    choice: dict[str, Maker] = FLOOR
    if setting in ("table", "low table"):
        maker = furniture.table if setting == "table" else furniture.low_table
        up, choice = maker(base, rng, looks), TABLE
    elif setting == "sofa":
        seat = furniture.sofa(base, rng, looks, float(rng.uniform(0.95, 1.9)))
        choice = SEAT
    elif setting == "chair":
        seat = furniture.chair(base, rng, looks)
        choice = SEAT
    if seat and rng.random() < 0.6:
        main = Builder(base.point((0, 0, 0.02)), yaw, main=True)
        _sitter(seat)(main, rng, looks)
        return _Subject(f"person, {setting}", main, base.surfaces)
    name = str(rng.choice(list(choice)))
    shift = float(rng.uniform(-0.1, 0.1)) if setting != "chair" else 0.0
    at = base.point((shift, up + seat, -0.1 if seat else 0.0))
    main = Builder(at, yaw + float(rng.uniform(-0.5, 0.5)), main=True)
    choice[name](main, rng, looks)
    return _Subject(f"{name}, {setting}", main, base.surfaces)


def compose_room(seed: int, aspect: float = 4 / 3, photos: Photos = ()) -> Composition:
    """The room of a seed for pictures of the given width / height.

    Args:
        seed: The same gives the same room from the same photos.
        aspect: Width / height of the picture.
        photos: (h, w, 3) encoded pictures from which posters, cloth and covers are cut.
    """
    rng = np.random.default_rng((seed, 17))
    looks = Looks(photos)
    setting = SETTINGS[int(rng.integers(len(SETTINGS)))]
    turn = float(rng.uniform(-0.7, 0.7))
    start = rng.bit_generator.state
    low, high = extent(_subject(rng, looks, setting, vector(0, 0, 0), turn).main.surfaces)
    fov = float(rng.uniform(42, 68)) if aspect > 1 else float(rng.uniform(36, 52))
    spread = float(np.tan(np.radians(fov) / 2))
    size = high - low
    tall = float(size[1]) / float(rng.uniform(0.42, 0.74)) * aspect / 2 / spread
    wide = float(size[0]) / float(rng.uniform(0.4, 0.65)) / 2 / spread
    z = float(np.clip(max(tall, wide) + size[2] / 2, 0.45, 4.2))
    x = float(rng.uniform(-0.22, 0.22)) * spread * z
    gap = float(rng.uniform(1.0, 4.0))
    lay = np.random.default_rng((seed, 18))

    rng.bit_generator.state = start
    subject = _subject(rng, looks, setting, vector(x, 0, z), turn)
    low, high = extent(subject.main.surfaces)
    middle = float(low[1] + high[1]) / 2
    lens = float(np.clip(middle + lay.uniform(0.0, 0.3) * z, 0.3, 1.75))
    pitch = float(np.arctan2(middle - lens, z) + lay.uniform(-0.03, 0.05))
    camera = Camera(lens, pitch, fov)

    frame, plan = _walls(lay, x, z, gap)
    room = Furnishing(frame, plan, lay, looks)
    whole = extent(subject.main.surfaces + subject.stand)
    reach = float(max(whole[1][0] - whole[0][0], whole[1][2] - whole[0][2])) / 2
    room.keep_free(vector(0, 0, 0), vector(x, 0, z), 0.35)
    room.keep_free(vector(x, 0, z), vector(x, 0, z), reach + 0.05)
    openings = _openings(lay, room, z)
    furnish(room)
    surfaces = parts.shell(frame, lay, looks, plan, openings)
    surfaces += subject.stand + room.surfaces + subject.main.surfaces
    surfaces += _beside(lay, looks, setting, subject)
    hang = Builder(frame.place, frame.yaw)
    for opening in openings:
        if lay.random() < 0.7:
            parts.curtains(hang, lay, looks, plan, opening)
    lamp, bulb = _ceiling_lamp(lay, room)
    surfaces += hang.surfaces + lamp + scenery.ridges(lay, float(lay.uniform(15, 60)))

    day = _daylight(lay, frame, openings, plan)
    r, g, bl = (float(v) for v in np.array(day.sky.horizon) * lay.uniform(0.8, 1.6))
    interior = Interior(
        origin=frame.place,
        turn=rotation(frame.yaw),
        size=(plan.width, plan.height, plan.depth),
        windows=tuple(parts.window(frame, plan, o, (r, g, bl)) for o in openings),
        bulbs=bulb,
    )
    beam = float(lay.uniform(0.6, 1.6))
    corner = float(np.arctan(spread * np.hypot(1, 1 / aspect)))
    lens_to_flash = vector(float(lay.uniform(0.02, 0.08)), float(lay.uniform(0.05, 0.12)), 0)
    flash = camera.position + lens_to_flash
    return Composition(
        name=subject.name,
        surfaces=tuple(surfaces),
        camera=camera,
        day=day,
        flash=Flash(
            flash,
            unit(vector(x, middle, z) - flash),
            corner / float(np.sqrt(2 * np.log(2) * beam)),
        ),
        night_stops=float(lay.uniform(4.5, 8.0)),
        beam_stops=-beam,
        kelvin=float(np.exp(lay.uniform(np.log(2600), np.log(8000)))),
        interior=interior,
    )


def _walls(rng: Rng, x: float, z: float, gap: float) -> tuple[Builder, Plan]:
    """A room about a camera at the origin, a subject at (x, z) and a wall `gap` behind it."""
    yaw = float(rng.uniform(-0.75, 0.75)) if rng.random() < 0.7 else float(rng.normal(0, 0.05))
    end = z + gap / float(np.cos(yaw))
    right = rotation(yaw)[:, 0]
    ahead = rotation(yaw)[:, 2]
    to_camera, to_subject = (np.array(p) for p in ((0.0, 0.0, -end), (x, 0.0, z - end)))
    across = [float(right @ p) for p in (to_camera, to_subject)] + [0.0]
    left = min(across) - float(rng.uniform(0.8, 2.2))
    width = max(across) + float(rng.uniform(0.8, 2.2)) - left
    depth = float(-(ahead @ to_camera)) + float(rng.uniform(0.6, 2.5))
    middle = np.array([0.0, 0.0, end]) + right * (left + width / 2) - ahead * (depth / 2)
    plan = Plan(width, float(rng.uniform(2.3, 3.0)), depth)
    return Builder(vector(*(float(v) for v in middle)), yaw, thing=0), plan


def _openings(rng: Rng, room: Furnishing, z: float) -> list[Opening]:
    """One to three windows, mostly beside the subject, so that the light comes from a side."""
    made: list[Opening] = []
    _, near = room.local(vector(0, 0, z))
    for wall, share in (("left", 0.55), ("right", 0.55), ("back", 0.35), ("front", 0.3)):
        if rng.random() > share and not (wall == "front" and not made):
            continue
        wide, tall = float(rng.uniform(0.8, 1.9)), float(rng.uniform(0.9, 1.5))
        length = room.plan.length(wall)
        wide = min(wide, length - 0.8)
        reach = (length - wide) / 2 - 0.35
        along = float(rng.uniform(-reach, reach))
        if wall in ("left", "right"):
            along = float(np.clip(near + rng.uniform(-1.5, 1.2), -reach, reach))
        up = float(np.clip(rng.uniform(0.8, 1.0) + tall / 2, 0, room.plan.height - 0.2 - tall / 2))
        made.append(Opening(wall, along, up, wide, tall))
        room.hung.append((wall, along, wide + 0.7))
        room.tall.append((wall, along, wide + 0.3))
    return made


def _beside(rng: Rng, looks: Looks, setting: str, subject: _Subject) -> list[Surface]:
    """Small things beside the main object on its table."""
    if setting not in ("table", "low table"):
        return []
    low, high = extent(subject.stand)
    kept, taken = [], [extent(subject.main.surfaces)]
    for _ in range(int(rng.integers(0, 4))):
        made = Builder(subject.main.place, subject.main.yaw + float(rng.uniform(-1, 1)))
        shift = rng.uniform(-0.75, 0.75, 2) * (high - low)[[0, 2]] / 2
        made.place = made.place + vector(float(shift[0]), 0, float(shift[1]))
        TABLE[str(rng.choice(["mug", "books", "fruit", "toy car", "flowers", "blocks"]))](
            made, rng, looks
        )
        a, c = extent(made.surfaces)
        apart = all(
            (a[[0, 2]] > f[[0, 2]]).any() or (c[[0, 2]] < e[[0, 2]]).any() for e, f in taken
        )
        inside = (a[[0, 2]] > low[[0, 2]]).all() and (c[[0, 2]] < high[[0, 2]]).all()
        hides = a[2] < taken[0][0][2] and abs(shift[0]) < 0.2
        if apart and inside and not hides:
            taken.append((a, c))
            kept += made.surfaces
    return kept


def _ceiling_lamp(rng: Rng, room: Furnishing) -> tuple[list[Surface], tuple[Bulb, ...]]:
    """A lamp under the ceiling, lit by day in half of the rooms; at night it is out."""
    if rng.random() < 0.3:
        return [], ()
    x = float(rng.uniform(-0.2, 0.2)) * room.plan.width
    z = float(rng.uniform(-0.2, 0.25)) * room.plan.depth
    up = room.plan.height - float(rng.uniform(0.25, 0.55))
    lit = rng.random() < 0.6
    level = float(rng.uniform(0.15, 0.7))
    r, g, bl = (float(c) * level for c in _WARM)
    made = room.thing(x, 0, z, 0)
    glass = glossy((0.75, 0.73, 0.68), 2.0, 0.04, 0.3)
    if lit:
        glass = replace(glass, glow=(6 * r, 6 * g, 6 * bl))
    made.ball(glass, (0, up, 0), 0.11)
    made.limb(glossy((0.1, 0.1, 0.1), 1.0), (0, up + 0.1, 0), (0, room.plan.height, 0), 0.008)
    return made.surfaces, (Bulb(made.point((0, up, 0)), (r, g, bl)),) if lit else ()


def _daylight(rng: Rng, frame: Builder, openings: list[Opening], plan: Plan) -> Day:
    """A bright or cloudy sky; the sun, if it shines, into the first window."""
    seed = float(rng.uniform(0, 60))
    if rng.random() < 0.5:
        sky = Sky((0.55, 0.58, 0.62), (0.82, 0.84, 0.86), 0.8, (0.86, 0.87, 0.88), seed)
        return Day(sky, (0.95, 0.97, 1.0), (0.18, 0.18, 0.16))
    sky = Sky((0.12, 0.26, 0.6), (0.62, 0.75, 0.92), float(rng.uniform(0, 0.75)), seed=seed)
    opening = openings[int(rng.integers(len(openings)))]
    aside = frame.yaw + plan.yaw(opening.wall) + float(rng.uniform(-0.9, 0.9))
    up = float(rng.uniform(0.3, 0.9))
    to_sun = vector(np.sin(aside) * np.cos(up), np.sin(up), np.cos(aside) * np.cos(up))
    power = float(rng.uniform(0.25, 0.9))
    sun: Colour = (1.06 * power, 0.97 * power, 0.83 * power)
    return Day(sky, (0.26, 0.31, 0.4), (0.16, 0.16, 0.12), unit(to_sun), sun)
