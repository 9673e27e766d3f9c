"""The published style image against a slow transcription of the published formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nightflash.light.published import distance_weight, size_factor, style_image, style_light
from nightflash.scene.scene import Scene


def slow_style(depth: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """The table of formulas, pixel by pixel."""
    height, width = depth.shape
    x, y, w, h = box
    r = math.hypot(w, h) / math.hypot(width, height)
    f = 2.5 / (1 + math.exp(-1 / (1 - r)))
    radius = math.hypot(w, h) / f
    cx, cy = x + w / 2, y + h / 2

    def distance(column: int, row: int) -> float:
        return max(0.0, math.sqrt((column - cx) ** 2 + (row - cy) ** 2) - radius)

    corners = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)]
    largest = max(distance(c, r) for c, r in corners)
    style = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            weight = (1 - distance(column, row) / largest) ** (0.2 * f + 1)
            style[row, column] = depth[row, column] * weight
    return style // (style.mean() / 20 + 1)


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(st.integers(12, 40), st.integers(12, 40)),
    place=st.tuples(st.floats(0, 0.6), st.floats(0, 0.6)),
    extent=st.tuples(st.floats(0.1, 0.4), st.floats(0.1, 0.4)),
    seed=st.integers(0, 1000),
)
def test_style_image_is_the_published_one(
    size: tuple[int, int],
    place: tuple[float, float],
    extent: tuple[float, float],
    seed: int,
) -> None:
    height, width = size
    depth = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.float64)
    box = (place[0] * width, place[1] * height, extent[0] * width, extent[1] * height)
    fast = style_image(torch.from_numpy(depth).float(), box).numpy()
    slow = slow_style(depth, box)
    # A whole-number division may fall to the other side of a step for a rounding error.
    assert np.abs(fast - slow).max() <= 1
    assert (fast != slow).mean() < 0.01


def test_size_factor_has_the_published_range() -> None:
    assert size_factor(1e-9, 1) == pytest.approx(1.83, abs=0.01)
    assert size_factor(1, 1) == 2.5
    assert size_factor(0.999, 1) == pytest.approx(2.5, abs=1e-3)


def test_weight_is_one_on_the_object_and_zero_in_the_farthest_corner() -> None:
    weight = distance_weight(60, 90, (5, 5, 20, 20))
    assert weight[15, 15] == 1
    assert weight[-1, -1] == 0
    assert weight.min() >= 0


def test_the_light_scales_depth_by_its_extremes_and_keeps_the_shape() -> None:
    depth = torch.linspace(-0.1, 1.3, 40 * 60).reshape(40, 60)
    scene = Scene(
        photo=torch.rand(3, 40, 60),
        inverse_depth=depth,
        subject=torch.ones(40, 60),
        box=(150, 100, 300, 200),
        size=(600, 400),
        depth_from="test",
        subject_from="test",
    )
    light = style_light(scene)
    expected = style_image(
        ((depth - depth.min()) / (depth.max() - depth.min()) * 255).round(), (15, 10, 30, 20)
    )
    assert torch.equal((light.maps[0] * 255).round(), expected)
    assert light.target.shape == (3, 40, 60)
    assert torch.equal(light.target[0], light.target[2])
