"""EXIF blocks: upright, and through every format."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightflash.photo import Encoding, Photo, read_mask, read_photo, write_photo
from nightflash.photo.exif import orientation, upright
from nightflash.photo.tiff import decode_tiff, encode_tiff
from PIL import Image, ImageOps
from PIL.ExifTags import IFD

from . import blocks

# Every value differs, so each of the eight orientations gives another picture.
_PICTURE = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3) * 3


def _file(folder: Path, suffix: str, turn: int) -> Path:
    path = folder / f"turned{turn}{suffix}"
    exif = b"Exif\0\0" + blocks.block(turn)
    more = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(_PICTURE).save(path, exif=exif, **more)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_photos_are_turned_upright(tmp_path: Path, suffix: str, turn: int) -> None:
    path = _file(tmp_path, suffix, turn)
    photo = read_photo(path)
    with Image.open(path) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(photo.to_encoded(), wanted)
    assert blocks.parsed(photo.source.exif)[blocks.ORIENTATION] == 1
    np.testing.assert_allclose(read_mask(path), wanted.mean(axis=-1) / 255, atol=1e-6)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_tags_survive_every_format(tmp_path: Path, suffix: str, bits: int) -> None:
    source = Encoding(bits, exif=blocks.block())
    photo = replace(Photo.from_linear(np.ones((5, 7, 3), np.float32)), source=source)
    first, second = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
    write_photo(first, photo)
    write_photo(second, read_photo(first))
    for path in (first, second):
        with Image.open(path) if bits == 8 else _as_8_bits(path) as image:
            exif = image.getexif()
            camera, gps = exif.get_ifd(IFD.Exif), exif.get_ifd(IFD.GPSInfo)
        assert exif[blocks.MODEL] == "Night Owl 3"
        assert exif[blocks.DATE_TIME] > "2026"
        assert exif[blocks.SOFTWARE].startswith("NightFlash ")
        assert camera[blocks.DATE_TAKEN] == "2024:06:21 12:00:00"
        assert camera[blocks.EXPOSURE_TIME] == pytest.approx(0.004)
        assert camera[blocks.ISO] == 200
        assert gps[blocks.LATITUDE_REF] == "S"
        assert tuple(gps[blocks.LATITUDE]) == (24, 59, 30)


def _as_8_bits(path: Path) -> Image.Image:
    """The file's block in an image, where Pillow may not read the pixels."""
    image = Image.new("L", (1, 1))
    image.info["exif"] = read_photo(path).source.exif
    return image


@pytest.mark.parametrize("turn", [1, 6])
def test_the_block_tells_the_truth_about_the_upright_picture(tmp_path: Path, turn: int) -> None:
    exif = blocks.parsed(read_photo(_file(tmp_path, ".jpg", turn)).source.exif)
    camera = exif.get_ifd(IFD.Exif)
    size = (4, 6) if turn == 1 else (6, 4)
    assert (camera[blocks.WIDTH], camera[blocks.HEIGHT]) == size


def test_the_thumbnail_of_the_day_is_gone() -> None:
    exif = blocks.with_thumbnail(blocks.block(), blocks.jpeg())
    assert blocks.parsed(exif).get_ifd(IFD.IFD1)
    cleaned = upright(exif, 4, 6)
    assert cleaned is not None
    assert not blocks.parsed(cleaned).get_ifd(IFD.IFD1)
    assert len(cleaned) <= len(blocks.block()) + 8


def test_little_and_big_endian_blocks_keep_their_order_and_lose_what_no_entry_leads_to() -> None:
    for order, mark in (("<", b"II*\0"), (">", b"MM\0*")):
        entry = struct.pack(order + "HHLHH", 0x0112, 3, 1, 8, 0)
        exif = mark + struct.pack(order + "LH", 8, 1) + entry + b"\0\0\0\0by day"
        assert orientation(exif) == 8
        turned = upright(exif, 1, 1)
        assert turned is not None
        assert orientation(turned) == 1
        assert turned[:4] == mark
        assert b"by day" not in turned


@given(st.binary(max_size=60))
def test_a_damaged_block_is_dropped(noise: bytes) -> None:
    for exif in (noise, b"II*\0" + noise, b"MM\0*\0\0\0\x08" + noise):
        assert 1 <= orientation(exif) <= 8
        turned = upright(exif, 1, 1)
        assert turned is None or orientation(turned) == 1
    assert orientation(None) == 1
    assert upright(None, 1, 1) is None


@given(st.integers(0, 300), st.binary(min_size=1, max_size=8))
def test_a_damaged_block_never_costs_the_tiff_file(place: int, noise: bytes) -> None:
    exif = blocks.block()
    exif = exif[:place] + noise + exif[place + len(noise) :]
    file = io.BytesIO()
    encode_tiff(file, _PICTURE, Encoding(exif=exif))
    file.seek(0)
    raster = decode_tiff(file, Path("noise.tif"))
    np.testing.assert_array_equal(raster.colour, _PICTURE)


def test_png_with_its_block_behind_the_pixels_or_as_text(tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    Image.fromarray(_PICTURE).save(plain)
    data = plain.read_bytes()
    end = data.index(b"IEND") - 4

    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">L", len(content)) + body + struct.pack(">L", crc32(body))

    behind = tmp_path / "behind.png"
    behind.write_bytes(data[:end] + chunk(b"eXIf", blocks.block(6)) + data[end:])
    hexed = (b"Exif\0\0" + blocks.block(6)).hex()
    text = b"Raw profile type exif\0\nexif\n    " + str(len(hexed) // 2).encode() + b"\n"
    as_text = tmp_path / "text.png"
    as_text.write_bytes(data[:33] + chunk(b"tEXt", text + hexed.encode()) + data[33:])
    for path in (behind, as_text):
        photo = read_photo(path)
        np.testing.assert_array_equal(photo.to_encoded(), np.rot90(_PICTURE, -1))
        assert blocks.parsed(photo.source.exif)[blocks.MODEL] == "Night Owl 3"


def test_a_block_too_long_for_jpeg_loses_its_largest_part(tmp_path: Path) -> None:
    exif = blocks.block(comment=b"x" * 70_000)
    photo = Photo.from_encoded(_PICTURE, Encoding(exif=exif))
    notes = write_photo(tmp_path / "long.jpg", photo)
    assert notes == ("The photo's EXIF is longer than JPEG holds: without the description.",)
    back = blocks.parsed(read_photo(tmp_path / "long.jpg").source.exif)
    assert back[blocks.MODEL] == "Night Owl 3"
    assert blocks.DESCRIPTION not in back
    assert write_photo(tmp_path / "long.png", photo) == ()
    assert len(blocks.parsed(read_photo(tmp_path / "long.png").source.exif)[0x010E]) == 70_000


def test_a_photo_from_a_camera(shared: Path, tmp_path: Path) -> None:
    path = shared / "photos/edge-cases/african_elephants_with_exif_orientation.jpg"
    with Image.open(path) as image:
        turn = image.getexif()[blocks.ORIENTATION]
        size = image.size
        wanted = np.asarray(ImageOps.exif_transpose(image))
    assert turn != 1
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.to_encoded(), wanted)
    assert (photo.width, photo.height) == (size if turn < 5 else size[::-1])
