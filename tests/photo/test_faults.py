"""Every fault is one sentence that names the file."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nightflash.errors import NightFlashError
from nightflash.photo import Encoding, Photo, check_output, read_mask, read_photo, write_photo
from nightflash.photo import raster as raster_module
from PIL import Image

_PHOTO = Photo.from_encoded(np.full((4, 6, 3), 90, np.uint8))


def _refused(read: Callable[[Path], object], path: Path, about: str) -> NightFlashError:
    with pytest.raises(NightFlashError, match=f"(?i){about}") as caught:
        read(path)
    assert caught.value.code == "bad_photo"
    assert str(path) in caught.value.sentence
    assert caught.value.sentence.endswith(".")
    assert "\n" not in caught.value.sentence
    return caught.value


@pytest.mark.parametrize("read", [read_photo, read_mask])
def test_files_that_are_no_pictures(tmp_path: Path, read: Callable[[Path], object]) -> None:
    text, empty, movie = tmp_path / "text.png", tmp_path / "empty.jpg", tmp_path / "sound.webp"
    text.write_text("This is no picture.")
    empty.touch()
    movie.write_bytes(b"RIFF\0\0\0\0WAVEfmt " + b"\0" * 40)
    assert "JPEG" in _refused(read, text, "not a picture that").remedy
    _refused(read, empty, "is empty")
    _refused(read, movie, "not a picture that")
    _refused(read, tmp_path / "missing.png", "does not exist")
    _refused(read, tmp_path, "is a folder")


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are files of Unix")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    _refused(read_photo, tmp_path / "pipe.png", "not an ordinary file")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.png"
    write_photo(path, _PHOTO)

    def denied(self: Path, *args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    _refused(read_photo, path, "Permission denied")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp", ".gif"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_files_cut_short(tmp_path: Path, suffix: str, kept: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    path = tmp_path / f"cut{suffix}"
    Image.fromarray(noise).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    _refused(read_photo, path, "damaged or cut short")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("kept", [0.1, 0.9])
def test_files_of_16_bits_cut_short(tmp_path: Path, suffix: str, kept: float) -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (200, 200, 3)).astype(np.uint16)
    path = tmp_path / f"cut{suffix}"
    write_photo(path, Photo.from_encoded(noise))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    _refused(read_photo, path, "damaged or cut short")


def test_a_photo_cut_short(shared: Path) -> None:
    path = shared / "photos/edge-cases/african_elephants_truncated_file.jpg"
    _refused(read_photo, path, "damaged or cut short")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    suffix=st.sampled_from([".jpg", ".png", ".tif", ".webp"]),
    place=st.integers(0, 900),
    noise=st.binary(min_size=1, max_size=6),
)
def test_a_damaged_file_is_read_or_refused(
    tmp_path: Path, suffix: str, place: int, noise: bytes
) -> None:
    path = tmp_path / f"damaged{suffix}"
    codes = (np.arange(20 * 24 * 3) % 251).astype(np.uint16).reshape(20, 24, 3) * 200
    write_photo(path, Photo.from_encoded(codes, Encoding(dpi=(72, 72))))
    data = path.read_bytes()
    place %= len(data)
    path.write_bytes(data[:place] + noise + data[place + len(noise) :])
    with contextlib.suppress(NightFlashError):  # and nothing else, and no warning
        assert np.isfinite(read_photo(path).rgb).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(tmp_path: Path, value: float) -> None:
    light = np.ones((3, 3, 3), np.float32)
    light[0, 0] = value
    path = tmp_path / "holes.tif"
    tifffile.imwrite(path, light, photometric="rgb")
    _refused(read_photo, path, "contains 3 values that are not finite numbers")
    _refused(read_mask, path, "contains 3 values that are not finite numbers")


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32, np.complex64])
def test_samples_that_photos_do_not_have(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "data.tif"
    tifffile.imwrite(path, np.zeros((4, 4), dtype), photometric="minisblack")
    _refused(read_photo, path, "type that is not supported")


def test_a_cube_is_no_photo(tmp_path: Path) -> None:
    path = tmp_path / "cube.tif"
    tifffile.imwrite(
        path, np.zeros((4, 4, 40), np.uint8), photometric="minisblack", planarconfig="contig"
    )
    _refused(read_photo, path, "40 samples per pixel")


def _png_declaring(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">L", len(content)) + body + struct.pack(">L", zlib.crc32(body))

    header = struct.pack(">LL5B", width, height, 16, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(100_000, 100_000), (25_000, 20_001), (2**31 - 1, 2**31 - 1)])
def test_sizes_are_refused_before_decoding(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(_png_declaring(*size))
    _refused(read_photo, path, rf"declares {size[0]} × {size[1]} pixels.*at most 500 megapixels")


def test_tiff_sizes_are_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "huge.tif"
    tifffile.imwrite(path, np.zeros((4, 4, 3), np.uint8), photometric="rgb")
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags["ImageWidth"].overwrite(60_000)
        tiff.pages[0].tags["ImageLength"].overwrite(60_000)
    _refused(read_photo, path, "declares 60000 × 60000 pixels")


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp", ".gif"])
def test_every_decoder_heeds_the_limit(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"photo{suffix}"
    Image.new("RGB", (20, 10)).save(path)
    read_photo(path)
    monkeypatch.setattr(raster_module, "MAX_PIXELS", 199)
    _refused(read_photo, path, "declares 20 × 10 pixels")


def test_large_pictures_below_the_limit_give_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("1", (10_000, 9_100)).save(path)  # above Pillow's own limit
    assert read_mask(path).shape == (9_100, 10_000)


def test_heic_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "phone.heic"
    path.write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + b"\0" * 100)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert "nightflash[heic]" in _refused(read_photo, path, "HEIC").remedy


def test_a_damaged_heic(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    path = tmp_path / "phone.heic"
    path.write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + b"\0" * 100)
    _refused(read_photo, path, "damaged")


def _not_written(path: Path, about: str, photo: Photo = _PHOTO, **options: int) -> NightFlashError:
    with pytest.raises(NightFlashError, match=f"(?i){about}") as caught:
        write_photo(path, photo, **options)
    assert caught.value.code == "bad_output"
    assert str(path) in caught.value.sentence
    return caught.value


def test_names_and_folders_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    cases = {
        tmp_path / "photo.xyz": "suffix",
        tmp_path / "photo": "suffix",
        tmp_path / "phone.heic": "suffix",
        tmp_path / "nowhere" / "photo.png": "no folder",
        tmp_path / "folder.png": "is a folder",
    }
    for path, about in cases.items():
        fault = _not_written(path, about)
        with pytest.raises(NightFlashError) as caught:
            check_output(path)
        assert str(caught.value) == str(fault)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="the limit and its message of Unix")
def test_names_that_are_too_long(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".png")
    _refused(read_photo, path, "name too long")
    _not_written(path, "name too long")


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    _not_written(tmp_path / "photo.png", "no permission")


def test_jpeg_refuses_to_lose_transparency(tmp_path: Path) -> None:
    codes = np.full((4, 4, 4), 255, np.uint8)
    write_photo(tmp_path / "opaque.jpg", Photo.from_encoded(codes))
    assert read_photo(tmp_path / "opaque.jpg").alpha is None
    codes[0, 0, 3] = 254
    fault = _not_written(tmp_path / "clear.jpg", "transparency", Photo.from_encoded(codes))
    assert "PNG" in fault.remedy
    assert not (tmp_path / "clear.jpg").exists()


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_quality_has_a_range(tmp_path: Path, quality: int) -> None:
    _not_written(tmp_path / "photo.jpg", "1 to 100", quality=quality)


@pytest.mark.parametrize(("suffix", "limit"), [(".jpg", 65_500), (".webp", 16_383)])
def test_sides_that_the_format_cannot_hold(tmp_path: Path, suffix: str, limit: int) -> None:
    path = tmp_path / f"long{suffix}"
    longest = Photo.from_encoded(np.zeros((1, limit), np.uint8))
    write_photo(path, longest)
    assert read_photo(path).width == limit
    too_long = Photo.from_encoded(np.zeros((1, limit + 1), np.uint8))
    _not_written(path, f"ends at {limit}", too_long)
