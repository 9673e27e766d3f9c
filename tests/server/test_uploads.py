"""Pictures kept for clients: decoded as what they are, bounded, forgotten in time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from nightflash.client import protocol
from nightflash.errors import NightFlashError
from nightflash.photo import Photo
from nightflash.photo.encoding import srgb_decode
from nightflash.server.pictures import photo_pixels
from nightflash.server.upload import Upload
from nightflash.server.uploads import Uploads

from tests.server.backend import array, pixels

RAMP = np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 6, 1)


def samples(name: str, channels: int) -> npt.NDArray[np.generic]:
    """A ramp as samples of one kind, the last channel of 2 and 4 a rising alpha."""
    values = RAMP * np.linspace(0.5, 1, channels, dtype=np.float32)
    top = {"u8": 255, "u16": 65535}.get(name)
    dtype = {"u8": "u1", "u16": "<u2", "half": "<f2", "float": "<f4"}[name]
    return (values if top is None else np.rint(values * top)).astype(dtype)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["u8", "u16", "half", "float"])
def test_every_format_means_what_it_says_and_comes_back(name: str, channels: int) -> None:
    given = samples(name, channels)
    photo = Upload(pixels(given)).photo()
    top = {"u8": 255, "u16": 65535}.get(name, 1)
    values = given.astype(np.float32) / top
    colours = channels - 1 if channels in (2, 4) else channels
    expected = srgb_decode(values) if top > 1 else values
    np.testing.assert_allclose(photo.rgb[..., 0], expected[..., 0], atol=1e-6)
    np.testing.assert_allclose(photo.rgb[..., 2], expected[..., colours - 1], atol=1e-6)
    if channels in (2, 4):
        np.testing.assert_allclose(photo.alpha, values[..., -1], atol=1e-6)
    else:
        assert photo.alpha is None
    back = photo_pixels(photo, name)
    assert (back.layout.sample, back.layout.channels) == (name, channels)
    np.testing.assert_array_equal(array(back), given)


def test_a_mask_is_linear_in_every_format() -> None:
    for name, atol in (("u8", 3e-3), ("u16", 1e-5), ("half", 1e-3), ("float", 0.0)):
        mask = Upload(pixels(samples(name, 1))).mask()
        np.testing.assert_allclose(mask, RAMP[..., 0] * 0.5, atol=atol)
    with pytest.raises(NightFlashError, match="grey"):
        Upload(pixels(samples("u8", 3))).mask()


@pytest.mark.parametrize(
    ("mask", "size", "sentence"),
    [
        (np.zeros((4, 6, 1), np.float32), (6, 4), "empty"),
        (np.full((4, 6, 1), np.nan, np.float32), (6, 4), "not numbers"),
        (np.ones((4, 6, 1), np.float32), (4, 6), "mask is 6 x 4 pixels and the photo 4 x 6"),
    ],
)
def test_masks_that_do_not_serve(
    mask: npt.NDArray[np.float32], size: tuple[int, int], sentence: str
) -> None:
    with pytest.raises(NightFlashError, match=sentence) as caught:
        Upload(pixels(mask)).working_mask(size, (6, 4))
    assert caught.value.code == "bad_aim"


def test_floats_that_are_no_numbers_are_told() -> None:
    with pytest.raises(NightFlashError, match="NaN or infinity"):
        Upload(pixels(np.full((4, 6, 3), np.inf, np.float32))).photo()


def test_the_working_size_is_worked_out_once_for_photo_and_alpha(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = Upload(pixels(np.full((300, 400, 4), (9, 90, 200, 51), np.uint8)))
    first = upload.working(0.02)
    working, alpha = first
    assert working.size == (400, 300)
    assert working.dimensions == (163, 122)
    assert alpha is not None
    assert alpha.shape == (122, 163)
    np.testing.assert_allclose(alpha, 0.2, atol=1e-6)
    monkeypatch.setattr(Photo, "from_encoded", None)
    assert upload.working(0.02) is first


def test_pictures_in_strips_are_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.random.default_rng(3).integers(0, 256, (50, 20, 3), np.uint8)
    before = Upload(pixels(whole)).photo().rgb
    monkeypatch.setattr(protocol, "MAX_FRAME", 1000)
    strips = pixels(whole)
    assert len(strips.strips) == 4
    np.testing.assert_array_equal(Upload(strips).photo().rgb, before)


def test_handles(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("upload", "uploads"):
        monkeypatch.setattr(f"nightflash.server.{module}.OVERHEAD", 0)
    uploads = Uploads(limit=200, seconds=60)
    small = pixels(np.zeros((4, 6, 3), np.uint8))  # 72 bytes
    first, second = uploads.put(small, "a"), uploads.put(small, "b")
    assert first != second
    assert uploads.get(first).pixels is small
    third = uploads.put(small, "a")  # no room for three; the second was used least recently
    assert uploads.bytes == 144
    with pytest.raises(NightFlashError) as caught:
        uploads.get(second)
    assert caught.value.code == "unknown_handle"
    uploads.drop_all_of(lambda owner: owner == "a")
    assert (len(uploads), uploads.owners()) == (0, set())
    for handle in (first, third, None, 3, "", ["x"]):
        with pytest.raises(NightFlashError):
            uploads.get(handle)
    with pytest.raises(NightFlashError, match="at most") as caught:
        uploads.put(pixels(np.zeros((40, 60, 3), np.uint8)), "a")
    assert caught.value.code == "too_large"


def test_unused_pictures_are_forgotten() -> None:
    uploads = Uploads(limit=90_000, seconds=-1)
    uploads.put(pixels(np.zeros((4, 6, 3), np.uint8)), "a")
    assert uploads.owners() == set()
    assert uploads.bytes == 0


def test_even_tiny_pictures_are_not_kept_without_end() -> None:
    uploads = Uploads(limit=2**20, seconds=60)
    for _ in range(1000):
        uploads.put(pixels(np.zeros((1, 1, 1), np.uint8)), "a")
    assert len(uploads) == 2**20 // 12_289


def test_what_is_worked_out_of_a_picture_is_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("upload", "uploads"):
        monkeypatch.setattr(f"nightflash.server.{module}.OVERHEAD", 0)
    uploads = Uploads(limit=100_000, seconds=60)
    handles = [uploads.put(pixels(np.full((60, 80, 3), 9, np.uint8)), "a") for _ in range(3)]
    assert uploads.bytes == 3 * 14_400
    worked_with = uploads.get(handles[0])
    worked_with.working(1.0)  # 57,600 bytes: a float for every sample
    uploads.weigh(worked_with)
    assert uploads.bytes == 72_000 + 14_400
    assert len(uploads) == 2, "the one used least recently made room"
    with pytest.raises(NightFlashError):
        uploads.get(handles[1])
