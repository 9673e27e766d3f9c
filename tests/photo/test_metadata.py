"""What is told of a photo is kept where the format can hold it, true about the result, or said."""

from __future__ import annotations

import io
import re
import struct
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nightflash.photo import Encoding, Photo, read_photo, write_photo
from nightflash.photo.iptc import to_photoshop
from PIL import Image
from PIL.ExifTags import IFD

from . import blocks, files

_SUFFIXES = (".jpg", ".png", ".tif", ".webp", ".avif", ".jxl")
_CODES = np.random.default_rng(9).integers(0, 256, (24, 32, 3)).astype(np.uint8)
_WORDS = files.xmp(
    "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>A fox</rdf:li></rdf:Alt></dc:title>"
    "<dc:subject><rdf:Bag><rdf:li>fox</rdf:li><rdf:li>day</rdf:li></rdf:Bag></dc:subject>"
    "<dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>(c) A</rdf:li></rdf:Alt></dc:rights>"
    "<exif:GPSLatitude>24,59.5S</exif:GPSLatitude>",
    "xmp:Rating='5' tiff:Orientation='1' dcterms:provenance='https://example.org/manifest'",
)


def _photo(**source: object) -> Photo:
    photo = Photo.from_encoded(_CODES)
    return replace(photo, source=replace(photo.source, **source))


def _day(folder: Path, *segments: tuple[int, bytes]) -> Path:
    """A JPEG file with segments in it."""
    file = io.BytesIO()
    Image.fromarray(_CODES).save(file, "JPEG", quality=90)
    plain = file.getvalue()
    inside = b"".join(struct.pack(">BBH", 0xFF, kind, len(c) + 2) + c for kind, c in segments)
    path = folder / "day.jpg"
    path.write_bytes(plain[:2] + inside + plain[2:])
    return path


_XMP_SEGMENT = (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _WORDS)
_EXIF_SEGMENT = (0xE1, b"Exif\0\0" + blocks.block())


def _values(packet: bytes | None, name: str) -> list[str]:
    """The texts of properties of a name without its space."""
    assert packet is not None
    root = ET.fromstring(packet.strip())
    found = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("}" + name)]
    for element in root.iter():
        if element.tag.endswith("}" + name):
            items = [i.text or "" for i in element.iter() if i.tag.endswith("}li")]
            found += items or [element.text or ""]
    return found


@pytest.mark.parametrize("suffix", _SUFFIXES)
def test_xmp_is_kept_and_the_kind_of_picture_told(tmp_path: Path, suffix: str) -> None:
    photo = read_photo(_day(tmp_path, _XMP_SEGMENT))
    assert write_photo(tmp_path / f"night{suffix}", photo) == ()
    packet = read_photo(tmp_path / f"night{suffix}").source.xmp
    assert _values(packet, "title") == ["A fox"]
    assert _values(packet, "subject") == ["fox", "day"]
    assert _values(packet, "rights") == ["(c) A"]
    assert _values(packet, "Rating") == ["5"]
    assert _values(packet, "GPSLatitude") == ["24,59.5S"]
    (kind,) = _values(packet, "DigitalSourceType")
    assert kind.endswith("/digitalsourcetype/algorithmicallyEnhanced")
    assert _values(packet, "CreatorTool")[0].startswith("NightFlash ")
    assert _values(packet, "ModifyDate")[0] > "2026"
    assert _values(packet, "provenance") == []


@pytest.mark.parametrize("suffix", _SUFFIXES)
def test_iptc_is_kept_or_becomes_xmp_or_is_said(tmp_path: Path, suffix: str) -> None:
    photoshop = b"Photoshop 3.0\0" + files.resource(0x0404, files.iptc())
    photo = read_photo(_day(tmp_path, (0xED, photoshop)))
    assert b"p" * 100 not in (photo.source.iptc or b"")  # the preview has gone
    notes = write_photo(tmp_path / f"night{suffix}", photo)
    source = read_photo(tmp_path / f"night{suffix}").source
    if suffix in (".jpg", ".png", ".tif"):
        assert notes == ()
        assert source.iptc == photo.source.iptc
        return
    assert "IPTC" in notes[0]  # the special instructions have no word in XMP here
    assert _values(source.xmp, "title") == ["Füchse"]
    assert _values(source.xmp, "subject") == ["fox", "night"]


def test_iptc_does_not_overrule_xmp(tmp_path: Path) -> None:
    photoshop = b"Photoshop 3.0\0" + files.resource(0x0404, files.iptc())
    photo = read_photo(_day(tmp_path, _XMP_SEGMENT, (0xED, photoshop)))
    write_photo(tmp_path / "night.webp", photo)
    assert _values(read_photo(tmp_path / "night.webp").source.xmp, "title") == ["A fox"]


