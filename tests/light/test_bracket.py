"""A flash beside the camera shades the subject and throws its shadow on what is close behind."""

from __future__ import annotations

import math

import pytest
import torch
from nightflash.light.bracket import ARM, AT_CAMERA, FOCAL_LENGTH, PLACES, Flash, shadow_stops
from nightflash.light.shading import facing_stops
from nightflash.settings import SETTING_INFO, Settings
from torch import Tensor

from tests.light.test_flash import H, W, gain, middle, scene_of

AT, BEHIND = 0.8, 0.5
WALL = torch.where(middle() > 0, AT, BEHIND)


def shadow(flash: Flash, wall: Tensor = WALL) -> Tensor:
    thrown = shadow_stops(wall, middle(), flash, AT)
    assert thrown is not None
    return thrown


def test_every_place_that_can_be_chosen_is_known() -> None:
    assert set(SETTING_INFO["flash_from"].choices) == set(PLACES)
    assert PLACES[Settings().flash_from] == AT_CAMERA


def test_a_flash_at_the_lens_throws_no_shadow_that_it_sees() -> None:
    assert shadow_stops(WALL, middle(), AT_CAMERA, AT) is None


def test_the_shadow_lies_by_the_parallax_away_from_the_flash() -> None:
    by = FOCAL_LENGTH * math.hypot(H, W) * ARM * (1 - BEHIND / AT)  # pixels
    dark = shadow(PLACES["right"]) > 1.5
    columns = dark[30].nonzero()[:, 0]
    assert int(columns.max()) == 34  # up to the subject
    assert int(columns.min()) == pytest.approx(35 - by, abs=1.5)
    below = shadow(PLACES["above"]) > 1.5
    assert int(below[:, 45].nonzero().max()) == pytest.approx(39 + by, abs=1.5)


def test_no_shadow_falls_on_the_subject_or_on_what_stands_beside_it() -> None:
    for place in ("left", "right", "above"):
        assert float(shadow(PLACES[place])[middle() > 0].max()) == 0
        level = shadow(PLACES[place], torch.full((H, W), AT))
        assert float(level.max()) < 0.9  # the blurred edge alone


def test_a_slope_towards_the_flash_is_lit_more_than_one_away_from_it() -> None:
    columns = (torch.arange(W)[None, :].expand(H, W) + 0.5) / W
    ridge = 0.9 - 0.4 * (columns - 0.5).abs()  # nearest in the middle
    from_right = facing_stops(ridge, PLACES["right"], 0.8)
    assert float(from_right[30, 65] - from_right[30, 25]) > 0.05
    from_left = facing_stops(ridge, PLACES["left"], 0.8)
    assert torch.allclose(from_left, from_right.flip(1), atol=1e-3)


def test_at_the_camera_the_subject_s_depth_does_not_matter() -> None:
    assert torch.equal(facing_stops(WALL), facing_stops(WALL, AT_CAMERA, 0.3))


def test_the_night_has_the_shadow() -> None:
    scene = scene_of(WALL, middle())
    bare = {"beam": 4.0, "ambient": None, "flatten": 0.0, "night": 0.0}
    camera, right = (
        gain(scene, Settings.from_values({**bare, "flash_from": place}))
        for place in ("camera", "right")
    )
    lost = camera - right
    assert float(lost[30, 32]) > 2
    assert float(lost[30, 70].abs()) < 0.3
    assert float(lost[30, 45].abs()) < 0.2
