"""What the values of a file mean where no ICC profile tells it, or one that leads one way only."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from nightflash.photo import Encoding, Photo, read_photo, srgb_decode, srgb_encode, write_photo
from nightflash.photo.cicp import cicp_space
from nightflash.photo.encoding import Cicp
from nightflash.photo.profile import hdr_code_points, profile_space
from nightflash.photo.profile_writing import cicp_profile
from PIL import Image

from . import files, profiles

_SRGB = np.random.default_rng(3).integers(20, 236, (24, 30, 3)).astype(np.uint8)
_LIGHT = srgb_decode(_SRGB / np.float32(255)).astype(np.float32)
# Linear Rec.709 to linear BT.2020 (ITU-R BT.2087) and to P3 with the same white.
_TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
_TO_P3 = np.array(
    [[0.8225, 0.1774, 0.0000], [0.0332, 0.9669, 0.0000], [0.0171, 0.0724, 0.9108]]
)  # fmt: skip


def _pq(light: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084's inverse EOTF of light in units of 203 cd/m2."""
    y = (np.maximum(light, 0) * 203 / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


def _hlg(light: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100's HLG of light in units of 203 cd/m2 on a display of 1000 cd/m2."""
    shown = np.maximum(light, 0) * 203 / 1000
    luminance = shown @ [0.2627, 0.6780, 0.0593]
    scene = shown * (luminance ** (1 / 1.2 - 1))[..., None]
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


_ENCODED = {
    Cicp(9, 16): _pq(_LIGHT @ _TO_2020.T),
    Cicp(9, 18): _hlg(_LIGHT @ _TO_2020.T),
    Cicp(12, 13): srgb_encode(_LIGHT @ _TO_P3.T),
    Cicp(12, 16): _pq(_LIGHT @ _TO_P3.T),
    Cicp(1, 8): _LIGHT,
    Cicp(1, 4): _LIGHT ** (1 / 2.2),
    Cicp(1, 1): np.where(_LIGHT < 0.018, 4.5 * _LIGHT, 1.099 * _LIGHT**0.45 - 0.099),
}


def _codes(encoded: np.ndarray) -> np.ndarray:
    return np.rint(encoded.clip(0, 1) * 65535).astype(np.uint16)


def _png(codes: np.ndarray, chunks: bytes) -> bytes:
    data = bytes(imagecodecs.png_encode(codes))
    return data[:33] + chunks + data[33:]


def _steps(photo: Photo) -> np.ndarray:
    """How far the photo is from the picture, in steps of 8-bit sRGB."""
    return np.abs(srgb_encode(photo.rgb) * 255 - _SRGB)


@pytest.mark.parametrize("cicp", _ENCODED)
def test_png_by_code_points(tmp_path: Path, cicp: Cicp) -> None:
    path, again = tmp_path / "photo.png", tmp_path / "again.png"
    chunk = files.chunk(b"cICP", bytes((*cicp, 0, 1)))
    wrong = files.chunk(b"sRGB", b"\0") + files.chunk(b"gAMA", struct.pack(">L", 100_000))
    path.write_bytes(_png(_codes(_ENCODED[cicp]), chunk + wrong))
    photo = read_photo(path)
    assert photo.source.cicp == cicp
    assert _steps(photo).max() < 0.6
    write_photo(again, photo)
    assert chunk in again.read_bytes()
    assert _steps(read_photo(again)).max() < 0.6


@pytest.mark.parametrize("cicp", _ENCODED)
@pytest.mark.parametrize("suffix", [".avif", ".jxl", ".tif"])
def test_code_points_survive(tmp_path: Path, cicp: Cicp, suffix: str) -> None:
    deep = np.rint(_ENCODED[cicp].clip(0, 1) * 4095) / 4095  # what AVIF holds at most
    photo = Photo.from_encoded(_codes(deep), Encoding(16, cicp=cicp))
    path = tmp_path / f"photo{suffix}"
    write_photo(path, photo, quality=100)
    away = srgb_encode(read_photo(path).rgb) - srgb_encode(photo.rgb)
    assert np.abs(away).max() < 0.5 / 255
    # Brighter than white is kept, too, where the curve goes on above it.
    bright = photo.with_rgb(np.full_like(photo.rgb, 3.0))
    write_photo(path, bright, quality=100)
    assert read_photo(path).rgb.max() == pytest.approx(3 if cicp.is_hdr else 1, rel=0.01)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_8_bits_hold_hdr_mapped_to_their_range(tmp_path: Path, suffix: str) -> None:
    light = np.repeat(np.linspace(0, 8, 240, dtype=np.float32)[None], 40, 0)
    photo = Photo.from_linear(light, source=Encoding(16, cicp=Cicp(9, 16)))
    write_photo(tmp_path / f"hdr{suffix}", photo, quality=100)
    back = read_photo(tmp_path / f"hdr{suffix}")
    row = srgb_encode(back.rgb[20, :, 1]) * 255
    assert row[14] == pytest.approx(srgb_encode(light[0, 14]) * 255, abs=1.5)  # as it was
    assert np.diff(row[[14, 30, 60, 120, 239]]).min() > 5  # every stop can be told apart
    assert row[-1] > 253


def test_unknown_code_points_are_told(tmp_path: Path) -> None:
    chunk = files.chunk(b"cICP", bytes((1, 200, 0, 1)))
    (tmp_path / "photo.png").write_bytes(_png(_SRGB, chunk))
    photo = read_photo(tmp_path / "photo.png")
    assert _steps(photo).max() < 1e-3
    assert any("1/200" in note for note in photo.source.notes)


def test_the_narrow_range_of_video(tmp_path: Path) -> None:
    narrow = np.rint(16 + _SRGB / 255 * 219).astype(np.uint8)
    chunk = files.chunk(b"cICP", bytes((1, 13, 0, 0)))
    (tmp_path / "photo.png").write_bytes(_png(narrow, chunk))
    assert _steps(read_photo(tmp_path / "photo.png")).max() < 1.2


def _chrm(white: tuple[float, float], *primaries: tuple[float, float]) -> bytes:
    numbers = [round(v * 100_000) for point in (white, *primaries) for v in point]
    return files.chunk(b"cHRM", struct.pack(">8L", *numbers))


def test_png_by_gamma_and_chromaticities(tmp_path: Path) -> None:
    path, again = tmp_path / "photo.png", tmp_path / "again.png"
    linear = files.chunk(b"gAMA", struct.pack(">L", 100_000))
    path.write_bytes(_png(_codes(_LIGHT), linear))
    assert _steps(read_photo(path)).max() < 0.1
    p3 = _chrm((0.3127, 0.3290), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
    bent = files.chunk(b"gAMA", struct.pack(">L", 50_000))
    path.write_bytes(_png(_codes((_LIGHT @ _TO_P3.T).clip(0) ** 0.5), bent + p3))
    photo = read_photo(path)
    assert _steps(photo).max() < 0.3
    for suffix in (".png", ".tif"):
        write_photo(again.with_suffix(suffix), photo)
        assert _steps(read_photo(again.with_suffix(suffix))).max() < 0.4


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_linear_light_of_16_bits_becomes_srgb_in_8(tmp_path: Path, suffix: str) -> None:
    dark = np.repeat(np.linspace(0, 0.05, 240)[None], 40, 0)
    codes = np.repeat(np.rint(dark * 65535).astype(np.uint16)[..., None], 3, -1)
    photo = Photo.from_encoded(codes, Encoding(16, icc=profiles.rgb("srgb", 1.0)))
    write_photo(tmp_path / f"dark{suffix}", photo, quality=100)
    away = srgb_encode(read_photo(tmp_path / f"dark{suffix}").rgb) - srgb_encode(photo.rgb)
    assert np.abs(away).max() < 1.6 / 255


def test_the_order_of_precedence_in_png(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    gamma = files.chunk(b"gAMA", struct.pack(">L", 100_000))
    srgb = files.chunk(b"sRGB", b"\0")
    profile = files.chunk(b"iCCP", b"p\0\0" + zlib.compress(profiles.display_p3()))
    points = files.chunk(b"cICP", bytes((1, 13, 0, 1)))
    path.write_bytes(_png(_SRGB, gamma + srgb))
    assert _steps(read_photo(path)).max() < 1e-3
    path.write_bytes(_png(_SRGB, gamma + srgb + profile))
    assert read_photo(path).source.icc == profiles.display_p3()
    path.write_bytes(_png(_SRGB, gamma + srgb + profile + points))
    assert _steps(read_photo(path)).max() < 1e-3


@pytest.mark.parametrize(
    "cicp", [c for c in _ENCODED if c in (Cicp(9, 16), Cicp(12, 13), Cicp(9, 18))]
)
def test_heif_by_code_points(tmp_path: Path, cicp: Cicp) -> None:
    heif = pytest.importorskip("pillow_heif")
    flat = np.broadcast_to(_ENCODED[cicp][4, 5], (64, 64, 3))
    codes = _codes(flat)
    image = heif.from_bytes("RGB;16", (64, 64), codes.tobytes())
    image.save(
        tmp_path / "photo.heic", quality=-1, chroma=444, color_primaries=cicp.primaries,
        matrix_coefficients=9 if cicp[0] == 9 else 6, transfer_characteristics=cicp.transfer,
    )  # fmt: skip
    photo = read_photo(tmp_path / "photo.heic")
    assert photo.source.cicp == cicp
    assert np.abs(srgb_encode(photo.rgb[32, 32]) * 255 - _SRGB[4, 5]).max() < 3


def test_white_of_10_bits_is_white(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    white = np.full((64, 64, 3), 65535, np.uint16)
    image = heif.from_bytes("RGB;16", (64, 64), white.tobytes())
    image.save(tmp_path / "white.heic", quality=-1, chroma=444)
    photo = read_photo(tmp_path / "white.heic")
    assert photo.rgb.min() == 1
    assert photo.source.depth in (10, 12)


def _adobe_exif(index: bytes, space: int = 0xFFFF) -> bytes:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: space, 0xA005: {1: index.decode()}}
    return exif.tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_cameras_adobe_rgb(tmp_path: Path, suffix: str) -> None:
    flat = np.full((16, 16, 3), (90, 160, 60), np.uint8)
    for index, space, wide in ((b"R03", 0xFFFF, True), (b"R98", 0xFFFF, False), (b"R03", 1, False)):
        path = tmp_path / f"camera{suffix}"
        more = {} if suffix == ".png" else {"quality": 100}
        Image.fromarray(flat).save(path, exif=_adobe_exif(index, space), **more)
        read = read_photo(path)
        assert (read.source.icc is not None) == wide
        tagged = Photo.from_encoded(flat, Encoding(icc=profiles.rgb("adobe") if wide else None))
        assert np.abs(srgb_encode(read.rgb) - srgb_encode(tagged.rgb)).max() < 0.03
    # A result in sRGB must not be taken for Adobe RGB, nor the other way round.
    Image.fromarray(flat).save(tmp_path / "camera.jpg", exif=_adobe_exif(b"R03"), quality=100)
    photo = read_photo(tmp_path / "camera.jpg")
    plain = replace(photo, source=replace(photo.source, icc=None))
    write_photo(tmp_path / "plain.jpg", plain)
    assert read_photo(tmp_path / "plain.jpg").source.icc is None
    np.testing.assert_allclose(read_photo(tmp_path / "plain.jpg").rgb, photo.rgb.clip(0), atol=0.02)


@pytest.mark.parametrize("back", [None, profiles.noop_table()], ids=["one way", "no-op back"])
def test_a_profile_of_tables_that_leads_one_way(tmp_path: Path, back: bytes | None) -> None:
    icc = profiles.scanner(back)
    space = profile_space(icc)
    assert space is not None
    photo = Photo.from_encoded(_SRGB, Encoding(icc=icc))
    np.testing.assert_allclose(photo.rgb, space.decode(_SRGB), atol=1e-6)
    assert photo.source.icc is None
    assert any("one way" in note for note in photo.source.notes)
    write_photo(tmp_path / "again.png", photo)
    back_again = read_photo(tmp_path / "again.png")
    assert np.abs(srgb_encode(back_again.rgb) - srgb_encode(photo.rgb.clip(0, 1))).max() < 0.003


def test_a_grey_picture_with_a_profile_of_tables_for_colour() -> None:
    icc = profiles.scanner(None)
    grey = np.arange(0, 250, 50, np.uint8).reshape(1, 5, 1)
    photo = Photo.from_encoded(grey, Encoding(icc=icc))
    colour = Photo.from_encoded(grey.repeat(3, axis=2), Encoding(icc=icc))
    np.testing.assert_array_equal(photo.rgb, colour.rgb)


def test_lab_tiff(tmp_path: Path) -> None:
    # L*, a*, b* of sRGB's white, grey 119, red, by CIE's formulas with D50.
    lab = np.array([[[100, 0, 0], [50.0, 0, 0], [54.29, 80.81, 69.89]]])
    wanted = np.array([[[1, 1, 1], [0.1842, 0.1842, 0.1842], [1, 0, 0]]])
    wide = np.rint(lab * [655.35, 256, 256]).astype(np.int32).astype(np.uint16)
    narrow = np.rint(lab * [2.55, 1, 1]).astype(np.int32).astype(np.uint8)
    for codes, tolerance in ((wide, 0.004), (narrow, 0.03)):
        path = tmp_path / "lab.tif"
        path.write_bytes(files.tiff(codes, photometric=8))
        photo = read_photo(path)
        np.testing.assert_allclose(photo.rgb, wanted, atol=tolerance)
        assert photo.source.bits == 8 * codes.dtype.itemsize
        write_photo(tmp_path / "again.tif", photo)
        np.testing.assert_allclose(read_photo(tmp_path / "again.tif").rgb, wanted, atol=tolerance)


def test_profiles_written_for_code_points_say_the_same() -> None:
    for cicp in (Cicp(12, 13), Cicp(9, 1), Cicp(11, 17), Cicp(6, 6)):
        tagged, meant = profile_space(cicp_profile(cicp)), cicp_space(cicp)
        assert tagged is not None
        assert meant is not None
        np.testing.assert_allclose(tagged.decode(_SRGB), meant.decode(_SRGB), atol=2e-4)
    assert hdr_code_points(cicp_profile(Cicp(9, 16))) == Cicp(9, 16)
    assert hdr_code_points(cicp_profile(Cicp(9, 1))) is None
