"""Photos from arrays and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nightflash.errors import NightFlashError
from nightflash.photo import Encoding, Photo, srgb_decode

from . import profiles


@pytest.mark.parametrize(
    ("shape", "alpha", "grey"),
    [
        ((3, 5), False, True),
        ((3, 5, 1), False, True),
        ((3, 5, 2), True, True),
        ((3, 5, 3), False, False),
        ((3, 5, 4), True, False),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_codes_come_back_from_every_layout(
    shape: tuple[int, ...], alpha: bool, grey: bool, dtype: type
) -> None:
    codes = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    photo = Photo.from_encoded(codes)
    assert photo.rgb.shape == (3, 5, 3)
    assert (photo.alpha is not None) == alpha
    assert photo.source.grey == grey
    assert (photo.height, photo.width) == (3, 5)
    np.testing.assert_array_equal(photo.to_encoded(), codes.reshape(3, 5, -1))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_code_comes_back(dtype: type) -> None:
    codes = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(1, -1)
    np.testing.assert_array_equal(Photo.from_encoded(codes).to_encoded()[..., 0], codes)


def test_codes_mean_srgb() -> None:
    codes = np.array([[[0, 128, 255]]], np.uint8)
    np.testing.assert_allclose(Photo.from_encoded(codes).rgb, srgb_decode(codes / 255), atol=1e-7)


def test_alpha_is_not_bent() -> None:
    photo = Photo.from_encoded(np.full((1, 1, 4), 51, np.uint8))
    assert photo.alpha is not None
    assert photo.alpha[0, 0] == np.float32(0.2)


def test_a_profile_changes_what_codes_mean() -> None:
    codes = np.array([[[0, 255, 0]]], np.uint8)
    plain = Photo.from_encoded(codes)
    wide = Photo.from_encoded(codes, Encoding(icc=profiles.rgb("adobe")))
    assert plain.rgb[0, 0].tolist() == [0, 1, 0]
    assert wide.rgb[0, 0, 0] < -0.3
    np.testing.assert_array_equal(wide.to_encoded(), codes)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_linear_light_of_any_floating_type(dtype: type) -> None:
    light = np.array([[[-0.25, 0.5, 4.0]]], dtype)
    photo = Photo.from_linear(light)
    assert photo.rgb.dtype == np.float32
    np.testing.assert_array_equal(photo.rgb, light.astype(np.float32))
    np.testing.assert_array_equal(photo.to_encoded(), photo.rgb)


def test_linear_grey_has_three_equal_channels_of_its_own() -> None:
    light = np.ones((2, 2), np.float32)
    photo = Photo.from_linear(light)
    photo.rgb[0, 0, 0] = 5
    assert photo.rgb[0, 0].tolist() == [5, 1, 1]
    assert light[0, 0] == 1


def test_alpha_beside_the_picture() -> None:
    alpha = np.array([[0.25]], np.float32)
    photo = Photo.from_linear(np.ones((1, 1, 3)), alpha)
    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[0.25]]
    codes = Photo.from_encoded(np.zeros((1, 1), np.uint8), alpha=np.array([[7]], np.uint8))
    assert codes.to_encoded().tolist() == [[[0, 7]]]


def test_a_grey_photo_that_gets_colour_becomes_srgb() -> None:
    source = Encoding(icc=profiles.grey(1.8))
    photo = Photo.from_encoded(np.array([[100]], np.uint8), source)
    assert photo.to_encoded().tolist() == [[[100]]]
    warm = photo.with_rgb(srgb_decode(np.array([[[200, 100, 50]]]) / 255))
    assert warm.to_encoded().tolist() == [[[200, 100, 50]]]


def test_a_profile_of_another_colour_model_is_dropped() -> None:
    colour, grey = np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8)
    assert Photo.from_encoded(colour, Encoding(icc=profiles.grey())).source.icc is None
    assert Photo.from_encoded(colour, Encoding(icc=profiles.cmyk())).source.icc is None
    assert Photo.from_encoded(colour, Encoding(icc=b"broken")).source.icc is None
    assert Photo.from_encoded(grey, Encoding(icc=profiles.srgb())).source == Encoding(grey=True)


def test_grey_values_of_a_colour_profile_become_colour() -> None:
    source = Encoding(icc=profiles.rgb("adobe"))
    photo = Photo.from_encoded(np.array([[90]], np.uint8), source)
    assert photo.source == source
    assert photo.to_encoded().tolist() == [[[90, 90, 90]]]


def test_other_bits_than_the_source_had() -> None:
    photo = Photo.from_linear(srgb_decode(np.full((1, 1, 3), 0.5, np.float32)))
    assert photo.to_encoded(8).tolist() == [[[128] * 3]]
    assert photo.to_encoded(16).tolist() == [[[32768] * 3]]


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 4), st.just(3)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    )
)
def test_photos_hold_finite_light_only(light: np.ndarray) -> None:
    wrong = int((~np.isfinite(light)).sum())
    if wrong:
        with pytest.raises(NightFlashError, match=f"contains {wrong} value") as caught:
            Photo.from_linear(light)
        assert caught.value.code == "bad_photo"
    else:
        np.testing.assert_array_equal(Photo.from_linear(light).rgb, light)


def test_too_large_for_float32_is_infinite() -> None:
    with pytest.raises(NightFlashError, match="contains 3 values that are not finite numbers"):
        Photo.from_linear(np.full((1, 1), 1e300))


@pytest.mark.parametrize(
    ("array", "about"),
    [
        (np.zeros(5), "shape"),
        (np.zeros((2, 2, 5)), "shape"),
        (np.zeros((2, 2, 2, 2)), "shape"),
        (np.zeros((2, 2), np.uint8), "from_encoded"),
        (np.zeros((0, 4, 3)), "no pixels"),
    ],
)
def test_linear_light_of_the_wrong_shape_or_type(array: np.ndarray, about: str) -> None:
    with pytest.raises(NightFlashError, match=about):
        Photo.from_linear(array)


@pytest.mark.parametrize(
    ("array", "about"),
    [
        (np.zeros((2, 2, 3), np.float32), "from_linear"),
        (np.zeros((2, 2, 3), np.int32), "uint8 or uint16"),
        (np.zeros(4, np.uint8), "shape"),
        (np.zeros((4, 0), np.uint8), "no pixels"),
    ],
)
def test_codes_of_the_wrong_shape_or_type(array: np.ndarray, about: str) -> None:
    with pytest.raises(NightFlashError, match=about):
        Photo.from_encoded(array)


def test_alpha_that_does_not_fit() -> None:
    light = np.zeros((2, 3, 3), np.float32)
    with pytest.raises(NightFlashError, match="alpha of this photo"):
        Photo.from_linear(light, np.zeros((3, 2)))
    with pytest.raises(NightFlashError, match="outside 0 to 1"):
        Photo.from_linear(light, np.full((2, 3), 1.5))
    with pytest.raises(NightFlashError, match="two alpha"):
        Photo.from_linear(np.zeros((2, 3, 4)), np.zeros((2, 3)))
    with pytest.raises(NightFlashError, match="alpha of this picture"):
        Photo.from_encoded(np.zeros((2, 3), np.uint8), alpha=np.zeros((2, 3), np.uint16))


def test_new_light_must_fit_and_be_finite() -> None:
    photo = Photo.from_encoded(np.zeros((2, 3, 4), np.uint8))
    with pytest.raises(NightFlashError, match="alpha of this photo"):
        photo.with_rgb(np.zeros((3, 2, 3)))
    with pytest.raises(NightFlashError, match="not finite"):
        photo.with_rgb(np.full((2, 3, 3), np.nan))
