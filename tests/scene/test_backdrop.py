"""Sky behind an object, whatever the depth says."""

from __future__ import annotations

import pytest
import torch
from nightflash.scene.backdrop import backdrop
from torch import Tensor

H, W = 120, 160
BLUE, WHITE, GREEN = (0.5, 0.68, 0.92), (0.9, 0.91, 0.93), (0.3, 0.5, 0.2)


def bird() -> Tensor:
    subject = torch.zeros(H, W)
    subject[50:70, 60:100] = 1
    return subject


def plain(colour: tuple[float, float, float]) -> Tensor:
    rgb = torch.tensor(colour)[:, None, None].expand(3, H, W).clone()
    rgb[:, bird() > 0] = 0.3
    return rgb


def test_blue_sky_is_found_all_around_a_bird_and_the_bird_is_not_sky() -> None:
    found = backdrop(plain(BLUE), bird())
    assert float(found[10, 10]) > 0.95
    assert float(found[110, 150]) > 0.95
    assert float(found[60, 80]) < 0.3


def test_white_sky_ends_above_the_ground_and_snow_is_left_out() -> None:
    over_ground = plain(WHITE)
    over_ground[:, 90:] = torch.tensor(GREEN)[:, None, None]
    found = backdrop(over_ground, bird())
    assert float(found[10, 10]) > 0.95
    assert float(found[110, 10]) == 0
    assert float(backdrop(plain(WHITE), bird()).max()) == 0


@pytest.mark.parametrize("colour", [GREEN, (0.1, 0.1, 0.12)])
def test_other_grounds_are_none(colour: tuple[float, float, float]) -> None:
    assert float(backdrop(plain(colour), bird()).max()) == 0


def test_blue_things_with_texture_are_none() -> None:
    noisy = plain(BLUE) + 0.1 * torch.rand(3, H, W, generator=torch.Generator().manual_seed(1))
    assert float(backdrop(noisy.clamp(0, 1), bird()).max()) == 0


def test_sky_is_seen_between_twigs_and_the_twigs_are_not_sky() -> None:
    bare_tree = plain(BLUE)
    bare_tree[:, 80:] = torch.tensor(GREEN)[:, None, None]
    bare_tree[:, 55:80, ::3] = 0.25
    found = backdrop(bare_tree, bird())
    twigs, gaps = found[55:75, 0:58:3], found[55:75, 1:58:3]
    assert float(gaps.min()) > 0.9
    assert float(twigs.max()) < 0.3
    assert float(found[85:].max()) < 0.3


def test_what_has_the_sky_s_colour_far_below_it_is_not_sky() -> None:
    pool = plain(BLUE)
    pool[:, 40:] = torch.tensor(GREEN)[:, None, None]
    pool[:, 85:115, 20:60] = torch.tensor(BLUE)[:, None, None]
    assert float(backdrop(pool, bird())[85:115].max()) < 0.05
