"""The scene renderer obeys the physics that the product is measured by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training.scenes import (
    HELD_OUT_SEEDS,
    TUNING_SEEDS,
    RenderedScene,
    relative_inverse_depth,
    render_scene,
)
from training.scenes.composition import Composition, compose
from training.scenes.geometry import (
    Blade,
    Box,
    Capsule,
    Ellipsoid,
    Frustum,
    Shape,
    crossings,
    dot,
    normals,
    rotation,
    unit,
    vector,
)
from training.scenes.light import Day, Flash, Sky, soft
from training.scenes.render import render
from training.scenes.terrain import Ground
from training.scenes.texture import Colour, Material, checks, plain
from training.scenes.trace import Camera, Surface

GREY: Colour = (0.3, 0.2, 0.1)
SNOW: Colour = (0.8, 0.8, 0.8)
DARK_SKY = Sky((0.1, 0.1, 0.1), (0.1, 0.1, 0.1))
NIGHT_OFF = 40.0  # stops: no ambient light at all


def bare(
    *surfaces: Surface, sun: tuple[float, float, float] | None = (0.2, 1.0, -0.6)
) -> Composition:
    """Surfaces before a level camera 1 m up, with a bare flash at the lens."""
    to_sun = None if sun is None else unit(vector(*sun))
    return Composition(
        name="bare",
        surfaces=surfaces,
        camera=Camera(1.0, 0.0, 40.0),
        day=Day(DARK_SKY, (0.3, 0.3, 0.3), (0.0, 0.0, 0.0), to_sun, (1.0, 1.0, 1.0)),
        flash=Flash(vector(0, 1, 0), vector(0, 0, 1), 1e4),
        night_stops=NIGHT_OFF,
        beam_stops=0.0,
        kelvin=5500,
    )


def screen(z: float, colour: Colour, x: float = 0.0, main: bool = False) -> Surface:
    """A thin board facing the camera, its front at depth z."""
    return Surface(Box(vector(x, 1.0, z + 0.05), (0.4, 0.6, 0.05)), Material(plain(colour)), main)


@pytest.fixture(scope="module")
def scene() -> RenderedScene:
    return render_scene(6, 240, 160)


def test_flash_falls_by_the_inverse_square_of_the_distance() -> None:
    near, far = screen(2.0, GREY, -0.45, main=True), screen(4.0, GREY, 0.9)
    seen = render(bare(near, far), 120, 80)
    row = 40
    left = int(60 - 0.45 / 2.0 * 60 / np.tan(np.radians(20)))
    right = int(60 + 0.9 / 4.0 * 60 / np.tan(np.radians(20)))
    distances = seen.distance[row, [left, right]]
    facing = np.abs(seen.normal[row, [left, right], 2]) * np.array([2.0, 4.0]) / distances
    light = seen.night[row, [left, right], 1] / facing
    assert light[0] / light[1] == pytest.approx((distances[1] / distances[0]) ** 2, rel=0.01)


def test_main_object_is_exposed_alike_at_any_distance() -> None:
    near, far = (render(bare(screen(z, GREY, main=True)), 60, 40) for z in (2.0, 5.0))
    levels = [np.median(seen.night[seen.mask == 1], axis=0)[0] for seen in (near, far)]
    assert levels[0] == pytest.approx(levels[1], rel=0.05)


def test_day_and_night_show_the_same_albedo() -> None:
    seen = render(bare(screen(2.0, GREY, main=True), sun=(0.0, 0.3, -1.0)), 90, 60)
    patch = seen.mask == 1
    for picture in (seen.day, seen.night):
        colour = picture[patch] / picture[patch][:, :1]
        np.testing.assert_allclose(
            colour, np.broadcast_to([1, 2 / 3, 1 / 3], colour.shape), rtol=2e-3
        )


def test_beam_darkens_the_edge() -> None:
    composition = bare(Surface(Box(vector(0, 1, 4.05), (9, 9, 0.05)), Material(plain(GREY)), True))
    even = render(composition, 60, 40).night[20, :, 0]
    beam = render(replace(composition, flash=replace(composition.flash, spread=0.2)), 60, 40)
    angle = np.arctan(abs(0.5 - 30) / 30 * np.tan(np.radians(20)))
    expected = np.exp(-0.5 * (angle / 0.2) ** 2)
    measured = (beam.night[20, 0, 0] / beam.night[20, 30, 0]) / (even[0] / even[30])
    assert measured == pytest.approx(expected, rel=0.02)


def test_ambient_light_of_the_night_lies_the_given_stops_under_the_day() -> None:
    board = Surface(Box(vector(0, 1, 4.05), (1, 1, 0.05)), Material(plain(GREY)), True)
    lit = replace(bare(board, sun=None), night_stops=3.0)
    with_ambient, without = render(lit, 60, 40), render(replace(lit, night_stops=NIGHT_OFF), 60, 40)
    share = (with_ambient.night - without.night)[20, 30] / with_ambient.day[20, 30]
    np.testing.assert_allclose(share, 2.0**-3, rtol=0.01)


def test_distance_of_a_sphere_is_analytic() -> None:
    ball = Surface(Ellipsoid(vector(0, 1, 3), (0.5, 0.5, 0.5)), Material(plain(GREY)), True)
    seen = render(bare(ball), 121 * 2, 80)
    x = (np.arange(242) + 0.5 - 121) / 121 * np.tan(np.radians(20))
    y = (40 - np.arange(80) - 0.5) / 121 * np.tan(np.radians(20))
    length = np.sqrt(1 + x[None] ** 2 + y[:, None] ** 2)
    along = 3 / length
    under = 9 - along**2
    solid = seen.mask == 1
    expected = along[solid] - np.sqrt(0.25 - under[solid])
    inner = under[solid] < 0.2
    np.testing.assert_allclose(seen.distance[solid][inner], expected[inner], atol=0.02)
    assert np.isinf(seen.distance[0, 0])
    # a sphere's normal points from its centre
    middle = seen.normal[40, 121]
    np.testing.assert_allclose(middle, [0, 0, -1], atol=0.03)


def test_mask_is_where_the_main_object_is_seen() -> None:
    main = Surface(
        Ellipsoid(vector(0, 1, 4), (0.6, 0.6, 0.6)), Material(plain((0.8, 0.0, 0.0))), True
    )
    back = Surface(Box(vector(0, 1, 8), (20, 20, 0.1)), Material(plain((0.0, 0.0, 0.8))))
    front = Surface(Box(vector(0.5, 1, 2), (0.2, 0.9, 0.05)), Material(plain((0.0, 0.8, 0.0))))
    seen = render(bare(main, back, front), 120, 80)
    np.testing.assert_allclose(seen.mask, seen.albedo[..., 0] / 0.8, atol=1e-5)
    assert 0 < (seen.mask == 1).sum() < 0.2 * seen.mask.size
    assert ((seen.mask > 0) & (seen.mask < 1)).any()
    x, y, w, h = seen.box
    assert seen.mask[y : y + h, x : x + w].sum() > 0.97 * seen.mask.sum()


def test_sun_casts_a_shadow_where_geometry_says() -> None:
    """A post lit from the right throws its shadow to the left, and the flash throws none there."""
    floor = Surface(Ground(), Material(plain(GREY)))
    post = Surface(Box(vector(0, 0.5, 5), (0.05, 0.5, 0.3)), Material(plain(GREY)), True)
    seen = render(
        replace(
            bare(floor, post, sun=(1.0, 1.0, 0.0)),
            flash=Flash(vector(0, 1, 0), vector(0, -0.2, 1), 1e4),
        ),
        240,
        160,
    )
    focal = 120 / np.tan(np.radians(20))

    def pixel(x: float) -> tuple[int, int]:
        return int(80 + 1.0 / 5 * focal), int(120 + x / 5 * focal)

    shade, sunny = seen.day[pixel(-0.5)], seen.day[pixel(0.5)]
    np.testing.assert_allclose(shade / sunny, 0.3 / (0.3 + np.sqrt(0.5)), rtol=0.08)
    np.testing.assert_allclose(seen.night[pixel(-0.5)], seen.night[pixel(0.5)], rtol=0.02)


def test_flash_beside_the_lens_throws_a_thin_shadow() -> None:
    post = Surface(Box(vector(0, 1, 2), (0.1, 2, 0.05)), Material(plain(GREY)), True)
    back = Surface(Box(vector(0, 1, 3.1), (9, 9, 0.1)), Material(plain(GREY)))
    seen = render(
        replace(bare(post, back), flash=Flash(vector(0.1, 1, 0), vector(0, 0, 1), 1e4)), 240, 160
    )
    behind = (seen.distance[80] > 2.5) & (seen.night[80, :, 1] < 1e-6)
    assert 2 < behind.sum() < 30
    assert np.flatnonzero(behind).max() < 120


def random_shapes(rng: np.random.Generator) -> list[Shape]:
    at, turn = vector(*rng.uniform(-1, 1, 3)), rotation(*rng.uniform(-3, 3, 3))
    a, b, c = (vector(*rng.uniform(-1, 1, 3)) for _ in range(3))
    size = tuple(float(s) for s in rng.uniform(0.1, 1, 3))
    return [
        Ellipsoid(at, (size[0], size[1], size[2]), turn),
        Box(at, (size[0], size[1], size[2]), turn),
        Frustum(a, b, size[0], size[1]),
        Capsule(a, b, size[0]),
        Blade(a, b, c),
    ]


@pytest.mark.parametrize("number", range(5))
def test_shapes_lie_in_their_bounding_spheres_and_turn_their_normals_outwards(number: int) -> None:
    rng = np.random.default_rng(number)
    hits = 0
    for _ in range(20):
        shape = random_shapes(rng)[number]
        origin = unit(rng.standard_normal((3, 400)).astype(np.float32)) * np.float32(6)
        target = shape.centre + rng.uniform(-0.7, 0.7, (3, 400)).astype(np.float32)
        direction = unit(target - origin)
        near, far = crossings(shape, origin, direction)
        hit = np.isfinite(near)
        hits += int(hit.sum())
        assert (near[hit] <= far[hit]).all()
        for t, sign in ((near, -1), (far, 1)):
            points = origin[:, hit] + t[hit] * direction[:, hit]
            away = points - shape.centre
            assert (np.sqrt(dot(away, away)) <= shape.radius * 1.001 + 1e-3).all()
            normal = normals(shape, points)
            np.testing.assert_allclose(dot(normal, normal), 1, atol=1e-3)
            if not isinstance(shape, Blade):
                assert np.mean(sign * dot(normal, direction[:, hit]) > -0.02) > 0.995
    assert hits > 100


def test_same_seed_same_scene_and_other_seed_other_scene() -> None:
    first = render_scene(5, 90, 60)
    again = render(compose(5, 1.5), 90, 60, seed=5)
    np.testing.assert_array_equal(first.day, again.day)
    np.testing.assert_array_equal(first.night, again.night)
    assert np.abs(first.day - render_scene(11, 90, 60).day).mean() > 0.02


def test_seeds_for_tuning_and_for_reporting_are_disjoint() -> None:
    assert len(set(TUNING_SEEDS)) == 8
    assert len(set(HELD_OUT_SEEDS)) == 12
    assert not set(TUNING_SEEDS) & set(HELD_OUT_SEEDS)


@pytest.mark.parametrize("seed", TUNING_SEEDS + HELD_OUT_SEEDS)
def test_every_scene_is_a_plausible_pair_of_photos(seed: int) -> None:
    seen = render_scene(seed, 120, 80)
    for picture in (seen.day, seen.night, seen.albedo):
        assert picture.shape == (80, 120, 3)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert picture.min() >= 0
        assert picture.max() <= 1
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    day, night = seen.day @ weights, seen.night @ weights
    assert 0.05 < np.median(day) < 0.25
    assert (day > 0.97).mean() < 0.1
    assert 0.01 < seen.mask.mean() < 0.45
    main = seen.mask > 0.95
    assert 0.08 < np.median(night[main]) < 0.35
    sky = np.isinf(seen.distance)
    assert (seen.normal[sky] == 0).all()
    assert 1.5 < np.median(seen.distance[main]) < 9
    far = seen.distance > 3 * np.median(seen.distance[main])
    if far.any():
        assert np.median(night[far]) < 0.25 * np.median(night[main])


def test_relative_inverse_depth_orders_like_the_distance(scene: RenderedScene) -> None:
    depth = relative_inverse_depth(scene, np.random.default_rng(1))
    other = relative_inverse_depth(scene, np.random.default_rng(2))
    assert depth.shape == scene.distance.shape
    assert depth.dtype == np.float32
    assert np.abs(depth - other).max() > 0.1
    order = np.argsort(scene.distance.ravel())
    assert (np.diff(depth.ravel()[order]) <= 1e-3).all()
    sky = np.isinf(scene.distance)
    assert sky.any()
    assert (depth[sky] == depth.min()).all()


def test_noise_is_only_added_when_asked_for() -> None:
    composition = bare(screen(2.0, GREY, main=True))
    clean, noisy = render(composition, 60, 40), render(composition, 60, 40, noise=1e-3)
    solid = clean.mask == 1
    spread = (noisy.night - clean.night)[solid][:, 0]
    level = float(clean.night[solid][:, 0].mean())
    assert spread.std() == pytest.approx(np.sqrt(1e-3 * level), rel=0.2)
    np.testing.assert_array_equal(clean.day, noisy.day)


def test_light_and_albedo_make_the_pictures() -> None:
    """Without gloss, haze and sky the two pictures are products of what is said of them."""
    wall = Surface(Box(vector(0, 1, 6), (9, 9, 0.1)), Material(plain((0.2, 0.3, 0.1))))
    ball = Surface(Ellipsoid(vector(0, 1, 3), (0.5, 0.5, 0.5)), Material(plain(GREY)), True)
    seen = render(replace(bare(wall, ball), night_stops=5.0), 60, 40)
    day = soft(seen.albedo * seen.day_shading)
    light = seen.flash_gain * (seen.flash_shading + seen.flash_bounce)
    night = soft(seen.albedo * light + seen.ambient)
    np.testing.assert_allclose(day, seen.day, atol=2e-3)
    np.testing.assert_allclose(night, seen.night, atol=2e-3)
    luminance = seen.day_shading @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    np.testing.assert_allclose(2**seen.log_day_shading, luminance, rtol=1e-3)
    assert (seen.flash_bounce == 0).all()


def test_shading_by_day_tells_sun_from_shade() -> None:
    floor = Surface(Ground(), Material(plain(GREY)))
    post = Surface(Box(vector(0, 0.5, 5), (0.05, 0.5, 0.3)), Material(plain(GREY)), True)
    seen = render(bare(floor, post, sun=(1.0, 1.0, 0.0)), 240, 160)
    level = (seen.normal[..., 1] > 0.99) & (seen.distance < 6)
    sunny, shade = level & (seen.sun == 1), level & (seen.sun == 0)
    assert shade.sum() > 30
    ratio = np.median(seen.day_shading[shade]) / np.median(seen.day_shading[sunny])
    assert ratio == pytest.approx(0.3 / (0.3 + np.sqrt(0.5)), rel=0.1)


def test_flash_shading_of_a_wall_is_the_inverse_square_law() -> None:
    """With a flash at the lens a wall at depth z gets z / d³, whatever its albedo."""
    wall = Surface(Box(vector(0, 1, 3.05), (9, 9, 0.05)), Material(checks(GREY, SNOW, 0.2)), True)
    seen = render(bare(wall), 60, 40)
    expected = 3.0 / seen.distance**3
    np.testing.assert_allclose(seen.flash_shading[..., 0], expected, rtol=0.01)


def test_inverse_depth_of_the_sky_is_zero(scene: RenderedScene) -> None:
    sky = np.isinf(scene.distance)
    assert sky.any()
    assert (scene.inverse_depth[sky] == 0).all()
    np.testing.assert_allclose(scene.inverse_depth[~sky] * scene.distance[~sky], 1, rtol=1e-5)


def test_every_pixel_belongs_to_one_thing(scene: RenderedScene) -> None:
    np.testing.assert_array_equal(scene.things == 0, np.isinf(scene.distance))
    assert len(np.unique(scene.things)) > 3
    main = scene.things == scene.main
    assert main[scene.mask > 0.99].all()
    assert not main[scene.mask < 0.01].any()
    assert main.mean() == pytest.approx(float(scene.mask.mean()), rel=0.1)
    assert scene.subject_distance == pytest.approx(np.median(scene.distance[main]), rel=0.02)


def test_a_scene_without_main_object_is_exposed_for_what_is_near() -> None:
    near, far = screen(2.0, GREY, -0.3), screen(6.0, GREY, 1.5)
    seen = render(bare(near, far), 60, 40)
    assert (seen.main, seen.box, seen.mask.max()) == (0, (0, 0, 0, 0), 0)
    assert seen.subject_distance == np.inf
    assert 0.08 < np.median(seen.night[seen.distance < 3][:, 0]) < 0.35


def test_main_object_out_of_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="out of the picture"):
        render(bare(screen(2.0, GREY, 30.0, main=True)), 30, 20)
