"""Reading and writing every format, depth and layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nightflash.photo import Encoding, Photo, read_photo, write_photo
from PIL import Image

from . import profiles

_LAYOUTS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGB and alpha"}


def _codes(dtype: type, channels: int, seed: int = 0) -> np.ndarray:
    top = np.iinfo(dtype).max + 1
    shape = (70, 11, channels)
    return np.random.default_rng(seed).integers(0, top, shape).astype(dtype)


def _decoded(path: Path) -> np.ndarray:
    """The stored samples by another reader than the package's."""
    if path.suffix == ".png":
        samples = imagecodecs.png_decode(path.read_bytes())
    elif path.suffix == ".tif":
        samples = tifffile.imread(path)
    else:
        with Image.open(path) as image:
            samples = np.asarray(image)
    return np.asarray(samples if samples.ndim == 3 else samples[..., np.newaxis])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", _LAYOUTS)
@pytest.mark.parametrize("icc", [None, profiles.srgb()], ids=["plain", "profile"])
def test_lossless_formats_return_every_bit(
    tmp_path: Path, suffix: str, dtype: type, channels: int, icc: bytes | None
) -> None:
    codes = _codes(dtype, channels)
    icc = None if channels < 3 else icc
    path, again = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
    write_photo(path, Photo.from_encoded(codes, Encoding(icc=icc, dpi=(300, 150))))
    np.testing.assert_array_equal(_decoded(path), codes)
    photo = read_photo(path)
    assert photo.source.bits == codes.dtype.itemsize * 8
    assert photo.source.grey == (channels < 3)
    assert photo.source.icc == icc
    assert photo.source.dpi == pytest.approx((300, 150), abs=0.1)
    assert photo.source.format == {".png": "png", ".tif": "tiff"}[suffix]
    write_photo(again, photo)
    np.testing.assert_array_equal(_decoded(again), codes)


@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_webp_returns_every_bit(tmp_path: Path, channels: int) -> None:
    codes = _codes(np.uint8, channels)
    path = tmp_path / "photo.webp"
    source = Encoding(icc=profiles.display_p3())
    write_photo(path, Photo.from_encoded(codes, source), quality=100)
    photo = read_photo(path)
    np.testing.assert_array_equal(_decoded(path), codes)
    np.testing.assert_array_equal(photo.to_encoded(), codes)
    assert photo.source.icc == source.icc


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_formats_stay_close_in_colour_and_detail(tmp_path: Path, suffix: str) -> None:
    rows, columns = np.mgrid[:64, :48]
    codes = np.stack([rows * 4, columns * 5, 255 - rows * 3], axis=-1).astype(np.uint8)
    path = tmp_path / f"photo{suffix}"
    source = Encoding(icc=profiles.rgb("adobe"), dpi=(240, 240))
    write_photo(path, Photo.from_encoded(codes, source))
    photo = read_photo(path)
    assert np.abs(photo.to_encoded().astype(int) - codes).max() <= 8
    assert photo.source.icc == source.icc
    assert photo.source.dpi == ((240, 240) if suffix == ".jpg" else None)


def test_jpeg_keeps_colour_at_full_resolution(tmp_path: Path) -> None:
    codes = np.zeros((16, 16, 3), np.uint8)
    codes[:, ::2] = (255, 0, 0)
    codes[:, 1::2] = (0, 0, 255)
    write_photo(tmp_path / "stripes.jpg", Photo.from_encoded(codes))
    back = read_photo(tmp_path / "stripes.jpg").to_encoded().astype(int)
    assert np.abs(back - codes).max() < 30


def test_a_grey_jpeg_stays_grey(tmp_path: Path) -> None:
    path = tmp_path / "grey.jpg"
    write_photo(path, Photo.from_encoded(_codes(np.uint8, 1)))
    with Image.open(path) as image:
        assert image.mode == "L"
    assert read_photo(path).source.grey


def test_a_grey_profile_stays_with_grey_and_leaves_with_colour(tmp_path: Path) -> None:
    codes = _codes(np.uint8, 1)
    photo = Photo.from_encoded(codes, Encoding(icc=profiles.grey()))
    for suffix in (".png", ".tif"):
        path = tmp_path / f"grey{suffix}"
        write_photo(path, photo)
        assert read_photo(path).source.icc == profiles.grey()
        np.testing.assert_array_equal(_decoded(path), codes)
    light = photo.rgb * np.float32([1, 0.8, 0.6])
    for suffix in (".png", ".tif", ".webp"):
        path = tmp_path / f"colour{suffix}"
        write_photo(path, photo.with_rgb(light), quality=100)
        back = read_photo(path)
        assert back.source.icc is None
        np.testing.assert_allclose(back.rgb, light, atol=0.006)
    write_photo(tmp_path / "grey.webp", photo, quality=100)
    np.testing.assert_allclose(read_photo(tmp_path / "grey.webp").rgb, photo.rgb, atol=0.006)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(
    "icc", [profiles.rgb("adobe"), profiles.display_p3(), profiles.rgb("prophoto", 1.8)]
)
def test_wide_gamuts_return_within_one_code_of_16_bits(
    tmp_path: Path, suffix: str, icc: bytes
) -> None:
    codes = np.maximum(_codes(np.uint16, 4), 1500)
    path = tmp_path / f"wide{suffix}"
    write_photo(path, Photo.from_encoded(codes, Encoding(icc=icc)))
    photo = read_photo(path)
    assert photo.source.icc == icc
    assert photo.rgb.min() < 0
    back = photo.to_encoded()
    assert np.abs(back.astype(int) - codes)[..., :3].max() <= 1
    np.testing.assert_array_equal(back[..., 3], codes[..., 3])


