from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightflash.imaging.resample import GREATEST_SIDE, LEAST_SIDE, area, working_dimensions

SIDES = st.integers(1, 90)


def noise(height: int, width: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(height * 1000 + width).random((height, width, 3), np.float32)


@given(SIDES, SIDES, SIDES, SIDES)
def test_an_even_picture_stays_even(h: int, w: int, height: int, width: int) -> None:
    small = area(np.full((h, w, 3), 0.37, np.float32), (width, height))
    assert small.shape == (height, width, 3)
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, 0.37, atol=1e-5)


@given(SIDES, SIDES, SIDES, SIDES)
def test_shrinking_keeps_the_mean_of_the_light(h: int, w: int, height: int, width: int) -> None:
    picture = noise(h, w)
    small = area(picture, (min(w, width), min(h, height)))
    np.testing.assert_allclose(small.mean((0, 1)), picture.mean((0, 1)), atol=1e-4)


@given(SIDES, SIDES, SIDES, SIDES)
def test_nothing_leaves_the_range(h: int, w: int, height: int, width: int) -> None:
    picture = noise(h, w)
    small = area(picture, (width, height))
    assert small.min() >= picture.min() - 1e-5
    assert small.max() <= picture.max() + 1e-5


def test_an_exact_share_is_the_mean_of_its_pixels() -> None:
    picture = noise(40, 60)
    blocks = picture.reshape(10, 4, 20, 3, 3).mean((1, 3))
    np.testing.assert_allclose(area(picture, (20, 10)), blocks, atol=1e-6)


@pytest.mark.parametrize("size", [(300, 20), (300, 32)], ids=["shrunk", "shrunk and widened"])
def test_fine_stripes_become_even_grey(size: tuple[int, int]) -> None:
    stripes = np.zeros((20, 30000, 1), np.float32)
    stripes[:, ::2] = 1
    np.testing.assert_allclose(area(stripes, size), 0.5, atol=0.01)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_long_strips_and_any_number_of_channels(channels: int) -> None:
    strip = np.ones((2, 70_000, channels), np.float32)
    assert area(strip, (4096, 32)).shape == (32, 4096, channels)
    assert area(strip.transpose(1, 0, 2), (32, 4096)).shape == (4096, 32, channels)


def test_the_same_size_is_the_same_picture() -> None:
    picture = noise(31, 47)
    np.testing.assert_array_equal(area(picture, (47, 31)), picture)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.02, 2.0))
def test_working_dimensions(width: int, height: int, megapixels: float) -> None:
    w, h = working_dimensions(width, height, megapixels)
    assert LEAST_SIDE <= w <= GREATEST_SIDE
    assert LEAST_SIDE <= h <= GREATEST_SIDE
    least = LEAST_SIDE * GREATEST_SIDE  # of a strip that is squeezed
    assert w * h <= max(megapixels * 1.05e6, least)
    if width * height <= megapixels * 1e6 and max(width, height) <= GREATEST_SIDE:
        assert (w, h) == (max(width, LEAST_SIDE), max(height, LEAST_SIDE))
    elif LEAST_SIDE < w < GREATEST_SIDE and LEAST_SIDE < h < GREATEST_SIDE:
        assert w / h == pytest.approx(width / height, rel=0.04)
