"""Scenes to learn from: rooms, people, vehicles and statues."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from training.bank import keep, read, read_exact
from training.families import FAMILIES, scene_of
from training.scenes import HELD_OUT_SEEDS, TUNING_SEEDS, RenderedScene
from training.scenes.composition import Composition
from training.scenes.geometry import Box, rotation, vector
from training.scenes.interior import Bulb, Interior
from training.scenes.light import Day, Flash, Lit, Sky
from training.scenes.rooms import compose_room
from training.scenes.shade import thrown_back
from training.scenes.texture import Material, plain
from training.scenes.trace import Bodies, Camera, Surface
from training.sheet import pictures, sheet

from tests.training.made_up import photos

ROOMS = FAMILIES["rooms"].tests[:8]
FIGURES = FAMILIES["figures"].tests[:6]  # each sort twice


@cache
def seen(family: str, seed: int) -> RenderedScene:
    return scene_of(family, seed, 72, 54, photos())


def test_seeds_for_training_and_for_tests_are_apart() -> None:
    ranges = [r for seeds in FAMILIES.values() for r in (seeds.training, seeds.tests)]
    for a, b in combinations(ranges, 2):
        assert a.stop <= b.start or b.stop <= a.start
    assert set(TUNING_SEEDS + HELD_OUT_SEEDS) <= set(FAMILIES["plausible"].tests)


@pytest.mark.parametrize(
    ("family", "seed"),
    [*(("rooms", seed) for seed in ROOMS), *(("figures", seed) for seed in FIGURES)],
)
def test_the_main_object_is_in_the_frame_and_well_lit(family: str, seed: int) -> None:
    scene = seen(family, seed)
    assert 0.015 < scene.mask.mean() < 0.6
    rows, columns = np.nonzero(scene.mask > 0.5)
    assert 0.2 < columns.mean() / 72 < 0.8
    assert 0.15 < rows.mean() / 54 < 0.85
    for picture in (scene.day, scene.night, scene.albedo):
        assert np.isfinite(picture).all()
        assert picture.min() >= 0
        assert picture.max() <= 1
    assert 0.05 < np.median(scene.day[..., 1]) < 0.4
    main = scene.mask > 0.9
    assert 0.05 < np.median(scene.night[main][:, 1]) < 0.4


@pytest.mark.parametrize("seed", ROOMS)
def test_a_room_has_a_wall_behind_the_main_object_and_light_from_all_around(seed: int) -> None:
    scene = seen("rooms", seed)
    solid = scene.distance < 15  # the rest is seen through a window
    assert solid.mean() > 0.6
    behind = scene.distance[solid & (scene.things == 1)]
    assert 0.5 < np.percentile(behind, 95) - scene.subject_distance < 8
    assert (scene.flash_bounce[solid].max(axis=1) > 0).mean() > 0.95


def test_light_falls_off_less_in_rooms_for_what_comes_back() -> None:
    """Far away more of the flash's light has come by way of walls than near."""
    more = []
    for scene in (seen("rooms", seed) for seed in ROOMS):
        bounce = scene.flash_bounce[..., 1]
        share = bounce / np.maximum(bounce + scene.flash_shading[..., 1], 1e-9)
        solid = scene.distance < 15
        near, far = np.percentile(scene.distance[solid], [20, 80])
        ends = (share[solid & (scene.distance > far)], share[scene.distance < near])
        more.append(float(np.median(ends[0]) - np.median(ends[1])))
    assert np.mean(more) > 0.05
    assert sum(m > 0 for m in more) >= 6


def test_the_same_seed_gives_the_same_room_and_another_seed_another() -> None:
    first, again = seen("rooms", ROOMS[0]), scene_of("rooms", ROOMS[0], 72, 54, photos())
    np.testing.assert_array_equal(first.day, again.day)
    np.testing.assert_array_equal(first.night, again.night)
    np.testing.assert_array_equal(first.things, again.things)
    assert np.abs(first.day - seen("rooms", ROOMS[1]).day).mean() > 0.02


def test_a_room_needs_no_photos() -> None:
    assert len(compose_room(ROOMS[0]).surfaces) > 50


