"""The dialog shows the photo in the monitor's colours, as GIMP's own canvas beside it does."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.gimp.filter import Filter, draw
from tests.gimp.gimp import Gimp
from tests.gimp.plugin import a_profile
from tests.gimp.window import PROGRAMS, screen
from tests.photo.profiles import rgb


def test_as_gimps_own_canvas(gimp: Gimp, tmp_path: Path) -> None:
    if not gimp.has(*PROGRAMS):
        pytest.skip(f"one of {', '.join(PROGRAMS)} is not here")
    with a_profile() as profile:
        photo, monitor = profile.folder / "photo.png", profile.folder / "monitor.icc"
        draw(photo)
        monitor.write_bytes(rgb("p3", gamma=1.4))
        managed = f'(color-management (mode display) (display-profile "{monitor}"))\n'
        with screen(gimp, profile, tmp_path, photo, more_rc=managed) as shown:
            shown.front("GIMP$")
            shown.key("1")
            before = shown.shot("gimps-canvas")
            dialog = Filter(shown)
            dialog.open()
            dialog.press("Before", "toggle button")
            dialog.press("100 %")
            dialog.press("Outline", "check box")
            own = shown.until(lambda: place_in(before, dialog.preview("dialog", 2)), "same colours")
            plain = np.asarray(Image.open(photo).convert("RGB"))
            assert np.abs(own[0] - plain[100:140, 60:200].mean((0, 1))).max() > 10
            dialog.close()


def place_in(canvas: np.ndarray, picture: np.ndarray) -> list[np.ndarray] | None:
    """The mean colour of a part of the picture, where the same pixels are on GIMP's canvas."""
    part = picture[100:140, 60:200].astype(np.uint8)
    if part.shape != (40, 140, 3):
        return None
    matched = cv2.matchTemplate(canvas, part, cv2.TM_SQDIFF)
    _least, _most, (x, y), _at = cv2.minMaxLoc(matched)
    there = canvas[y : y + 40, x : x + 140].astype(int)
    same = np.abs(there - part).max() <= 1
    return [part.mean((0, 1))] if same else None
