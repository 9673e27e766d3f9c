"""Transfer curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from nightflash.photo import srgb_decode, srgb_encode
from nightflash.photo.encoding import Encoding, ParametricCurve, quantise, strips

_floats = arrays(np.float64, array_shapes(max_dims=3), elements=st.floats(-20, 20, width=32))


def test_srgb_goes_through_the_values_of_the_standard() -> None:
    encoded = np.array([0.0, 0.02, 0.04045, 0.5, 1.0])
    linear = np.array([0.0, 0.02 / 12.92, 0.0031308, 0.21404114, 1.0])
    np.testing.assert_allclose(srgb_decode(encoded), linear, atol=1e-7)
    np.testing.assert_allclose(srgb_encode(linear), encoded, atol=1e-6)


@given(_floats)
def test_srgb_encode_undoes_decode(values: np.ndarray) -> None:
    np.testing.assert_allclose(srgb_encode(srgb_decode(values)), values, rtol=1e-6, atol=1e-8)


@given(_floats)
def test_srgb_mirrors_negative_values(values: np.ndarray) -> None:
    np.testing.assert_array_equal(srgb_encode(-values), -srgb_encode(values))
    np.testing.assert_array_equal(srgb_decode(-values), -srgb_decode(values))


@given(st.floats(-5, 5), st.floats(-5, 5))
def test_srgb_never_falls(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert srgb_encode(low) <= srgb_encode(high)
    assert srgb_decode(low) <= srgb_decode(high)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_srgb_keeps_floating_types(dtype: type) -> None:
    assert srgb_encode(np.ones(3, dtype)).dtype == dtype
    assert srgb_decode(np.ones(3, dtype)).dtype == dtype


def test_srgb_takes_whole_numbers() -> None:
    assert srgb_decode([0, 1]).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "curve",
    [
        ParametricCurve(1.8),
        ParametricCurve(2.2, 0.9, 0.1, d=-0.1 / 0.9),
        ParametricCurve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
        ParametricCurve(2.222, 0.91, 0.09, 0.222, 0.081, 0.01, 0.01),
    ],
)
def test_a_parametric_curve_is_undone(curve: ParametricCurve) -> None:
    values = np.linspace(0.02, 3, 400)
    np.testing.assert_allclose(curve.encode(curve.decode(values)), values, atol=1e-3)


def test_rounding_is_to_the_nearest_code_and_clips() -> None:
    values = np.array([-0.5, 0.4 / 255, 0.6 / 255, 1.0, 7.0])
    assert quantise(values, 8).tolist() == [0, 0, 1, 255, 255]
    assert quantise(values, 16).tolist() == [0, 103, 154, 65535, 65535]
    np.testing.assert_array_equal(quantise(values, 32), values.astype(np.float32))


@given(st.integers(1, 3000), st.integers(1, 100_000))
def test_strips_cover_every_row_once(height: int, width: int) -> None:
    rows = [row for strip in strips(height, width) for row in range(height)[strip]]
    assert rows == list(range(height))


def test_an_encoding_has_bits_that_files_have() -> None:
    with pytest.raises(ValueError, match="8, 16 or 32"):
        Encoding(bits=12)
