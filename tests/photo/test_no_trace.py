"""Nothing that shows the photo by day is in a result: a carving test on every format."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from nightflash.photo import Photo, read_photo, write_photo
from PIL import Image

from . import blocks, files

_SUFFIXES = (".jpg", ".png", ".tif", ".webp", ".avif", ".jxl")
_DAY = np.random.default_rng(7).integers(0, 256, (48, 64, 3)).astype(np.uint8)


def _jpeg(size: tuple[int, int], seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=88)
    return file.getvalue()


THUMBNAIL, PREVIEW, SECOND = _jpeg((40, 30), 1), _jpeg((64, 48), 2), _jpeg((56, 40), 3)
PIXELS = np.random.default_rng(4).integers(0, 256, 64 * 48 * 3).astype(np.uint8).tobytes()
_SECRETS = (THUMBNAIL, PREVIEW, SECOND, PIXELS)


def _sony(picture: bytes) -> bytes:
    """A maker note whose preview (tag 0x2001) lies in it."""
    entry = struct.pack(">HHHLL", 1, 0x2001, 7, len(picture), 18)
    return entry + b"\0\0\0\0" + picture


def _exif(note: bytes) -> bytes:
    return blocks.with_thumbnail(blocks.block(6, maker_note=note), THUMBNAIL)


def _xmp(picture: bytes) -> bytes:
    data = base64.b64encode(picture).decode()
    return files.xmp(
        f"<xmp:Thumbnails><rdf:Alt><rdf:li xmpGImg:image='{data}'/></rdf:Alt></xmp:Thumbnails>"
        f"<GDepth:Data xmlns:GDepth='http://ns.google.com/photos/1.0/depthmap/'>{data}</GDepth:Data>"
        f"<own:copy xmlns:own='http://example.org/'>{data}</own:copy>"
    )


def _day_jpeg(note: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(_DAY).save(file, "JPEG", quality=90)
    plain = file.getvalue()
    photoshop = files.resource(1036, b"\0" * 28 + THUMBNAIL) + files.resource(0x0404, files.iptc())
    extended = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32
    packet = _xmp(SECOND)
    segments = (
        (0xE1, b"Exif\0\0" + _exif(note)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet),
        (0xE1, extended + struct.pack(">LL", len(packet), 0) + packet),
        (0xE2, b"MPF\0" + PIXELS[:2000]),
        (0xED, b"Photoshop 3.0\0" + photoshop),
        (0xEE, b"odd" + PIXELS[:9000]),
    )
    inside = b"".join(struct.pack(">BBH", 0xFF, kind, len(c) + 2) + c for kind, c in segments)
    return plain[:2] + inside + plain[2:] + SECOND + PIXELS  # a gain map and more behind the end


def _day_png(note: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(_DAY).save(file, "PNG")
    plain = file.getvalue()
    inside = files.chunk(b"eXIf", _exif(note))
    inside += files.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _xmp(PREVIEW))
    inside += files.chunk(b"zTXt", b"Raw profile type 8bim\0\0" + zlib.compress(PREVIEW))
    inside += files.chunk(b"prVW", PIXELS)
    return plain[:33] + inside + plain[33:] + SECOND


def _day_tiff(note: bytes) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as tiff:
        extra = [
            (700, 1, len(_xmp(PREVIEW)), _xmp(PREVIEW), True),
            (34377, 1, 0, files.resource(1036, THUMBNAIL), True),
            (0x935C, 7, len(PIXELS), PIXELS, True),
        ]
        extra[1] = (34377, 1, len(extra[1][3]), extra[1][3], True)
        tiff.write(_DAY, photometric="rgb", extratags=extra)
        small = np.frombuffer(PIXELS, np.uint8).reshape(48, 64, 3)
        tiff.write(small, photometric="rgb", subfiletype=1)
    return file.getvalue() + SECOND


def _day_webp(note: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(_DAY).save(
        file, "WEBP", lossless=True, exif=b"Exif\0\0" + _exif(note), xmp=_xmp(PREVIEW)
    )
    whole = file.getvalue() + b"ODDS" + struct.pack("<L", len(SECOND)) + SECOND
    whole += b"\0" * (len(SECOND) % 2)
    return whole[:4] + struct.pack("<L", len(whole) - 8) + whole[8:]


def _day_avif(note: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(_DAY).save(file, "AVIF", exif=_exif(note), xmp=_xmp(PREVIEW))
    return file.getvalue() + files.box(b"free", PIXELS)


def _day_jxl(note: bytes) -> bytes:
    import imagecodecs

    whole = bytes(imagecodecs.jpegxl_encode(_DAY, lossless=True, usecontainer=True))
    exif, xmp = files.box(b"Exif", b"\0\0\0\0" + _exif(note)), files.box(b"xml ", _xmp(PREVIEW))
    return whole + exif + xmp + files.box(b"jhgm", SECOND)


def _day_heic(note: bytes) -> bytes:
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    image = heif.from_pillow(Image.fromarray(_DAY))
    image.info["exif"] = b"Exif\0\0" + _exif(note)
    image.info["xmp"] = _xmp(PREVIEW)
    image.save(file, quality=90)
    return file.getvalue() + files.box(b"free", PIXELS)


_DAYS: dict[str, Callable[[bytes], bytes]] = {
    "day.jpg": _day_jpeg, "day.png": _day_png, "day.tif": _day_tiff, "day.webp": _day_webp,
    "day.avif": _day_avif, "day.jxl": _day_jxl, "day.heic": _day_heic,
}  # fmt: skip
_NOTES = {
    "a preview": _sony(PREVIEW),
    "a preview with its first byte spoilt": _sony(b"\x10" + PREVIEW[1:]),
    "pixels": _sony(PIXELS),
    "pixels and no directory": b"\xff\xff" + PIXELS * 4,
}


def _carved(data: bytes) -> list[bytes]:
    """Every stretch of 32 bytes of a secret, in the file or in what is packed or encoded in it.

    Of JPEG streams what follows the tables, which are the same in all of them.
    """
    layers = [data, *files.unpacked(data)]
    scans = (secret[max(secret.find(b"\xff\xda"), 0) :] for secret in _SECRETS)
    pieces = (s[i : i + 32] for s in scans for i in range(16, len(s) - 32, 32))
    return [piece for piece in pieces if any(piece in layer for layer in layers)]


@pytest.mark.parametrize("suffix", _SUFFIXES)
@pytest.mark.parametrize("name", _DAYS)
@pytest.mark.parametrize("note", _NOTES)
def test_nothing_of_the_day_is_in_the_night(
    tmp_path: Path, name: str, suffix: str, note: str
) -> None:
    day, night = tmp_path / name, tmp_path / f"night{suffix}"
    day.write_bytes(_DAYS[name](_NOTES[note]))
    assert _carved(day.read_bytes())
    photo = read_photo(day)
    write_photo(night, photo.with_rgb(photo.rgb / 8))
    assert not _carved(night.read_bytes())
    again = read_photo(night)
    assert again.rgb.mean() < 0.2 * photo.rgb.mean()
    if name != "day.tif":
        assert blocks.parsed(again.source.exif)[blocks.MODEL] == "Night Owl 3"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".jxl"])
def test_a_fresh_thumbnail_shows_the_night(tmp_path: Path, suffix: str) -> None:
    day, night = tmp_path / "day.jpg", tmp_path / f"night{suffix}"
    day.write_bytes(_day_jpeg(b""))
    photo = read_photo(day)
    assert photo.source.thumbnail
    write_photo(night, photo.with_rgb(np.full_like(photo.rgb, 0.05)))
    (jpeg,) = files.jpegs(night.read_bytes())[-1:]
    with Image.open(io.BytesIO(jpeg)) as small:
        assert small.size == (48, 64)  # upright, as the picture is
        assert np.abs(np.asarray(small).astype(int) - 63).max() <= 4


def test_without_a_thumbnail_none_is_made(tmp_path: Path) -> None:
    plain = Photo.from_encoded(_DAY)
    source = replace(plain.source, exif=blocks.block())
    write_photo(tmp_path / "night.png", replace(plain, source=source))
    assert files.jpegs((tmp_path / "night.png").read_bytes()) == []


def test_nothing_at_all_is_kept_where_the_user_wants_nothing(tmp_path: Path) -> None:
    day = tmp_path / "day.jpg"
    day.write_bytes(_day_jpeg(b""))
    for suffix in _SUFFIXES:
        night = tmp_path / f"night{suffix}"
        assert write_photo(night, read_photo(day), keep="nothing") == ()
        source = read_photo(night).source
        assert (source.exif, source.xmp, source.iptc) == (None, None, None)
        assert b"Night Owl" not in night.read_bytes()
