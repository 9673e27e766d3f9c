"""Kinds of files that are read and never written, and masks."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from nightflash.photo import Photo, read_mask, read_photo, srgb_decode, write_photo
from PIL import Image

from . import profiles

_RNG = np.random.default_rng(5)
_RGB = _RNG.integers(0, 256, (12, 10, 3)).astype(np.uint8)


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(_RGB).save(path, "PNG")
    photo = read_photo(path)
    assert photo.source.format == "png"
    np.testing.assert_array_equal(photo.to_encoded(), _RGB)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".gif"])
def test_palettes(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(_RGB).quantize(16)
    image.save(tmp_path / f"palette{suffix}")
    photo = read_photo(tmp_path / f"palette{suffix}")
    np.testing.assert_array_equal(photo.to_encoded(), np.asarray(image.convert("RGB")))
    assert photo.alpha is None


@pytest.mark.parametrize("transparency", [3, bytes([0, 40, 255, 128])])
def test_a_palette_with_transparency(tmp_path: Path, transparency: int | bytes) -> None:
    image = Image.fromarray(_RGB).quantize(4)
    image.save(tmp_path / "palette.png", transparency=transparency)
    indices = np.asarray(image)
    opacity = (
        np.array([*transparency]) if isinstance(transparency, bytes) else np.array([255] * 3 + [0])
    )
    photo = read_photo(tmp_path / "palette.png")
    assert photo.alpha is not None
    np.testing.assert_array_equal(np.rint(photo.alpha * 255), opacity[indices])
    write_photo(tmp_path / "again.png", photo)
    with Image.open(tmp_path / "again.png") as again:
        assert again.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(again), photo.to_encoded())


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_transparent_colour_in_png(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (3, 2), "white")
    image.putpixel((1, 1), 7 if mode == "L" else (7, 7, 7))
    image.save(tmp_path / "key.png", transparency=7 if mode == "L" else (7, 7, 7))
    photo = read_photo(tmp_path / "key.png")
    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[1, 1, 1], [1, 0, 1]]
    assert photo.source.grey == (mode == "L")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_one_bit(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(_RGB).convert("1")
    image.save(tmp_path / f"bits{suffix}")
    photo = read_photo(tmp_path / f"bits{suffix}")
    np.testing.assert_array_equal(photo.rgb[..., 0], np.asarray(image).astype(np.float32))
    assert photo.source.grey or suffix == ".bmp"


def test_cmyk_without_a_profile(tmp_path: Path) -> None:
    inks = np.array([[[0, 0, 0, 0], [255, 0, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255]]], np.uint8)
    Image.fromarray(inks, "CMYK").save(tmp_path / "inks.tif")
    photo = read_photo(tmp_path / "inks.tif")
    assert photo.rgb.tolist() == [[[1, 1, 1], [0, 1, 1], [1, 1, 0], [0, 0, 0]]]
    write_photo(tmp_path / "again.tif", photo)
    assert tifffile.imread(tmp_path / "again.tif").shape == (1, 4, 3)


def test_cmyk_of_16_bits(tmp_path: Path) -> None:
    inks = np.full((2, 2, 4), 13107, np.uint16)  # a fifth
    tifffile.imwrite(tmp_path / "inks.tif", inks, photometric="separated")
    photo = read_photo(tmp_path / "inks.tif")
    assert photo.source.bits == 16
    np.testing.assert_allclose(photo.rgb, srgb_decode(0.64), atol=1e-5)


@pytest.mark.parametrize("suffix", [".tif", ".jpg"])
def test_cmyk_by_its_profile(tmp_path: Path, suffix: str) -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, 8:] = (255, 0, 0, 0)
    path = tmp_path / f"inks{suffix}"
    Image.fromarray(inks, "CMYK").save(path, icc_profile=profiles.cmyk())
    photo = read_photo(path)
    np.testing.assert_allclose(photo.rgb[4, 2], 1, atol=0.02)
    np.testing.assert_allclose(photo.rgb[4, 13], [-0.123, 0.527, 0.889], atol=0.03)
    assert photo.source.icc is None
    write_photo(tmp_path / "out.jpg", photo)
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.mode == "RGB"


def test_a_cmyk_photo_looks_like_its_rgb_twin(shared: Path) -> None:
    inks = read_photo(shared / "photos/edge-cases/african_elephants_cmyk.jpg")
    plain = read_photo(shared / "photos/daylight/african_elephants.jpg")
    difference = inks.to_encoded()[::8, ::8].astype(int) - plain.to_encoded()[::8, ::8]
    assert np.abs(difference).mean() < 12


@pytest.mark.parametrize("bits", [1, 4, 12, 14])
def test_tiff_of_uncommon_depths(tmp_path: Path, bits: int) -> None:
    values = _RNG.integers(0, 2**bits, (8, 8)).astype(np.uint8 if bits <= 8 else np.uint16)
    path = tmp_path / "depth.tif"
    path.write_bytes(_tiff(values.shape, bits, imagecodecs.packints_encode(values, bits)))
    photo = read_photo(path)
    assert photo.source.bits == (8 if bits <= 8 else 16)
    wanted = srgb_decode(values / (2**bits - 1))
    np.testing.assert_allclose(photo.rgb[..., 0], wanted, atol=1e-4)


def _tiff(shape: tuple[int, ...], bits: int, data: bytes) -> bytes:
    tags = {256: shape[1], 257: shape[0], 258: bits, 259: 1, 262: 1, 273: 8, 277: 1,
            278: shape[0], 279: len(data)}  # fmt: skip
    data += b"\0" * (len(data) % 2)
    directory = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags.items())
    head = b"II*\0" + struct.pack("<L", 8 + len(data))
    return head + data + struct.pack("<H", len(tags)) + directory + b"\0\0\0\0"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_tiff_of_every_floating_type(tmp_path: Path, dtype: type, byteorder: str) -> None:
    values = np.linspace(-1, 3, 48).reshape(4, 4, 3).astype(dtype)
    path = tmp_path / "float.tif"
    tifffile.imwrite(path, values, photometric="rgb", byteorder=byteorder)
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.rgb, values.astype(np.float32))
    assert photo.source.bits == 32


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_tiff_of_many_arrangements(
    tmp_path: Path, compression: str | None, planar: str, bigtiff: bool
) -> None:
    codes = _RNG.integers(0, 65536, (32, 32, 3)).astype(np.uint16)
    samples = codes if planar == "contig" else np.moveaxis(codes, -1, 0)
    tifffile.imwrite(
        tmp_path / "photo.tif",
        samples,
        photometric="rgb",
        planarconfig=planar,
        compression=compression,
        tile=(16, 16),
        bigtiff=bigtiff,
        byteorder=">",
    )
    np.testing.assert_array_equal(read_photo(tmp_path / "photo.tif").to_encoded(), codes)


def test_tiff_with_white_at_zero(tmp_path: Path) -> None:
    codes = _RGB[..., 0]
    tifffile.imwrite(tmp_path / "white.tif", 255 - codes, photometric="miniswhite")
    np.testing.assert_array_equal(read_photo(tmp_path / "white.tif").to_encoded()[..., 0], codes)


def test_associated_alpha_is_divided_out(tmp_path: Path) -> None:
    stored = np.array([[[50, 100, 0, 128], [0, 0, 0, 0], [9, 8, 7, 255]]], np.uint8)
    tifffile.imwrite(tmp_path / "alpha.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    codes = read_photo(tmp_path / "alpha.tif").to_encoded()
    assert codes.tolist() == [[[100, 199, 0, 128], [0, 0, 0, 0], [9, 8, 7, 255]]]


def test_ycbcr_tiff(tmp_path: Path) -> None:
    flat = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    Image.fromarray(flat).convert("YCbCr").save(tmp_path / "video.tif")
    Image.fromarray(flat).save(tmp_path / "jpeg.tif", compression="jpeg")
    for name in ("video.tif", "jpeg.tif"):
        codes = read_photo(tmp_path / name).to_encoded()
        assert np.abs(codes.astype(int) - flat).max() <= 3


@pytest.mark.parametrize("suffix", [".png", ".webp", ".gif", ".tif"])
def test_of_an_animation_the_first_frame(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    more = {"lossless": True} if suffix == ".webp" else {}
    frames[0].save(tmp_path / f"frames{suffix}", save_all=True, append_images=frames[1:], **more)
    photo = read_photo(tmp_path / f"frames{suffix}")
    assert photo.rgb.shape == (6, 8, 3)
    assert photo.to_encoded()[0, 0, :3].tolist() == [255, 0, 0]


@pytest.mark.parametrize("bits", [8, 16])
def test_heic(tmp_path: Path, bits: int) -> None:
    heif = pytest.importorskip("pillow_heif")
    level = 150 * (1 if bits == 8 else 257)
    codes = np.full((32, 64, 3), level, f"uint{bits}")
    mode = "RGB" if bits == 8 else "RGB;16"
    image = heif.from_bytes(mode, (64, 32), codes.tobytes())
    image.save(tmp_path / "phone.heic", quality=100)
    photo = read_photo(tmp_path / "phone.heic")
    assert photo.source.bits == bits
    assert photo.source.format == "heif"
    np.testing.assert_allclose(photo.rgb, srgb_decode(150 / 255), atol=0.02)
    assert photo.rgb.shape == (32, 64, 3)


def test_a_grey_mask_is_coverage_as_it_is(tmp_path: Path) -> None:
    for dtype in (np.uint8, np.uint16):
        codes = np.array([[0, 51, 255]], np.uint8).astype(dtype)
        codes = codes * (1 if dtype == np.uint8 else 257)
        write_photo(tmp_path / "mask.png", Photo.from_encoded(codes.astype(dtype)))
        mask = read_mask(tmp_path / "mask.png")
        assert mask.dtype == np.float32
        np.testing.assert_allclose(mask, [[0, 0.2, 1]], atol=1e-7)


def test_a_colour_mask_is_the_mean(tmp_path: Path) -> None:
    Image.new("RGB", (4, 3), (255, 0, 51)).save(tmp_path / "mask.png")
    mask = read_mask(tmp_path / "mask.png")
    assert mask.shape == (3, 4)
    np.testing.assert_allclose(mask, 0.4, atol=1e-6)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_a_transparent_mask_is_its_alpha(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (2, 1), "white")
    image.putalpha(Image.fromarray(np.array([[0, 204]], np.uint8)))
    image.save(tmp_path / "mask.png")
    np.testing.assert_allclose(read_mask(tmp_path / "mask.png"), [[0, 0.8]], atol=1e-7)


def test_an_opaque_mask_is_its_colour(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 1), (102, 102, 102, 255)).save(tmp_path / "mask.png")
    np.testing.assert_allclose(read_mask(tmp_path / "mask.png"), 0.4, atol=1e-6)


def test_a_float_mask_is_clipped(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "mask.tif", np.array([[-1, 0.25, 2]], np.float32))
    assert read_mask(tmp_path / "mask.tif").tolist() == [[0, 0.25, 1]]


def test_a_bitmap_mask(shared: Path) -> None:
    mask = read_mask(shared / "photos/masks/coral_bird_segmentation_mask.bmp")
    assert mask.shape == (513, 513)
    assert 0 <= mask.min() < mask.max() <= 1
