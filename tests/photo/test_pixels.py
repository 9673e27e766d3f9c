"""Photos kept in codes of 8 bits, and linear light made into such codes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightflash.errors import NightFlashError
from nightflash.imaging.resample import area
from nightflash.photo import Photo
from nightflash.photo.encoding import SRGB_CURVE, Curve, Encoding, Linear, ParametricCurve, quantise
from nightflash.photo.pixels import EightBitPixels, LinearPixels, reduced
from nightflash.photo.profile import profile_space
from nightflash.photo.profile_writing import adobe_rgb
from nightflash.photo.spaces import SRGB, MatrixSpace, SampledCurve

CURVES = [
    SRGB_CURVE,
    *(ParametricCurve(gamma) for gamma in (0.7, 1.0, 1.8, 2.2, 2.6)),
    SampledCurve(np.linspace(0, 1, 33) ** 2.2),
    SampledCurve(np.array([0.2, 0.2, 0.9])),  # no black, a flat part, not up to white
    ParametricCurve(9.0),  # steps too close for a table
]


def values(rng: np.random.Generator) -> Linear:
    """All kinds: photos', and far outside."""
    usual, octaves = rng.uniform(-0.3, 1.3, 6000), 10.0 ** rng.uniform(-9, 3, 5999)
    return np.concatenate([usual, octaves, [0]]).astype(np.float32).reshape(-1, 1, 3)


@pytest.mark.parametrize("curve", CURVES)
def test_the_table_gives_the_codes_of_the_curve(curve: Curve) -> None:
    linear = values(np.random.default_rng(5))
    wanted = quantise(curve.encode(linear), 8)
    np.testing.assert_array_equal(MatrixSpace((curve,) * 3).eight_bits(linear), wanted)


def test_curves_of_their_own_and_other_primaries() -> None:
    linear = values(np.random.default_rng(6))
    space = profile_space(adobe_rgb())
    assert isinstance(space, MatrixSpace)
    apart = MatrixSpace((SRGB_CURVE, ParametricCurve(1.8), ParametricCurve(2.2)), space.matrix)
    for each in (space, apart):
        np.testing.assert_array_equal(each.eight_bits(linear), quantise(each.encode(linear), 8))


def test_bytes_are_decoded_like_all_codes() -> None:
    codes = np.random.default_rng(2).integers(0, 256, (30, 40, 3), np.uint8)
    adobe = profile_space(adobe_rgb())
    assert isinstance(adobe, MatrixSpace)
    apart = MatrixSpace((SRGB_CURVE, ParametricCurve(1.8), ParametricCurve(2.2)))
    for space in (SRGB, adobe, apart):
        np.testing.assert_allclose(space.decode_bytes(codes), space.decode(codes), atol=1e-6)
    np.testing.assert_array_equal(SRGB.decode_bytes(codes), SRGB.decode(codes))


@given(seed=st.integers(0, 2**32 - 1), icc=st.sampled_from([None, adobe_rgb()]))
def test_codes_come_back_as_they_were(seed: int, icc: bytes | None) -> None:
    codes = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), np.uint8)
    photo = Photo.from_encoded(codes, Encoding(icc=icc))
    assert isinstance(photo.pixels, EightBitPixels)
    assert photo.nbytes == codes.nbytes
    np.testing.assert_array_equal(photo.to_encoded(), codes)
    again = photo.with_rgb(photo.rgb)
    assert isinstance(again.pixels, LinearPixels)
    np.testing.assert_array_equal(again.to_encoded(), codes)
    photo.pixels.put(slice(2, 5), photo.rgb[2:5])
    np.testing.assert_array_equal(photo.to_encoded(), codes)


def test_an_array_is_told_how_to_become_a_photo() -> None:
    with pytest.raises(NightFlashError, match="from_linear"):
        Photo(np.zeros((3, 4, 3), np.float32))  # type: ignore[arg-type]


def test_a_photo_has_codes_of_its_own_unless_given_them() -> None:
    codes = np.full((4, 5, 3), 100, np.uint8)
    mine, given_up = Photo.from_encoded(codes), Photo.from_encoded(codes, copy=False)
    codes[:] = 7
    assert (mine.to_encoded() == 100).all()
    assert (given_up.to_encoded() == 7).all()
    with pytest.raises(ValueError, match="read-only"):
        mine.to_encoded()[0] = 1


@pytest.mark.parametrize("shape", [(40, 5000), (700, 300), (33, 31), (1, 1)])
def test_reduced_rows_at_a_time_like_all_at_once(shape: tuple[int, int]) -> None:
    codes = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    size = max(1, shape[1] // 3), max(1, shape[0] // 7)
    wanted = area(SRGB.decode(codes), size)
    for pixels in (EightBitPixels(codes, SRGB), LinearPixels(SRGB.decode(codes))):
        np.testing.assert_allclose(reduced(pixels, size), wanted, atol=2e-6)
