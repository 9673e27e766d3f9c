"""The size of the picture that goes in, and its pixels, against the authors' transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nightflash.models.midas.preprocess import FRAMINGS, Framing
from torch import Tensor

from tests.models.midas.official import NAMES, figures

SIDES = st.integers(1, 20_000)


def picture(height: int, width: int) -> Tensor:
    """(3, H, W) uint8, as the figures' own."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(0.23 * (c + 1) * y + 0.31 * x + 0.5 * c) for c in range(3)]
    return torch.from_numpy(np.floor(255.999 * (0.5 + 0.5 * np.stack(waves))).astype(np.uint8))


def of(name: str) -> Any:
    return figures("preprocess")["models"][name]


@pytest.mark.parametrize("name", NAMES)
def test_sizes_are_those_of_the_published_transforms(name: str) -> None:
    """All but what is 0 pixels there: it fails."""
    table = of(name)["table"]
    assert len(table) == 27
    for width, height, expected_width, expected_height in table:
        expected = (max(expected_height, 32), max(expected_width, 32))
        assert FRAMINGS[name].size(height, width) == expected, (width, height)


@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_those_of_the_published_transforms(name: str) -> None:
    for sample in of(name)["samples"]:
        small = sample["of"] == "image"
        rgb = picture(150, 200) if small else picture(900, 1200)
        assert rgb.long().sum() == figures("preprocess")["image_sum" if small else "image2_sum"]
        found = FRAMINGS[name].prepare(rgb.float() / 255)
        assert list(found.shape) == [1, *sample["shape"]]
        grid = found[0][:, sample["ys"]][:, :, sample["xs"]].flatten()
        torch.testing.assert_close(grid, torch.tensor(sample["values_c_y_x"]), atol=6e-5, rtol=0)
        assert found.min().item() == pytest.approx(sample["min"], abs=2e-4)
        assert found.max().item() == pytest.approx(sample["max"], abs=2e-4)
        assert found.mean().item() == pytest.approx(sample["mean"], abs=1e-4)


def test_half_way_between_two_sizes_the_even_multiple_is_taken() -> None:
    assert FRAMINGS["midas_v21_small_256"].size(1080, 1920) == (128, 256)  # 4.5 times 32
    assert FRAMINGS["midas_v21_small_256"].size(688, 1024) == (160, 256)  # 5.375
    assert FRAMINGS["midas_v21_small_256"].size(704, 1024) == (192, 256)  # 5.5 times 32


@pytest.mark.parametrize("name", ["dpt_hybrid_384", "dpt_large_384"])
def test_only_what_is_longer_than_the_network_bears_is_squeezed(name: str) -> None:
    assert FRAMINGS[name].size(1000, 4000) == (384, 1536)
    assert FRAMINGS[name].size(1000, 5000) == (384, 1536)
    assert FRAMINGS[name].size(5000, 1000) == (1536, 384)
    assert FRAMINGS[name].size(1, 10**6) == (32, 384)


@given(SIDES, SIDES, st.sampled_from(NAMES))
@settings(deadline=None, max_examples=300)
def test_sizes_keep_their_promises(height: int, width: int, name: str) -> None:
    framing = FRAMINGS[name]
    net, size = framing.net, framing.size(height, width)
    assert all(side % 32 == 0 for side in size)
    assert all(32 <= side <= 4 * net for side in size)
    assert net in size
    if framing.rule == "square":
        assert size == (net, net)
        return
    if framing.rule == "within":
        assert max(size) == net
        scale = net / max(height, width)
    else:
        down, across = net / height, net / width
        assume(abs(abs(1 - down) - abs(1 - across)) > 1e-9)
        scale = min(down, across, key=lambda change: abs(1 - change))
    for side, found in zip((height, width), size, strict=True):
        ideal = min(max(scale * side, 32), 4 * net)
        assert abs(found - ideal) <= 16 + 1e-6
    assert framing.size(width, height) == size[::-1]


def test_values_beyond_black_and_white_are_kept() -> None:
    """The network was trained on what cubic interpolation overshoots."""
    rgb = torch.zeros(3, 40, 40)
    rgb[:, :, 20:] = 1.0
    found = Framing(64, "square", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)).prepare(rgb)
    assert found.min() < -0.01
    assert found.max() > 1.01


def test_a_picture_of_the_right_size_is_only_normalised() -> None:
    rgb = torch.rand(3, 64, 64)
    found = Framing(64, "square", (0.1, 0.2, 0.3), (0.5, 0.25, 1.0)).prepare(rgb)
    for channel, mean, std in ((0, 0.1, 0.5), (1, 0.2, 0.25), (2, 0.3, 1.0)):
        torch.testing.assert_close(found[0, channel], (rgb[channel] - mean) / std)
