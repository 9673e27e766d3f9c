from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nightflash.imaging.colour import encode
from nightflash.imaging.resample import area, working_dimensions
from nightflash.photo.reading import read_photo
from nightflash.scene.geometry import plane_depth, salience
from nightflash.scene.open_air import foliage_share, sky_mask
from torch import Tensor
from training.scenes import render_scene


def photo(path: Path) -> Tensor:
    rgb = read_photo(path).rgb
    small = area(rgb, working_dimensions(rgb.shape[1], rgb.shape[0], 0.25))
    return encode(torch.from_numpy(small).permute(2, 0, 1).contiguous().clamp(0, 1))


def day(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """A rendered scene, encoded, with its true sky and main object."""
    scene = render_scene(seed)
    picture = encode(torch.from_numpy(scene.day).permute(2, 0, 1).contiguous().clamp(0, 1))
    sky = torch.from_numpy(np.isinf(scene.distance))
    return picture, sky, torch.from_numpy(scene.mask) > 0.5


H, W = 180, 240


def ball(colour: tuple[float, float, float], ground: tuple[float, float, float]) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(90), torch.arange(120), indexing="ij")
    inside = (rows - 55) ** 2 + (columns - 50) ** 2 < 18**2
    noise = 0.02 * torch.rand(3, 90, 120, generator=torch.Generator().manual_seed(1))
    picture = torch.where(inside, torch.tensor(colour)[:, None, None], 0.0)
    return torch.where(inside, picture, torch.tensor(ground)[:, None, None]) + noise


@pytest.mark.parametrize("seed", [2, 3, 6, 8])
def test_sky_of_rendered_scenes(seed: int) -> None:
    picture, truth, _ = day(seed)
    found = sky_mask(picture) > 0.5
    assert (found & truth).sum() / (found | truth).sum() > 0.9


@pytest.mark.parametrize("seed", [5, 7])
def test_walls_are_no_sky(seed: int) -> None:
    assert sky_mask(day(seed)[0]).max() == 0


def test_snow_is_no_sky(shared: Path) -> None:
    assert sky_mask(photo(shared / "photos/daylight/me_Nikon_D3100.jpg")).max() == 0


def test_sky_between_branches(shared: Path) -> None:
    sky = sky_mask(photo(shared / "photos/daylight/african_elephants.jpg"))
    assert 0.1 < float(sky.mean()) < 0.35
    assert float(sky[len(sky) // 2 :].mean()) < 0.02


def test_depth_falls_from_the_ground_before_the_camera_to_the_sky() -> None:
    picture, truth, _ = day(6)
    depth = plane_depth(picture)
    assert float(depth[truth].median()) == 0
    assert depth[-5:].mean() > 1.5 * depth[~truth].median()


def test_without_sky_depth_is_mild() -> None:
    depth = plane_depth(day(5)[0])
    assert depth.min() > 0.7
    assert depth[-5:].mean() > depth[:5].mean()


@pytest.mark.parametrize("seed", [3, 6])
def test_the_subject_stands_upright_where_its_foot_is(seed: int) -> None:
    picture, sky, subject = day(seed)
    bare, depth = plane_depth(picture), plane_depth(picture, subject.float())
    inside = depth[subject & ~sky & (sky_mask(picture) < 0.1)]
    foot = int(subject.any(1).nonzero()[-1])
    assert float(inside.max() - inside.min()) < 0.01 + 0.1 * float(inside.mean())
    assert float(inside.median()) >= 0.95 * float(bare[foot][subject[foot]].mean())


@pytest.mark.parametrize("seed", [3, 5])
def test_salience_finds_the_main_object(seed: int) -> None:
    picture, _, truth = day(seed)
    found = salience(picture, plane_depth(picture)) > 0.5
    assert (found & truth).sum() / found.sum() > 0.6
    assert (found & truth).sum() / truth.sum() > 0.6


@pytest.mark.parametrize("colour", [(0.9, 0.1, 0.1), (0.1, 0.2, 0.9), (0.95, 0.95, 0.95)])
def test_salience_finds_a_ball_on_grass(colour: tuple[float, float, float]) -> None:
    picture = ball(colour, (0.25, 0.4, 0.15))
    score = salience(picture, plane_depth(picture))
    assert score[55, 50] > 0.5
    assert score[5, 5] < 0.5
    assert score[80, 110] < 0.5


def test_a_leaf_on_snow_is_found(shared: Path) -> None:
    picture = photo(shared / "photos/daylight/me_Nikon_D3100.jpg")
    found = salience(picture, plane_depth(picture)) > 0.5
    h, w = found.shape
    leaf = torch.zeros_like(found)
    leaf[round(0.25 * h) : round(0.75 * h), round(0.5 * w) : round(0.85 * w)] = True
    assert found.any()
    assert (found & leaf).sum() > 0.8 * found.sum()


def test_a_green_wall_is_not_foliage_and_leaves_out_of_focus_are() -> None:
    """One paint under uneven light against greens, yellows and browns that melt into each other."""
    light = 0.3 + 0.5 * torch.linspace(0, 1, W).expand(1, H, W)
    wall = light * torch.tensor([0.6, 0.9, 0.5])[:, None, None]
    coarse = torch.rand(3, H // 12, W // 12, generator=torch.Generator().manual_seed(1))
    spread = coarse * torch.tensor([0.3, 0.3, 0.2])[:, None, None]
    blots = spread + torch.tensor([0.25, 0.5, 0.15])[:, None, None]
    leaves = torch.nn.functional.interpolate(blots[None], (H, W), mode="bicubic")[0].clamp(0, 1)
    assert foliage_share(wall) == 0
    assert foliage_share(leaves) == 1


@settings(max_examples=25, deadline=None)
@given(
    st.integers(32, 90), st.integers(32, 90), st.sampled_from(["flat", "noise", "black", "white"])
)
def test_any_picture_gives_finite_values_in_range(h: int, w: int, kind: str) -> None:
    noise = torch.rand(3, h, w, generator=torch.Generator().manual_seed(h * w))
    level = {"flat": 0.5, "black": 0.0, "white": 1.0, "noise": 0.5}[kind]
    picture = noise if kind == "noise" else torch.full((3, h, w), level)
    depth = plane_depth(picture, torch.zeros(h, w))
    for found in (depth, salience(picture, depth), sky_mask(picture, depth)):
        assert found.shape == (h, w)
        assert bool(found.isfinite().all())
        assert 0 <= float(found.min()) <= float(found.max()) <= 1
