"""The canvas of the dialog in a real GIMP 3: zoomed, panned and compared by mouse and keyboard.

What is shown at 100 % are the pixels that the layer then has.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.gimp.filter import LARGE, TITLE, Filter, in_gimp, layers
from tests.gimp.gimp import INSIDE
from tests.gimp.plugin import Profile
from tests.gimp.window import Screen

Shot = npt.NDArray[np.int16]


def still(dialog: Filter, name: str) -> Shot:
    """What the picture shows once nothing is worked at any more."""

    def settled() -> list[Shot] | None:
        first = dialog.preview(name, 2)
        busy = [w for w in dialog.shown.widgets(TITLE) if w.name == "Working"]
        second = dialog.preview(name, 2)
        return None if busy or not np.array_equal(first, second) else [second]

    return dialog.shown.until(settled, "still picture", 30)[0]


def pixels_of(shown: Screen, number: int) -> Shot:
    """The layer with this number, RGB in u8."""
    path = shown.remote / "pixels"
    layer = f"raw(image.get_layers()[{number}], \"R'G'B' u8\")"
    in_gimp(shown, f"from pathlib import Path\nPath({str(path)!r}).write_bytes({layer})")
    data = np.frombuffer(path.read_bytes(), np.uint8)
    return data.reshape(LARGE[1], LARGE[0], 3).astype(np.int16)


def found_in(picture: Shot, shot: Shot) -> tuple[int, int]:
    """Where in a picture a shot of it at 100 % lies, by its pixels: x, y."""
    middle = shot[40:120, 40:160].astype(np.uint8)
    matched = cv2.matchTemplate(picture.astype(np.uint8), middle, cv2.TM_SQDIFF)
    _least, _most, (x, y), _at = cv2.minMaxLoc(matched)
    return x - 40, y - 40


def apart(picture: Shot, shot: Shot, at: tuple[int, int]) -> float:
    """The greatest difference of a shot and the part of a picture that it shows."""
    height, width = shot.shape[:2]
    x, y = at
    return float(np.abs(picture[y : y + height, x : x + width] - shot).max())


@pytest.mark.usefixtures("large")
def test_at_100_percent_are_the_results_pixels(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    dialog.fast()
    dialog.press("Outline", "check box")
    dialog.press("100 %")
    night = still(dialog, "canvas-100")
    shown.run("xdotool", "keydown", "b")
    day = still(dialog, "canvas-before")
    shown.run("xdotool", "keyup", "b")
    dialog.press("Split", "toggle button")
    split = still(dialog, "canvas-split")
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 2, "new layer")
    result, photo = pixels_of(shown, 0), pixels_of(shown, 1)
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")
    at = found_in(photo, day)
    assert apart(photo, day, at) == 0
    assert apart(result, night, at) <= 1
    middle = night.shape[1] // 2
    assert np.array_equal(split[:, : middle - 12], day[:, : middle - 12])
    assert np.array_equal(split[:, middle + 12 :], night[:, middle + 12 :])


@pytest.mark.usefixtures("large")
def test_zoomed_at_the_pointer_and_panned(shown: Screen, dialog: Filter) -> None:
    """A point of the photo stays under the pointer, and is dragged along; Fit shows all again."""
    dialog.open()
    dialog.press("Outline", "check box")
    fitting = still(dialog, "canvas-fit")
    x, y, width, height = dialog.widget("icon").place
    point = x + width // 4, y + height // 2
    colour = fitting[height // 2, width // 4]
    shown.wheel(point, -5)
    near = still(dialog, "canvas-wheel")
    x, y, _width, _height = dialog.widget("icon").place
    at = point[1] - y, point[0] - x
    assert np.abs(average(near, at) - average(fitting, (height // 2, width // 4))).max() < 12, (
        colour
    )
    assert near.std() != fitting.std()
    for how in ("middle", "space", "left"):
        drag(shown, point, how)
        moved = still(dialog, f"canvas-{how}")
        shift = 60
        a, b = near[50:-80, 50:-80], moved[50 + 40 : -80 + 40, 50 + shift : -80 + shift]
        assert np.abs(average_all(a) - average_all(b)).mean() < 4, how
        near = moved
    shown.key("0")
    again = still(dialog, "canvas-fit-again")
    assert np.abs(again - fitting).mean() < 1
    shown.key("1")
    by_key = still(dialog, "canvas-keys")
    dialog.press("Fit")
    assert np.abs(still(dialog, "canvas-fit-by-button") - fitting).mean() < 1
    dialog.press("100 %")
    by_button = still(dialog, "canvas-100-by-button")
    assert (by_button != by_key).any(-1).sum() < 200, "more than the mark of the keys differs"
    shown.key("minus", "plus")
    assert still(dialog, "canvas-minus-plus").shape == by_key.shape
    assert dialog.widget("button", "Aim for me").sensitive is False, "a drag or key has aimed"
    dialog.close()


def average(shot: Shot, at: tuple[int, int]) -> Any:
    row, column = at
    return shot[row - 6 : row + 7, column - 6 : column + 7].mean((0, 1))


def average_all(shot: Shot) -> Any:
    return cv2.blur(shot.astype(np.float32), (9, 9))


def drag(shown: Screen, point: tuple[int, int], how: str) -> None:
    """Drag the photo by 60 pixels across and 40 down."""
    button = {"middle": "2", "space": "1", "left": "1"}[how]
    shown.run("xdotool", "mousemove", *map(str, point))
    if how == "space":
        shown.run("xdotool", "keydown", "space")
    words = ["mousedown", button, "mousemove_relative", "30", "20"]
    shown.run("xdotool", *words, "mousemove_relative", "30", "20", "mouseup", button)
    if how == "space":
        shown.run("xdotool", "keyup", "space")


@pytest.mark.usefixtures("large")
def test_the_line_of_the_split_view_is_dragged(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    night = still(dialog, "split-none")
    shown.key("s")
    half = still(dialog, "split-half")
    x, y, width, height = dialog.widget("panel", "Preview").place
    shown.run("xdotool", "mousemove", str(x + width // 2), str(y + height // 2), "mousedown", "1")
    words = ["mousemove_relative", "--", "-60", "0", "mousemove_relative", "--", "-60", "0"]
    shown.run("xdotool", *words, "mouseup", "1")
    left = still(dialog, "split-left")
    changed = (np.abs(half - night).max(-1) > 30).mean(), (np.abs(left - night).max(-1) > 30).mean()
    assert changed[1] < 0.8 * changed[0]
    assert dialog.widget("button", "Aim for me").sensitive is False, "the line has aimed"
    dialog.close()


def test_the_photo_is_there_before_any_reply(
    shown: Screen, dialog: Filter, profile: Profile
) -> None:
    """A backend that takes long to answer leaves the photo to be looked at."""
    dialog.open()
    dialog.close()
    backend = json.loads(profile.connection.read_text("utf-8"))["pid"]
    os.kill(backend, signal.SIGSTOP)
    try:
        shown.front("GIMP$")
        shown.menu("Filters", "Light and Shadow", TITLE)
        shown.until(lambda: shown.windows(f"^{TITLE}"), "dialog")
        day = dialog.preview("at-once", 2)
        assert day.mean() > 90
    finally:
        os.kill(backend, signal.SIGCONT)
    dialog.close()


def test_two_fingers_zoom_where_they_are(shown: Screen, profile: Profile) -> None:
    """A pinch of a touchpad, which no program can make on a screen, on a canvas of its own."""
    plugin = profile.gimp / "plug-ins" / "nightflash_filter"
    found = json.loads(shown.run("/usr/bin/python3", str(INSIDE / "pinch.py"), str(plugin)))
    assert np.allclose(found["scales"], [1, 2, 3, 1.5], rtol=0.02), found
    assert np.allclose(found["under"], found["after"], atol=1), found