def box_of(albedo: float, width: float, height: float, depth: float) -> Composition:
    """An empty closed room, all of one grey, with a bulb in its middle."""
    grey = Material(plain((albedo, albedo, albedo)))
    w, h, d = width / 2, height / 2, depth / 2
    walls = [
        Box(vector(x * (w + 0.1), h + y * (h + 0.1), z * (d + 0.1)), size)
        for x, y, z, size in (
            (-1, 0, 0, (0.1, h + 0.2, d + 0.2)),
            (1, 0, 0, (0.1, h + 0.2, d + 0.2)),
            (0, -1, 0, (w + 0.2, 0.1, d + 0.2)),
            (0, 1, 0, (w + 0.2, 0.1, d + 0.2)),
            (0, 0, -1, (w + 0.2, h + 0.2, 0.1)),
            (0, 0, 1, (w + 0.2, h + 0.2, 0.1)),
        )
    ]
    bulb = Bulb(vector(0, h, 0), (1.0, 1.0, 1.0), 0.01)
    dark = Sky((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    return Composition(
        name="box",
        surfaces=tuple(Surface(wall, grey, encloses=False) for wall in walls),
        camera=Camera(h, 0.0, 60.0),
        day=Day(dark, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        flash=Flash(vector(0, h, 0), vector(0, 0, 1), 0.5),
        night_stops=5.0,
        beam_stops=0.0,
        kelvin=5500,
        interior=Interior(vector(0, 0, 0), rotation(), (width, height, depth), (), (bulb,)),
    )


@pytest.mark.parametrize("albedo", [0.2, 0.5, 0.8])
def test_light_in_a_closed_room_is_that_of_an_integrating_sphere(albedo: float) -> None:
    """Flux Φ in a room of area S comes back as Φ ρ / (S (1 - ρ))."""
    room = box_of(albedo, 4.0, 2.6, 5.0)
    radiosity = thrown_back(room, Bodies(room.surfaces))
    assert radiosity is not None
    surface = 2 * (4.0 * 2.6 + 4.0 * 5.0 + 2.6 * 5.0)
    assert float(radiosity.area.sum()) == pytest.approx(surface, rel=0.03)
    expected = 4 * np.pi / surface * albedo / (1 - albedo)
    assert radiosity.by_day[0] == pytest.approx(expected, rel=0.06)


def test_the_window_lights_what_is_near_it_more() -> None:
    """A floor is the brighter the nearer to the only window, by day and in the night's rest."""
    for seed in FAMILIES["rooms"].tests[20:40]:
        scene = compose_room(seed)
        assert scene.interior is not None
        if len(scene.interior.windows) == 1:
            break
    window = scene.interior.windows[0]
    into = -np.cross(window.right[:, 0], window.up[:, 0])
    into /= np.linalg.norm(into)
    below = window.centre[:, 0] * np.array([1, 0, 1])
    places = [below + into * away for away in (0.8, 1.6, 2.6)]
    bare = replace(scene.interior, bulbs=())
    floor = Surface(Box(vector(0, -0.1, 0), (50, 0.1, 50)), Material(plain((0.5, 0.5, 0.5))))
    bodies = Bodies([floor])
    points = np.array(places, np.float32).T
    up = np.repeat(vector(0, 1, 0), 3, axis=1)
    ones = np.ones(3, np.float32)
    lit = Lit(points, up, up, points * 0, ones * 0, ones, ones, ones * 1e-3)
    light = bare.sky_light(bodies, lit, np.arange(3))[1]
    assert (np.diff(light) < 0).all()
    assert light[-1] > 0


def test_what_is_kept_is_what_was_rendered(tmp_path: Path) -> None:
    scene = seen("rooms", ROOMS[0])
    keep(scene, tmp_path / "a.npz")
    exact, short = read_exact(tmp_path / "a.npz"), read(tmp_path / "a.npz")
    for name in ("rgb", "inverse_depth", "mask"):
        assert bool((getattr(exact, name) == getattr(short, name)).all())
    assert exact.rgb.shape == exact.night.shape == exact.albedo.shape == (3, 54, 72)
    np.testing.assert_array_equal(exact.things.numpy(), scene.things)
    assert exact.main == scene.main
    assert exact.subject_distance == pytest.approx(scene.subject_distance)
    for stops, light in (
        (exact.day_stops.permute(1, 2, 0), scene.day_shading),
        (exact.flash_stops, scene.flash_shading[..., 0]),
        (exact.bounce_stops.permute(1, 2, 0), scene.flash_bounce),
    ):
        np.testing.assert_allclose(2 ** stops.float().numpy(), light, rtol=6e-3, atol=2e-5)
    np.testing.assert_allclose(exact.normal.permute(1, 2, 0) / 127, scene.normal, atol=5e-3)


def test_a_sheet_shows_all_that_it_is_given() -> None:
    rows = [pictures(seen("rooms", seed), everything=True) for seed in ROOMS[:3]]
    assert len(rows[0]) == 7
    made = sheet(rows)
    assert made.shape == (2 * (54 + 4), 2 * (7 * 72 + 4), 3)
    np.testing.assert_array_equal(made[:54, :72], rows[0][0])
