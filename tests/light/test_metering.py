"""The surroundings are taken to night where they are too bright, and only as far as needed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nightflash.imaging.colour import luminance
from nightflash.light import incidence, light_scene
from nightflash.light.metering import DARK, DARK_SHARE, MOST_STOPS, Meter, _given_up
from nightflash.scene.scene import Scene
from nightflash.settings import Settings
from torch import Tensor

from tests.light.test_flash import H, W, middle, scene_of

FLAT = torch.full((H, W), 0.5)
BRIGHT = torch.full((3, H, W), 0.4)


def night(scene: Scene, **changes: float) -> Tensor:
    """Luminance (h, w) of the night, by the flash alone."""
    light = light_scene(scene, Settings(ambient=None, **changes))  # type: ignore[arg-type]
    return luminance(light.shine(scene.photo, light.maps))


def test_a_bright_wall_at_the_subject_s_own_distance_goes_dark_and_the_subject_does_not() -> None:
    scene = scene_of(FLAT, middle(), BRIGHT)
    by_physics, metered = night(scene, night=0.0), night(scene)
    assert float((by_physics < DARK).float().mean()) < 0.1
    assert float((metered < DARK).float().mean()) >= DARK_SHARE - 0.02
    inside = middle() > 0
    assert torch.allclose(metered[inside], by_physics[inside], rtol=0.02)


def test_half_the_setting_takes_half_of_the_stops() -> None:
    scene = scene_of(FLAT, middle(), BRIGHT)
    none, half, whole = (torch.log2(night(scene, night=n)) for n in (0.0, 0.5, 1.0))
    assert torch.allclose(none - half, half - whole, atol=0.01)


def test_where_it_is_dark_enough_nothing_is_taken_away() -> None:
    far = torch.full((H, W), 0.02)
    far[middle() > 0] = 0.6
    scene = scene_of(far, middle(), BRIGHT)
    assert torch.equal(night(scene, night=0.0), night(scene))


def test_it_knows_no_outline() -> None:
    """Close to the subject the light is what it was; it fades along circles about the beam."""
    scene = scene_of(FLAT, middle(), BRIGHT)
    lost = torch.log2(night(scene, night=0.0) / night(scene))
    assert float(lost[30, 57]) < 0.3  # two pixels beside the subject
    along = lost[30, 56:88]
    assert bool((along.diff() > -0.01).all())
    assert float(along.diff().max()) < 0.6
    assert float(lost[30, 75] - lost[30 + 30 - 1, 45 - 1]) == pytest.approx(0, abs=0.7)


def test_ground_at_the_feet_stays_lit_and_what_is_behind_goes_first() -> None:
    depth = torch.linspace(0.05, 0.9, H)[:, None].expand(H, W).contiguous()
    subject = middle()
    depth[subject > 0] = float(depth[39, 45])
    scene = scene_of(depth, subject, BRIGHT)
    lost = torch.log2(night(scene, night=0.0) / night(scene).clamp(min=1e-6))
    assert float(lost[42, 45]) < 0.5
    assert float(lost[16, 45]) > float(lost[42, 45]) + 0.5


def test_single_far_places_leave_no_square_patches() -> None:
    """Of the depth that networks give, holes in a tree's crown are far."""
    depth = FLAT.clone()
    depth[(10, 25, 52), (30, 64, 40)] = 0.01
    near = incidence(scene_of(depth, middle(), BRIGHT)).meter.near
    smooth = incidence(scene_of(FLAT, middle(), BRIGHT)).meter.near
    assert float((smooth - near).max()) > 0.1  # they do count
    steps = [(smooth - near).diff(dim=axis).abs().max() for axis in (0, 1)]
    assert float(max(steps)) < 0.4  # a ramp as long as depth is blurred, here three pixels


def test_a_blue_sky_around_a_bird_falls_as_a_whole() -> None:
    sky = torch.tensor([0.25, 0.45, 0.8])[:, None, None].expand(3, H, W).clone()
    sky[:, middle() > 0] = 0.3
    scene = scene_of(FLAT, middle(), sky)
    lost = torch.log2(night(scene, night=0.0) / night(scene))
    assert float(lost[18, 45]) == pytest.approx(float(lost[2, 88]), abs=0.8)
    assert float(lost[18, 45]) > 2


@settings(max_examples=25, deadline=None)
@given(
    level=st.floats(0.001, 1.0),
    flash=st.floats(0.05, 8.0),
    seed=st.integers(0, 99),
    size=st.sampled_from([(1, 1), (8, 120), (60, 90)]),
)
def test_the_fewest_stops_that_make_night(
    level: float, flash: float, seed: int, size: tuple[int, int]
) -> None:
    generator = torch.Generator().manual_seed(seed)
    meter = Meter(*(torch.rand(size, generator=generator) for _ in range(5)))
    meter = replace(meter, photo=level * meter.photo)
    stops = meter.taken(torch.zeros(size), flash)
    assert stops.shape == size
    assert bool((stops >= 0).all())
    assert bool((stops <= MOST_STOPS).all())
    more = meter.taken(torch.ones(size), flash)
    assert bool((more >= stops - 0.02).all())  # a stop more of light needs no less to be taken


def test_around_a_subject_that_leaves_little_room_the_beam_is_narrower() -> None:
    """What is beside it stays lit all the same, and the subject as it was."""
    rows, columns = torch.arange(H)[:, None] - 29.5, torch.arange(W)[None, :] - 44.5
    large = ((rows / 25) ** 2 + (columns / 33) ** 2 < 1).float()
    scene = scene_of(FLAT, large, BRIGHT)
    by_physics, metered = night(scene, night=0.0), night(scene)
    assert float((metered < DARK).float().mean()) > 0.25
    meter = incidence(scene).meter
    given_up = _given_up(1.0, meter.off_axis, meter.near, meter.glare, meter.around)
    whole_beam = torch.exp2(-given_up)
    assert float((by_physics * whole_beam < DARK).float().mean()) < 0.1
    assert float(metered[30, 79] / by_physics[30, 79]) > 0.5
    inside = large > 0
    assert torch.allclose(metered[inside], by_physics[inside], rtol=0.02)


def test_a_picture_that_is_all_subject_is_left_alone() -> None:
    scene = scene_of(FLAT, torch.ones(H, W), BRIGHT)
    assert torch.allclose(night(scene), night(scene, night=0.0))
    assert incidence(scene).meter.around.max() == 0


def test_bright_ground_does_not_glow_around_a_darker_subject() -> None:
    snow = torch.full((3, H, W), 0.5)
    snow[:, middle() > 0] = 0.1
    dark = night(scene_of(FLAT, middle(), snow))
    beside = dark[18:42, 33:57][middle()[18:42, 33:57] == 0]
    assert float(beside.median()) < 1.2 * float(dark[30, 45])
