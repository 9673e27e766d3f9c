"""AVIF and JPEG XL both ways, pages and channels of TIFF, raw files, uncommon JPEG and PNG."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from nightflash.errors import NightFlashError
from nightflash.photo import Encoding, Photo, read_mask, read_photo, srgb_encode, write_photo
from nightflash.photo.encoding import Cicp
from PIL import Image, ImageOps

from tests.command_line import environment

from . import blocks, files, profiles

_RNG = np.random.default_rng(11)
_RGB = _RNG.integers(0, 256, (32, 40, 3)).astype(np.uint8)


def _codes(depth: int, channels: int) -> np.ndarray:
    """Codes of so many bits in the full range of their type."""
    values = _RNG.integers(0, 2**depth, (24, 40, channels))
    if depth == 8:
        return values.astype(np.uint8)
    return np.rint(values * (65535 / (2**depth - 1))).astype(np.uint16)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("suffix", "depth"),
    [
        (".avif", 8),
        (".avif", 10),
        (".avif", 12),
        (".jxl", 8),
        (".jxl", 10),
        (".jxl", 12),
        (".jxl", 16),
    ],
)
def test_every_bit_returns(tmp_path: Path, suffix: str, depth: int, channels: int) -> None:
    codes = _codes(depth, channels)
    path = tmp_path / f"photo{suffix}"
    source = Encoding(depth=depth if depth in (10, 12) else None)
    write_photo(path, Photo.from_encoded(codes, source), quality=100)
    photo = read_photo(path)
    assert photo.source.format == suffix[1:]
    assert photo.source.bits == (8 if depth == 8 else 16)
    assert photo.source.depth == (depth if depth in (10, 12) else None)
    back = photo.to_encoded()
    if channels < 3 and suffix == ".avif":  # always RGB
        codes = np.concatenate([np.repeat(codes[..., :1], 3, -1), codes[..., 1:]], -1)
    np.testing.assert_array_equal(back, codes)
    np.testing.assert_allclose(photo.rgb, Photo.from_encoded(codes).rgb, atol=1e-6)


def test_16_bits_become_the_12_of_avif(tmp_path: Path) -> None:
    codes = _codes(16, 3)
    write_photo(tmp_path / "photo.avif", Photo.from_encoded(codes), quality=100)
    photo = read_photo(tmp_path / "photo.avif")
    assert photo.source.depth == 12
    assert np.abs(photo.to_encoded().astype(int) - codes).max() <= 9


@pytest.mark.parametrize("suffix", [".avif", ".jxl"])
@pytest.mark.parametrize("quality", [None, 60])
def test_with_loss_the_picture_stays_close(
    tmp_path: Path, suffix: str, quality: int | None
) -> None:
    rows, columns = np.mgrid[:64, :48]
    codes = np.stack([rows * 4, columns * 5, 255 - rows * 3], axis=-1).astype(np.uint8)
    write_photo(tmp_path / f"photo{suffix}", Photo.from_encoded(codes), quality=quality)
    back = read_photo(tmp_path / f"photo{suffix}").to_encoded().astype(int)
    assert np.abs(back - codes).mean() < (2 if quality is None else 5)


@pytest.mark.parametrize("suffix", [".avif", ".jxl"])
def test_profiles_in_new_formats(tmp_path: Path, suffix: str) -> None:
    photo = Photo.from_encoded(_RGB, Encoding(icc=profiles.display_p3()))
    write_photo(tmp_path / f"photo{suffix}", photo, quality=100)
    back = read_photo(tmp_path / f"photo{suffix}")
    assert np.abs(srgb_encode(back.rgb) - srgb_encode(photo.rgb)).max() < 0.5 / 255
    assert suffix != ".avif" or back.source.icc == profiles.display_p3()


def test_avif_is_read_by_pillow_with_all_that_is_in_it(tmp_path: Path) -> None:
    source = Encoding(icc=profiles.display_p3(), exif=blocks.block(), depth=10)
    photo = Photo.from_encoded(_codes(10, 4), source)
    write_photo(tmp_path / "photo.avif", photo)
    with Image.open(tmp_path / "photo.avif") as image:
        image.load()
        assert image.info["icc_profile"] == profiles.display_p3()
        assert image.getexif()[blocks.MODEL] == "Night Owl 3"
        assert b"DigitalSourceType" in image.info["xmp"]
        assert image.mode == "RGBA"


@pytest.mark.parametrize("suffix", [".avif", ".jxl"])
def test_damaged_files_of_new_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo{suffix}"
    write_photo(path, Photo.from_encoded(_RGB))
    data = path.read_bytes()
    for kept in range(16, len(data), max(1, len(data) // 60)):
        path.write_bytes(data[:kept])
        with contextlib.suppress(NightFlashError):  # and nothing else, and no warning
            assert np.isfinite(read_photo(path).rgb).all()


def test_jpeg_xl_by_its_own_space(tmp_path: Path) -> None:
    write_photo(tmp_path / "p3.jxl", Photo.from_encoded(_RGB, Encoding(cicp=Cicp(12, 13))))
    assert read_photo(tmp_path / "p3.jxl").source.cicp == Cicp(12, 13)
    bare = bytes(imagecodecs.jpegxl_encode(_RGB, lossless=True, usecontainer=False))
    (tmp_path / "bare.jxl").write_bytes(bare)
    np.testing.assert_array_equal(read_photo(tmp_path / "bare.jxl").to_encoded(), _RGB)


def test_the_page_that_is_not_reduced(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    small = _RGB[::4, ::4].copy()
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(small, photometric="rgb", subfiletype=1)
        tiff.write(_RGB, photometric="rgb", subfiletype=0)
    np.testing.assert_array_equal(read_photo(path).to_encoded(), _RGB)
    assert read_photo(path).source.notes == ()
    with tifffile.TiffWriter(path) as tiff:  # the picture lies below its own stamp
        tiff.write(small, photometric="rgb", subfiletype=1, subifds=1)
        tiff.write(_RGB, photometric="rgb", subfiletype=0)
    np.testing.assert_array_equal(read_photo(path).to_encoded(), _RGB)
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(_RGB, photometric="rgb")
        tiff.write(255 - _RGB, photometric="rgb")
    np.testing.assert_array_equal(read_photo(path).to_encoded(), _RGB)
    assert any("2 pictures" in note for note in read_photo(path).source.notes)


@pytest.mark.parametrize(
    ("extras", "place"),
    [
        (["unspecified", "unassalpha"], 4),
        (["unassalpha", "unspecified"], 3),
        (["unspecified"], None),
    ],
)
def test_the_sample_marked_as_alpha_is_the_alpha(
    tmp_path: Path, extras: list[str], place: int | None
) -> None:
    codes = _RNG.integers(0, 256, (8, 9, 3 + len(extras))).astype(np.uint8)
    path = tmp_path / "extra.tif"
    tifffile.imwrite(path, codes, photometric="rgb", extrasamples=extras, planarconfig="contig")
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.to_encoded()[..., :3], codes[..., :3])
    if place is None:
        assert photo.alpha is None
    else:
        assert photo.alpha is not None
        np.testing.assert_array_equal(np.rint(photo.alpha * 255), codes[..., place])
    assert any("neither colour nor alpha" in note for note in photo.source.notes)


def _refused(path: Path) -> NightFlashError:
    with pytest.raises(NightFlashError) as caught:
        read_photo(path)
    assert caught.value.code == "bad_photo"
    assert str(path) in caught.value.sentence
    assert "damaged" not in caught.value.sentence
    return caught.value


def test_raw_files_are_refused_by_a_true_sentence(tmp_path: Path) -> None:
    path = tmp_path / "raw.dng"
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(_RGB[::4, ::4].copy(), photometric="rgb", subfiletype=1, subifds=1)
        tiff.write(_RGB[..., 0].copy(), photometric=32803, subfiletype=0)
    fault = _refused(path)
    assert "raw" in fault.sentence
    assert "Develop" in fault.remedy
    version = [(50706, 1, 4, b"\1\4\0\0", True)]
    tifffile.imwrite(path, _RGB, photometric="rgb", extratags=version)
    assert "raw" in _refused(path).sentence
    starts = (b"II*\0\x10\0\0\0CR\2\0", b"FUJIFILMCCD-RAW 0201", b"IIRO\x08\0\0\0", b"IIU\0\x18\0",
              b"\0\0\0\x18ftypcrx \0\0\0\1", b"FOVb\0\0")  # fmt: skip
    for start in starts:
        path.write_bytes(start + bytes(200))
        assert "raw" in _refused(path).sentence


def test_kinds_that_are_not_supported_are_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "odd.tif"
    path.write_bytes(files.tiff(_RGB, photometric=10))
    assert "not supported" in _refused(path).sentence
    data = bytearray(files.tiff(_RGB))
    place = data.index(b"\x03\x01\x04\x00\x01\x00\x00\x00\x01\x00")  # the compression
    data[place + 8 : place + 10] = (34661).to_bytes(2, "little")
    path.write_bytes(data)
    assert "not supported" in _refused(path).sentence


def test_jpeg_of_12_bits(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:32, :40]
    deep = np.stack([rows * 100, columns * 90, 3000 - rows * 40], -1).astype(np.uint16)
    data = imagecodecs.jpeg8_encode(deep, level=98, bitspersample=12)
    (tmp_path / "deep.jpg").write_bytes(bytes(data))
    photo = read_photo(tmp_path / "deep.jpg")
    assert photo.source.bits == 16
    wanted = Photo.from_encoded(np.rint(deep * (65535 / 4095)).astype(np.uint16))
    assert np.abs(srgb_encode(photo.rgb) - srgb_encode(wanted.rgb)).max() < 0.03


@pytest.mark.parametrize("channels", [1, 3])
def test_interlaced_png_of_16_bits_is_quiet(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "adam7.png"
    codes = _codes(16, channels)
    path.write_bytes(files.interlaced_png(codes))
    code = f"from nightflash.photo import read_photo; read_photo({str(path)!r})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment()
    )
    assert (result.returncode, result.stderr) == (0, "")
    np.testing.assert_array_equal(read_photo(path).to_encoded(), codes)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (9, 17)])
def test_small_interlaced_pngs_of_16_bits(tmp_path: Path, size: tuple[int, int]) -> None:
    codes = np.random.default_rng(4).integers(0, 65536, (*size, 3)).astype(np.uint16)
    (tmp_path / "adam7.png").write_bytes(files.interlaced_png(codes))
    np.testing.assert_array_equal(read_photo(tmp_path / "adam7.png").to_encoded(), codes)


@pytest.mark.parametrize("spoil", ["pixels", "filter", "end", "kind"])
def test_of_a_spoilt_interlaced_png_the_libraries_say_nothing(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "adam7.png"
    codes = np.random.default_rng(4).integers(0, 65536, (40, 50, 3)).astype(np.uint16)
    data = bytearray(files.interlaced_png(codes, filtered=9 if spoil == "filter" else 0))
    if spoil == "pixels":
        data[len(data) // 2] ^= 255
    elif spoil == "end":
        del data[len(data) // 2 :]
    elif spoil == "kind":
        data[25] = 3
    path.write_bytes(data)
    code = (
        "from nightflash.photo import read_photo; from nightflash.errors import NightFlashError\n"
        f"try: read_photo({str(path)!r})\n"
        "except NightFlashError as fault: print(fault)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment()
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "damaged" in result.stdout


def test_a_mask_stored_with_loss_is_the_mask_drawn(tmp_path: Path) -> None:
    mask = np.zeros((96, 128), np.uint8)
    mask[21:70, 30:99] = 255
    Image.fromarray(mask).save(tmp_path / "mask.jpg", quality=75)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    lossy, exact = read_mask(tmp_path / "mask.jpg"), read_mask(tmp_path / "mask.png")
    assert (lossy[22:69, 31:98] == 1).all()
    away = lossy.copy()
    away[20:71, 29:100] = 0
    assert away.max() == 0
    assert np.abs(lossy - exact).mean() < 0.01
    soft = np.tile(np.linspace(0, 255, 128).astype(np.uint8), (96, 1))
    Image.fromarray(soft).save(tmp_path / "soft.jpg", quality=95)
    np.testing.assert_allclose(read_mask(tmp_path / "soft.jpg"), soft / 255, atol=0.03)


def test_a_result_of_another_depth_than_its_source(tmp_path: Path) -> None:
    photo = Photo.from_encoded(_codes(12, 3), Encoding(depth=12))
    write_photo(tmp_path / "eight.jpg", photo)
    write_photo(tmp_path / "sixteen.png", replace(photo))
    assert read_photo(tmp_path / "eight.jpg").source.bits == 8
    assert read_photo(tmp_path / "sixteen.png").source.bits == 16


def test_packed_metadata_of_jpeg_xl(tmp_path: Path) -> None:
    whole = bytes(imagecodecs.jpegxl_encode(_RGB, lossless=True, usecontainer=True))
    packed = {
        b"Exif": bytes(imagecodecs.brotli_encode(b"\0\0\0\0" + blocks.block())),
        b"xml ": bytes(imagecodecs.brotli_encode(files.xmp("<xmp:Rating>4</xmp:Rating>"))),
    }
    boxes = b"".join(files.box(b"brob", name + content) for name, content in packed.items())
    (tmp_path / "packed.jxl").write_bytes(whole + boxes)
    source = read_photo(tmp_path / "packed.jxl").source
    assert blocks.parsed(source.exif)[blocks.MODEL] == "Night Owl 3"
    assert b">4<" in (source.xmp or b"")


@pytest.mark.parametrize("turn", range(1, 9))
def test_avif_is_turned_upright_once(tmp_path: Path, turn: int) -> None:
    path, again = tmp_path / "turned.avif", tmp_path / "again.avif"
    flat = np.zeros((32, 48, 3), np.uint8)
    flat[:16, :24] = (250, 40, 10)
    flat[16:, 24:] = (10, 60, 240)
    flat[:16, 24:] = (128, 128, 128)
    exif = Image.Exif()
    exif[blocks.ORIENTATION] = turn
    Image.fromarray(flat).save(path, exif=exif, quality=100, subsampling="4:4:4")
    with Image.open(path) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    photo = read_photo(path)
    assert np.abs(photo.to_encoded() - wanted).max() <= 2
    write_photo(again, photo, quality=100)
    np.testing.assert_array_equal(read_photo(again).to_encoded(), photo.to_encoded())
