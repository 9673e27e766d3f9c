"""ICC profiles, against littleCMS and against themselves."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nightflash.photo.encoding import SRGB_CURVE, quantise
from nightflash.photo.profile import colour_model, profile_space
from nightflash.photo.spaces import LINEAR_SRGB, SRGB

from . import profiles

_HUES = np.random.default_rng(1).random((8, 9, 3)).astype(np.float32)


@pytest.mark.parametrize(
    "icc",
    [
        profiles.rgb("adobe"),
        profiles.display_p3(),
        profiles.rgb("prophoto", 1.8),
        profiles.with_curves(profiles.rgb("p3"), profiles.sampled(np.linspace(0, 1, 500) ** 2)),
        profiles.with_curves(
            profiles.rgb("adobe"), profiles.parametric(4, 2.2, 0.9, 0.1, 0.2, 0.06, 0.0, 0.0)
        ),
        profiles.with_curves(profiles.rgb("adobe"), profiles.parametric(1, 2.0, 0.9, 0.1)),
    ],
)
def test_a_matrix_profile_means_what_littlecms_says(icc: bytes) -> None:
    space = profile_space(icc)
    assert space is not None
    linear = profiles.rgb("srgb", 1.0)
    wanted = imagecodecs.cms_transform(
        _HUES, icc, linear, colorspace="rgb", outcolorspace="rgb", outdtype="float32", intent=1
    )
    np.testing.assert_allclose(space.decode(_HUES), wanted, atol=4e-4)
    np.testing.assert_allclose(space.encode(space.decode(_HUES)), _HUES, atol=1e-3)


@pytest.mark.parametrize("name", ["adobe", "p3", "prophoto"])
def test_colours_outside_srgb_are_not_clipped_and_come_back(name: str) -> None:
    space = profile_space(profiles.rgb(name))
    assert space is not None
    primaries = np.eye(3, dtype=np.float32)[np.newaxis]
    linear = space.decode(primaries)
    assert linear.min() < -0.02
    assert linear.max() > 1.02
    np.testing.assert_allclose(space.encode(linear), primaries, atol=2e-3)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_adobe_rgb_is_restored_within_one_code_of_16_bits(seed: int) -> None:
    # Channels below 1 % of full scale beside bright ones drown in float32's own rounding.
    codes = np.random.default_rng(seed).integers(700, 65536, (4, 5, 3)).astype(np.uint16)
    space = profile_space(profiles.rgb("adobe"))
    assert space is not None
    back = quantise(space.encode(space.decode(codes)), 16)
    assert np.abs(back.astype(int) - codes).max() <= 1


@pytest.mark.parametrize(
    "icc",
    [
        profiles.srgb(),
        profiles.with_curves(
            profiles.rgb("srgb"), profiles.sampled(SRGB_CURVE.decode(np.linspace(0, 1, 1024)))
        ),
    ],
)
def test_an_srgb_profile_is_the_exact_function(icc: bytes) -> None:
    assert profile_space(icc) is SRGB


def test_neighbours_of_srgb_are_not_taken_for_it() -> None:
    assert profile_space(profiles.rgb("srgb", 2.2)) is not SRGB
    assert profile_space(profiles.display_p3()) is not SRGB
    assert profile_space(profiles.rgb("srgb", 1.0)) is LINEAR_SRGB


def test_a_grey_profile_bends_by_its_curve() -> None:
    space = profile_space(profiles.grey(1.8))
    assert space is not None
    codes = np.array([[[0], [100], [255]]], np.uint8)
    wanted = np.repeat((codes / 255) ** (round(1.8 * 256) / 256), 3, axis=-1)
    np.testing.assert_allclose(space.decode(codes), wanted, atol=1e-6)


def test_inks_become_light() -> None:
    space = profile_space(profiles.cmyk())
    assert space is not None
    paper, cyan, yellow, black = space.decode(
        np.array([[[0, 0, 0, 0], [255, 0, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255]]], np.uint8)
    )[0]
    np.testing.assert_allclose(paper, 1, atol=0.01)
    np.testing.assert_allclose(black, 0, atol=0.01)
    assert cyan[0] < 0 < cyan[1] < cyan[2]
    assert yellow[2] < 0.2 < yellow[1] < yellow[0]


@given(st.integers(0, 600), st.binary(min_size=1, max_size=12))
def test_a_damaged_profile_is_none_or_a_space(place: int, noise: bytes) -> None:
    icc = profiles.rgb("adobe")
    space = profile_space(icc[:place] + noise + icc[place + len(noise) :])
    if space is not None:
        assert space.decode(np.zeros((1, 1, 3), np.uint8)).shape == (1, 1, 3)


@pytest.mark.parametrize("icc", [b"", b"no profile", b"\0" * 200, profiles.rgb("adobe")[:200]])
def test_what_is_no_profile_has_no_space(icc: bytes) -> None:
    assert profile_space(icc) is None


def test_the_colour_model_is_told() -> None:
    assert [colour_model(p) for p in (profiles.srgb(), profiles.grey(), profiles.cmyk())] == [
        "RGB",
        "GRAY",
        "CMYK",
    ]
    assert colour_model(b"nonsense") == ""
