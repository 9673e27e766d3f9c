"""Previews with IS-Net's real weights: at once with a quick network's guess, then with its mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nightflash import Engine, Photo, Settings
from nightflash.photo import read_photo

from tests.server.backend import a_place, array, pixels, until

QUICK = {"working_size": 0.1}


def test_a_preview_gets_better_when_asked_for_again(isnet: Path, shared: Path) -> None:
    day = read_photo(shared / "photos/daylight/coral_owl.jpg").to_encoded()
    options = ("--networks", "auto", "--weights", str(isnet), "--device", "cpu")
    with a_place(*options) as place, place.client() as client:
        photo = pixels(day)
        first = client.work("preview", photo, views=["subject"], settings=QUICK)
        assert first.header["provisional"]
        assert first.header["networks"]["subject"] == "isnet_general_use"
        for _ in until(200):
            last = client.work("preview", photo, views=["subject"], settings=QUICK)
            if not last.header["provisional"]:
                break
        assert not last.header["provisional"]
        thorough = client.work("analyse", photo, views=["subject"], settings=QUICK)
        assert not thorough.header["provisional"]
    mask = array(last.pictures[0])
    np.testing.assert_array_equal(mask, array(thorough.pictures[0]))
    scene = Engine("auto", isnet, "cpu").analyse(Photo.from_encoded(day), Settings(**QUICK))
    expected = scene.subject.numpy() * 255
    assert np.abs(mask[..., 0] - expected).mean() < 1
    assert np.abs(array(first.pictures[0])[..., 0] - expected).mean() > 2
