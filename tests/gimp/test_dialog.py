"""The filter's dialog in a real GIMP 3, by mouse: what it shows is true, and it keeps its shape."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest

from tests.gimp.filter import LEFT, RIGHT, SIZE, TITLE, Filter, hits, in_gimp, layers
from tests.gimp.plugin import Profile
from tests.gimp.window import SCREEN, Screen


def places(dialog: Filter) -> dict[tuple[str, str, int], tuple[int, int, int, int]]:
    """Where everything is that a user presses, and the picture."""
    kinds = ("button", "toggle button", "check box", "slider", "spin button", "combo box", "panel")
    seen: dict[tuple[str, str, int], tuple[int, int, int, int]] = {}
    for widget in dialog.shown.widgets(TITLE):
        if widget.role in kinds:
            name = "" if widget.role == "combo box" else widget.name
            number = sum(key[:2] == (widget.role, name) for key in seen)
            seen[widget.role, name, number] = widget.place
    return seen


@pytest.mark.parametrize("how", ["maximised", "enlarged"])
def test_the_picture_fills_the_room_and_is_aimed_at(
    shown: Screen, dialog: Filter, how: str
) -> None:
    dialog.open()
    small = dialog.widget("icon").place
    if how == "maximised":
        dialog.maximise()
    else:
        number = shown.windows(f"^{TITLE}")[-1]
        shown.run("xdotool", "windowmove", number, "0", "0", "windowsize", number, "1340", "860")

    def grown() -> tuple[int, int, int, int] | None:
        now = dialog.widget("icon").place
        return now if now[2] > 1.3 * small[2] else None

    _x, _y, width, height = shown.until(grown, "larger picture")
    assert abs(width / height - SIZE[0] / SIZE[1]) < 0.01
    room = dialog.widget("panel", "Preview").place
    assert width > room[2] - 3 or height > room[3] - 3
    for place in (RIGHT, LEFT):
        dialog.click_photo(place)
        shown.until(lambda at=place: hits(dialog, at), f"outline about {place}")
    dialog.close()


def test_the_wheel_scrolls_and_changes_nothing(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    dialog.best()
    dialog.unfold("More")
    shown.until(lambda: dialog.widget("scroll bar"), "the group More")
    before = dialog.values()
    beside = dialog.widget("scroll bar").middle
    for role, name in (
        ("spin button", "Night brightness (EV)"),
        ("slider", "Crispness"),
    ):
        shown.wheel(dialog.widget(role, name).middle, 2)
        shown.until(
            lambda: (dialog.widget("scroll bar").value or 0) > 20, f"scrolling over a {role}"
        )
        shown.wheel(beside, -20)
        shown.until(lambda: dialog.widget("scroll bar").value == 0, "scrolling back")
    for name in (dialog.preset(), "Best", "Night"):
        shown.wheel(dialog.widget("combo box", name).middle, 2)
    time.sleep(0.5)
    assert dialog.values() == before
    dialog.close()


@pytest.fixture
def portrait(shown: Screen) -> Iterator[None]:
    """The photo is upright meanwhile."""
    in_gimp(shown, "image.scale(320, 960)")
    yield
    in_gimp(shown, f"image.scale({SIZE[0]}, {SIZE[1]})")


@pytest.mark.usefixtures("portrait")
def test_a_portrait_makes_no_tall_dialog(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    assert dialog.widget("dialog").place[3] < 740
    width, height = dialog.widget("icon").place[2:]
    assert abs(height / width - 3) < 0.05
    number = shown.windows(f"^{TITLE}")[-1]
    shown.run("xdotool", "windowsize", number, "1000", "560")
    shown.until(lambda: dialog.widget("dialog").place[3] < 600, "lower dialog")
    dialog.close()


def test_one_sentence_that_moves_nothing(shown: Screen, dialog: Filter) -> None:
    in_gimp(shown, "image.scale(2400, 1600)")  # work for a while
    try:
        dialog.open()
        dialog.best()
        before = places(dialog)
        said = dialog.widget("label", "Lit")
        assert (said.text or "").count(".") == 1, said.text
        dialog.click_photo(RIGHT)
        shown.until(lambda: dialog.widget("label", "Lit: the object"), "another sentence")
        assert places(dialog) == before
        dialog.press("Aim for me")
        dialog.press("OK")
        shown.until(lambda: (dialog.widget("progress bar").value or 0) > 0.001, "progress", 60)
        assert places(dialog) == before
        dialog.press("Cancel")
        shown.until(lambda: dialog.widget("button", "OK").sensitive, "the end of the work")
        dialog.close()
    finally:
        in_gimp(shown, f"image.scale({SIZE[0]}, {SIZE[1]})")


def test_presets_are_true_and_come_back(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    dialog.choose(dialog.preset(), "Moonlit")
    shown.until(
        lambda: dialog.widget("spin button", "Night brightness (EV)").value == -5.0, "moonlight"
    )
    dialog.drag("Night brightness (EV)", 0.9)
    dialog.widget("combo box", "Moonlit, changed")
    dialog.choose("Moonlit, changed", "Moonlit")
    shown.until(
        lambda: dialog.widget("spin button", "Night brightness (EV)").value == -5.0, "moonlight"
    )
    dialog.widget("combo box", "Moonlit")
    dialog.drag("Night brightness (EV)", 0.9)
    dialog.widget("combo box", "Moonlit, changed")
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 2, "new layer")
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")
    dialog.open()
    dialog.choose("Moonlit, changed", "Flash at night")
    shown.until(
        lambda: dialog.widget("spin button", "Night brightness (EV)").value == -7.0, "night"
    )
    dialog.widget("combo box", "Flash at night")
    dialog.close()


def test_it_is_as_large_as_it_was_left(shown: Screen, dialog: Filter, profile: Profile) -> None:
    dialog.open()
    number = shown.windows(f"^{TITLE}")[-1]
    shown.run("xdotool", "windowsize", number, "1150", "640")
    shown.until(lambda: dialog.widget("dialog").place[2] > 1140, "another size")
    left = dialog.widget("dialog").place[2:]
    dialog.close()
    dialog.open()
    assert dialog.widget("dialog").place[2:] == left
    dialog.maximise()
    shown.until(lambda: dialog.widget("dialog").place[2] > 1300, "the screen's size")
    dialog.close()
    dialog.open()
    shown.until(lambda: dialog.widget("dialog").place[2] > 1300, "the screen's size again")
    dialog.maximise()
    shown.until(lambda: dialog.widget("dialog").place[2:] == left, "the size before")
    dialog.close()
    (profile.gimp / "nightflash.json").write_text('{"size": [9000, 9000]}', "utf-8")
    dialog.open()
    width, height = dialog.widget("dialog").place[2:]
    assert width <= SCREEN[0]
    assert height <= SCREEN[1]
    dialog.close()


def test_off_greys_and_before_returns(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    dialog.maximise()
    dialog.unfold("More")
    dialog.widget("spin button", "Fall-off")
    dialog.press("Light of the flash only", "check box")
    shown.until(
        lambda: not dialog.widget("slider", "Night brightness (EV)").sensitive, "grey slider"
    )
    assert not dialog.widget("spin button", "Colour of the night").sensitive
    assert dialog.widget("slider", "Flash strength").sensitive
    dialog.press("Flash", "check box")
    shown.until(lambda: not dialog.widget("slider", "Flash strength").sensitive, "grey sliders")
    assert not dialog.widget("spin button", "Fall-off").sensitive
    dialog.press("Flash", "check box")
    dialog.press("Light of the flash only", "check box")
    shown.until(lambda: dialog.widget("slider", "Night brightness (EV)").sensitive, "slider")
    dialog.choose("Night", "Depth")
    dialog.press("Before", "toggle button")
    dialog.widget("combo box", "Before")
    dialog.press("Before", "toggle button")
    dialog.widget("combo box", "Depth")
    dialog.close()


def test_tooltips_leave_the_picture_free(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    area = dialog.widget("panel", "Preview").place

    def still() -> list[npt.NDArray[np.uint8]]:
        before = shown.shot("tips-none")
        time.sleep(1.5)  # a last preview may be on its way
        after = shown.shot("tips-none")
        return [] if apart(before, after)[rectangle(area)].any() else [after]

    (plain,) = shown.until(still, "picture that stays")

    def tipped(place: tuple[int, int]) -> bool:
        shown.run("xdotool", "mousemove", *map(str, place), "mousemove_relative", "1", "1")
        time.sleep(1.2)  # a tooltip comes where the pointer rests
        return bool(apart(shown.shot("tips"), plain).sum() > 3500)

    for role, name in (("slider", "Night brightness (EV)"), ("spin button", "Beam width")):
        left, top, width, height = dialog.widget(role, name).place
        place = left + width // 4, top + height // 2
        shown.until(partial(tipped, place), "tooltip")
        assert not apart(shown.shot("tips"), plain)[rectangle(area)].any()
        shown.run("xdotool", "mousemove", "5", "5")
        shown.until(lambda: apart(shown.shot("tips"), plain).sum() < 3500, "end of the tooltip")
    words = dialog.widget("label", "Beam width")
    for place in ((words.place[0] + 9, words.middle[1]), dialog.widget("icon").middle):
        tipped(place)
        assert not apart(shown.shot("tips"), plain)[rectangle(area)].any()
    dialog.close()


def apart(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where two screenshots differ."""
    return (one != other).any(-1)


