"""A region of the night at full size: what is shown at 100 % is what the render gives there."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from nightflash import Cancelled, NightFlashError
from nightflash.client.client import Client

from tests.server.backend import array, pixels

Day = npt.NDArray[np.uint8]
WHOLE = [0, 0, 640, 480]
PLACES = [WHOLE, [13, 70, 200, 131], [639, 479, 1, 1]]
GRAIN: dict[str, Any] = {"quality": "fast", "grain": 3200.0, "seed": 4}


@pytest.fixture
def photo() -> Day:
    """Something bright before a ground, with texture."""
    rng = np.random.default_rng(3)
    day = rng.integers(60, 120, (480, 640, 3), np.uint8)
    day[150:400, 200:420] = rng.integers(120, 250, (250, 220, 3), np.uint8)
    return day


def cut(picture: npt.NDArray[Any], region: list[int]) -> npt.NDArray[Any]:
    x, y, width, height = region
    return picture[y : y + height, x : x + width]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["u8", "u16", "float"])
def test_it_is_the_render(client: Client, photo: Day, channels: int, kind: str) -> None:
    alpha = np.linspace(0, 255, 640, dtype=np.uint8)[None, :, None].repeat(480, 0)
    given: npt.NDArray[Any] = np.concatenate((photo, alpha), -1)
    given = given[..., {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]]
    if kind == "u16":
        given = given.astype(np.uint16) * 257
    elif kind == "float":
        given = (given / 255).astype(np.float32)
    sent = pixels(given)
    render = client.work("render", sent, settings=GRAIN, sample="u8")
    night = array(render.pictures[0]).astype(int)
    for place in PLACES:
        answer = client.work("preview", sent, settings=GRAIN, region=place, views=["night", "day"])
        near, day = (array(picture) for picture in answer.pictures)
        assert near.shape[2] == 3 + (channels in (2, 4))
        wanted = cut(night, place)
        if wanted.shape[2] < 3:
            wanted = np.concatenate((wanted[..., :1].repeat(3, -1), wanted[..., 1:]), -1)
        assert np.abs(near - wanted).max() <= 1
        if kind == "u8" and channels >= 3:
            np.testing.assert_array_equal(day, cut(given, place))
    client.forget(sent)


def test_scaled_down_every_view_shows_the_region(client: Client, photo: Day) -> None:
    sent = pixels(photo)
    names = ["night", "day", "subject", "depth", "light", "outline"]
    region, size = [200, 140, 220, 270], [110, 135]
    settings = {**GRAIN, "grain": None, "working_size": 0.5}
    work = {"settings": settings, "views": names, "box": (200, 150, 220, 250)}
    client.work("analyse", sent, **{**work, "views": ["depth"]})  # no guess is shown from now on
    near = client.work("preview", sent, region=region, size=size, **work).pictures
    whole = client.work("preview", sent, **work).pictures
    for name, picture, all_of_it in zip(names, near, whole, strict=True):
        shown, wanted = array(picture), cut(array(all_of_it), region)
        assert shown.shape == (135, 110, wanted.shape[2]), name
        halved = wanted.reshape(135, 2, 110, 2, -1).mean((1, 3))
        if name != "outline":
            assert np.abs(shown - halved).mean() < 6, name


@pytest.mark.parametrize(
    "fields",
    [
        {"region": [0, 0, 641, 480]},
        {"region": [-1, 0, 5, 5]},
        {"region": [0, 0, 0, 5]},
        {"region": [0, 0, 5.0, 5]},
        {"region": [0, 0, 5]},
        {"region": [0, 0, True, 5]},
        {"region": "all"},
        {"region": [0, 0, 8, 8], "size": [9, 8]},
        {"region": [0, 0, 8, 8], "size": [0, 8]},
        {"region": [0, 0, 8, 8], "size": [8]},
        {"region": [2**60, 0, 8, 8]},
    ],
)
def test_what_is_no_region_is_refused(client: Client, photo: Day, fields: dict[str, Any]) -> None:
    with pytest.raises(NightFlashError) as fault:
        client.work("preview", pixels(photo), settings={}, **fields)
    assert fault.value.code == "bad_request"


def test_no_more_is_shown_than_a_screen_has(client: Client) -> None:
    wide = pixels(np.zeros((4097, 4096, 1), np.uint8))
    with pytest.raises(NightFlashError) as fault:
        client.work("preview", wide, settings={}, region=[0, 0, 4096, 4097])
    assert fault.value.code == "too_large"


def test_it_stops_when_nobody_wants_it(client: Client, photo: Day) -> None:
    cancel = threading.Event()
    cancel.set()
    large = pixels(np.tile(photo, (5, 5, 1)))
    with pytest.raises(Cancelled):
        client.work("preview", large, settings={}, region=[0, 0, 3200, 2400], cancel=cancel)
    assert client.work("preview", large, settings={}, region=[0, 0, 9, 9]).pictures