def test_wide_gamuts_return_exactly_in_8_bits(tmp_path: Path) -> None:
    codes = _codes(np.uint8, 3)
    write_photo(
        tmp_path / "wide.png", Photo.from_encoded(codes, Encoding(icc=profiles.display_p3()))
    )
    np.testing.assert_array_equal(_decoded(tmp_path / "wide.png"), codes)


@pytest.mark.parametrize("channels", _LAYOUTS)
@pytest.mark.parametrize("icc", [None, profiles.rgb("adobe")], ids=["plain", "profile"])
def test_float_tiff_is_not_clipped(tmp_path: Path, channels: int, icc: bytes | None) -> None:
    values = np.random.default_rng(0).normal(0.5, 2, (9, 8, channels)).astype(np.float32)
    if channels % 2 == 0:
        values[..., -1] = values[..., -1].clip(0, 1)
    icc = None if channels < 3 else icc
    path, again = tmp_path / "float.tif", tmp_path / "again.tif"
    extra = {"extrasamples": ["unassalpha"]} if channels % 2 == 0 else {}
    photometric = "rgb" if channels > 2 else "minisblack"
    samples = values if channels > 1 else values[..., 0]
    planar = {"planarconfig": "contig"} if channels > 1 else {}
    tifffile.imwrite(path, samples, photometric=photometric, iccprofile=icc, **extra, **planar)
    photo = read_photo(path)
    assert photo.source.bits == 32
    assert photo.rgb.min() < 0
    assert photo.rgb.max() > 1
    write_photo(again, photo)
    tolerance = 0 if icc is None else 2e-3
    np.testing.assert_allclose(_decoded(again), values, rtol=tolerance, atol=tolerance)


def test_float_tiff_is_linear_unless_a_profile_says_otherwise(tmp_path: Path) -> None:
    half = np.full((2, 2, 3), 0.5, np.float32)
    tifffile.imwrite(tmp_path / "linear.tif", half, photometric="rgb")
    tifffile.imwrite(tmp_path / "bent.tif", half, photometric="rgb", iccprofile=profiles.srgb())
    np.testing.assert_array_equal(read_photo(tmp_path / "linear.tif").rgb, half)
    np.testing.assert_allclose(read_photo(tmp_path / "bent.tif").rgb, 0.21404, atol=1e-4)


def test_floats_become_16_bits_in_png_and_8_in_jpeg(tmp_path: Path) -> None:
    photo = Photo.from_linear(np.full((3, 3, 3), 0.21404114, np.float32))
    write_photo(tmp_path / "photo.png", photo)
    write_photo(tmp_path / "photo.jpg", photo)
    assert np.unique(_decoded(tmp_path / "photo.png")).tolist() == [32768]
    assert np.unique(_decoded(tmp_path / "photo.jpg")).tolist() == [128]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from(range(1, 5))))
)
def test_any_16_bit_png_returns_every_bit(tmp_path: Path, codes: np.ndarray) -> None:
    path = tmp_path / "any.png"
    write_photo(path, Photo.from_encoded(codes))
    np.testing.assert_array_equal(read_photo(path).to_encoded(), codes)


def test_light_changed_in_place_of_the_old_is_what_is_written(tmp_path: Path) -> None:
    photo = Photo.from_encoded(_codes(np.uint16, 4))
    write_photo(tmp_path / "dark.tif", photo.with_rgb(photo.rgb / 4))
    back = read_photo(tmp_path / "dark.tif")
    np.testing.assert_allclose(back.rgb, photo.rgb / 4, atol=1e-5)
    np.testing.assert_array_equal(back.alpha, photo.alpha)


def test_a_20_megapixel_photo_returns_every_bit(shared: Path, tmp_path: Path) -> None:
    path = shared / "photos/daylight/kruger_elephant_20MP.jpg"
    photo = read_photo(path)
    with Image.open(path) as image:
        np.testing.assert_array_equal(photo.to_encoded(), np.asarray(image))
        model = image.getexif().get(0x0110)
    write_photo(tmp_path / "elephant.jpg", photo)
    with Image.open(tmp_path / "elephant.jpg") as image:
        assert image.size == (photo.width, photo.height)
        assert image.getexif().get(0x0110) == model


def test_the_source_of_one_photo_serves_another(tmp_path: Path) -> None:
    wide = Encoding(icc=profiles.display_p3())
    photo = Photo.from_encoded(_codes(np.uint8, 3))
    write_photo(tmp_path / "moved.png", replace(photo, source=wide))
    np.testing.assert_allclose(read_photo(tmp_path / "moved.png").rgb, photo.rgb, atol=0.006)