def test_photoshops_resources_are_read_back_by_pillow(tmp_path: Path) -> None:
    write_photo(tmp_path / "night.jpg", _photo(iptc=files.iptc()[:60]))
    with Image.open(tmp_path / "night.jpg") as image:
        assert image.info["photoshop"][0x0404] == files.iptc()[:60]
    assert to_photoshop(b"odd").startswith(b"8BIM\x04\x04")


@pytest.mark.parametrize("turn", range(1, 9))
def test_an_orientation_in_xmp_alone(tmp_path: Path, turn: int) -> None:
    packet = files.xmp("", f"tiff:Orientation='{turn}' exif:PixelXDimension='1'")
    path = _day(tmp_path, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    photo = read_photo(path)
    assert (photo.width, photo.height) == ((32, 24) if turn < 5 else (24, 32))
    assert _values(photo.source.xmp, "Orientation") == ["1"]
    assert _values(photo.source.xmp, "PixelXDimension") == [str(photo.width)]
    with_both = _day(
        tmp_path,
        (0xE1, b"Exif\0\0" + blocks.block(1)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet),
    )
    assert read_photo(with_both).width == 32  # EXIF comes first


@pytest.mark.parametrize("suffix", _SUFFIXES)
def test_no_density_is_invented(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 1.0, 1.0, 1
    path = _day(tmp_path, (0xE1, exif.tobytes()))
    photo = read_photo(path)
    assert photo.source.dpi is None
    write_photo(tmp_path / f"night{suffix}", photo)
    assert read_photo(tmp_path / f"night{suffix}").source.dpi is None
    if suffix == ".jpg":
        with Image.open(tmp_path / "night.jpg") as image:
            assert image.info["jfif_unit"] == 0


def test_exif_tells_the_size_of_the_file_it_is_in(tmp_path: Path) -> None:
    small = Photo.from_linear(
        np.full((6, 8, 3), 0.2, np.float32), source=Encoding(exif=blocks.block())
    )
    write_photo(tmp_path / "preview.jpg", small)
    camera = blocks.parsed(read_photo(tmp_path / "preview.jpg").source.exif).get_ifd(IFD.Exif)
    assert (camera[blocks.WIDTH], camera[blocks.HEIGHT]) == (8, 6)


def test_places_are_left_out_if_wanted(tmp_path: Path) -> None:
    photo = read_photo(_day(tmp_path, _EXIF_SEGMENT, _XMP_SEGMENT))
    for keep, there in (("all", True), ("no places", False)):
        for suffix in _SUFFIXES:
            path = tmp_path / f"night{suffix}"
            write_photo(path, photo, keep=keep)
            source = read_photo(path).source
            assert bool(blocks.parsed(source.exif).get_ifd(IFD.GPSInfo)) == there
            assert bool(_values(source.xmp, "GPSLatitude")) == there
            assert blocks.parsed(source.exif)[blocks.MODEL] == "Night Owl 3"
            assert _values(source.xmp, "title") == ["A fox"]


def test_a_manifest_is_removed_and_that_is_said(tmp_path: Path) -> None:
    jumbf = b"JP\0\1\0\0\0\1" + files.box(b"jumb", files.box(b"jumd", b"c2pa" + bytes(30)))
    path = _day(tmp_path, (0xEB, jumbf))
    assert any("C2PA" in note for note in read_photo(path).source.notes)
    write_photo(tmp_path / "night.jpg", read_photo(path))
    assert b"c2pa" not in (tmp_path / "night.jpg").read_bytes()
    plain = tmp_path / "plain.png"
    Image.fromarray(_CODES).save(plain)
    assert read_photo(plain).source.notes == ()
    data = plain.read_bytes()
    plain.write_bytes(data[:33] + files.chunk(b"caBX", jumbf) + data[33:])
    assert any("C2PA" in note for note in read_photo(plain).source.notes)


@pytest.mark.parametrize(("quality", "subsampling"), [(70, 2), (88, 1), (97, 0)])
def test_a_jpeg_is_stored_as_finely_as_it_was(
    tmp_path: Path, quality: int, subsampling: int
) -> None:
    path, again, asked = (tmp_path / f"{name}.jpg" for name in ("day", "night", "asked"))
    Image.fromarray(_CODES).save(path, quality=quality, subsampling=subsampling)
    write_photo(again, read_photo(path))
    write_photo(asked, read_photo(path), quality=50)
    with Image.open(path) as day, Image.open(again) as night, Image.open(asked) as other:
        assert night.quantization == day.quantization
        assert night.layer == day.layer
        assert other.quantization != day.quantization


def test_a_grey_jpeg_that_gets_colour(tmp_path: Path) -> None:
    Image.fromarray(_CODES[..., 0]).save(tmp_path / "grey.jpg", quality=60)
    photo = read_photo(tmp_path / "grey.jpg")
    write_photo(tmp_path / "colour.jpg", photo.with_rgb(photo.rgb * np.float32([1, 0.7, 0.4])))
    with Image.open(tmp_path / "colour.jpg") as image:
        assert image.mode == "RGB"


def _note_with_offsets(place: int) -> bytes:
    """A maker note with a word that it finds by its place in the block."""
    return struct.pack(">HHHLL", 1, 0x0095, 2, 12, place + 18) + b"\0\0\0\0" + b"a 50mm lens\0"


def test_a_maker_note_stays_where_it_counts_from(tmp_path: Path) -> None:
    exif = blocks.block(maker_note=_note_with_offsets(0))
    place = exif.index(_note_with_offsets(0))
    note = _note_with_offsets(place)
    exif = exif[:place] + note + exif[place + len(note) :]
    photo = read_photo(_day(tmp_path, (0xE1, b"Exif\0\0" + exif)))
    for suffix in _SUFFIXES:
        notes = write_photo(tmp_path / f"night{suffix}", photo)
        kept = read_photo(tmp_path / f"night{suffix}").source.exif or b""
        if suffix == ".tif":  # where it would have to move
            assert "maker note" in notes[0]
            assert note not in (tmp_path / f"night{suffix}").read_bytes()
        else:
            assert notes == ()
            assert kept[place : place + len(note)] == note


def test_a_maker_note_loses_what_may_be_a_picture_and_keeps_the_rest(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, 5000).astype(np.uint8).tobytes()
    numbers = np.arange(2000, dtype=">u2").tobytes()
    for relative in (True, False):
        blank = b"\xa5" * (2 + 3 * 12 + 4 + 12 + len(numbers) + len(pixels))
        exif = blocks.block(maker_note=blank)
        place = exif.index(blank)
        origin = 0 if relative else place
        values = 2 + 3 * 12 + 4
        note = struct.pack(">HHHLL", 3, 0x0095, 2, 12, origin + values)
        note += struct.pack(">HHLL", 0x4001, 3, 2000, origin + values + 12)
        note += struct.pack(">HHLL", 0x2001, 7, 5000, origin + values + 12 + len(numbers))
        note += bytes(4) + b"a 50mm lens\0" + numbers + pixels
        exif = exif[:place] + note + exif[place + len(note) :]
        photo = read_photo(_day(tmp_path, (0xE1, b"Exif\0\0" + exif)))
        kept = photo.source.exif or b""
        assert b"a 50mm lens" in kept
        assert numbers in kept
        assert pixels[:40] not in kept
        assert any("maker note" in said for said in photo.source.notes)


def test_long_words_are_kept_and_long_data_left_out(tmp_path: Path) -> None:
    prose = "The fox came by the box in the sun and sat down there " * 40
    noise = np.random.default_rng(2).integers(0, 256, 3000).astype(np.uint8).tobytes()
    exif = Image.Exif()
    exif[blocks.CAMERA] = {0x9286: b"ASCII\0\0\0" + prose.encode(), 0xA40B: noise}
    packet = files.xmp(f"<dc:description>{prose}</dc:description>")
    xmp_segment = (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)
    source = read_photo(_day(tmp_path, (0xE1, exif.tobytes()), xmp_segment)).source
    camera = blocks.parsed(source.exif).get_ifd(IFD.Exif)
    assert camera[0x9286].endswith(prose.encode())
    assert 0xA40B not in camera
    assert _values(source.xmp, "description") == [prose]
    assert source.notes == ("Long values in the photo's EXIF may show the day and were left out.",)


def test_damaged_metadata_are_left_out_and_said(tmp_path: Path) -> None:
    path = _day(tmp_path, (0xE1, b"Exif\0\0XX*\0"), (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x"))
    notes = read_photo(path).source.notes
    assert [re.search(r"EXIF|XMP", note)[0] for note in notes] == ["EXIF", "XMP"]  # type: ignore[index]


def test_a_packet_with_entities_is_no_bomb(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    path = _day(tmp_path, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + bomb))
    assert read_photo(path).source.xmp is None