def rectangle(place: tuple[int, int, int, int]) -> tuple[slice, slice]:
    x, y, width, height = place
    return slice(y, y + height), slice(x, x + width)


def test_the_backend_is_seen_to_in_the_dialog(
    shown: Screen, dialog: Filter, profile: Profile
) -> None:
    dialog.open()
    pid = json.loads(profile.connection.read_text("utf-8"))["pid"]
    dialog.press("Backend")
    found = shown.until(
        lambda: [w for w in shown.widgets("Backend") if f"process {pid}" in (w.text or "")], "state"
    )
    assert found
    texts = " ".join(w.text or "" for w in shown.widgets("Backend"))
    assert "scene_net" in texts
    assert str(profile.folder / "state" / "backend.log") in texts
    shown.shot("backend")
    shown.press(shown.widget("Backend", "button", "Show log"))
    log = shown.widget("Log of the backend", "text")
    assert "ready on cpu" in (log.text or "")
    shown.key("Escape")
    shown.press(shown.widget("Backend", "button", "Restart"))
    after = shown.until(
        lambda: [w for w in shown.widgets("Backend") if "Ready" in (w.text or "")], "restart", 90
    )
    assert after
    assert json.loads(profile.connection.read_text("utf-8"))["pid"] != pid
    shown.press(shown.widget("Backend", "button", "Close"))
    dialog.click_photo(RIGHT)
    shown.until(lambda: hits(dialog, RIGHT), "work of the new backend")
    dialog.close()
