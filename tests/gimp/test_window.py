"""The filter in a real GIMP 3 with its windows, used like a user does; screenshots are kept."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.gimp.filter import (
    LAST,
    LEFT,
    MENU,
    RIGHT,
    SIZE,
    TITLE,
    Filter,
    distance,
    in_gimp,
    layers,
    state,
)
from tests.gimp.plugin import Profile
from tests.gimp.window import Screen


def test_menu_to_layer_and_back(shown: Screen, dialog: Filter, artifacts: Path) -> None:
    """Select, call, move a slider, aim, OK: a layer; and one undo brings all of it back."""
    in_gimp(shown, f"image.select_ellipse(2, {LEFT[0] - 55}, {LEFT[1] - 75}, 110, 150)")
    before = state(shown)
    shown.shot("1-photo")
    dialog.open()
    first = dialog.preview("2-dialog")
    assert distance(first, LEFT) < 110 < distance(first, RIGHT)

    dialog.drag("Night brightness", 0.95)
    brighter = dialog.changed(first, "3-brighter")
    assert brighter.mean() > first.mean() + 10
    dialog.drag("Night brightness", 0.5)
    dark = dialog.changed(brighter, "4-dark")

    dialog.click_photo(RIGHT)
    aimed = dialog.changed(dark, "5-aimed")
    assert distance(aimed, RIGHT) < 110 < distance(aimed, LEFT)
    back = dialog.widget("button", "Aim by selection")
    assert back.sensitive
    shown.press(back)
    assert distance(dialog.changed(aimed, "6-aimed-by-selection"), LEFT) < 110
    dialog.click_photo(RIGHT)
    dialog.changed(dark, "7-aimed-again")

    dialog.fast()
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 2, "new layer")
    time.sleep(0.5)
    shown.shot("8-layer")
    after = state(shown)
    assert layers(shown) == ["Night with flash", "photo.png"]
    assert {**after, "layers": after["layers"][1:], "selected": before["selected"]} == before
    lit = in_gimp(
        shown,
        "new = floats(image.get_layers()[0], 'Y float')\n"
        f"[new[{LEFT[1]} * {SIZE[0]} + {LEFT[0]}], new[{RIGHT[1]} * {SIZE[0]} + {RIGHT[0]}]]",
    )
    assert lit[1] > 1.5 * lit[0], lit  # the one that was aimed at

    shown.front("GIMP$")
    shown.key("ctrl+z")
    shown.until(lambda: len(layers(shown)) == 1, "undone layer")
    assert state(shown) == before
    shown.key("ctrl+y")
    shown.until(lambda: len(layers(shown)) == 2, "layer done again")
    assert state(shown)["layers"][0]["pixels"] == after["layers"][0]["pixels"]
    shown.key("ctrl+z")
    shown.until(lambda: len(layers(shown)) == 1, "undone layer")


def test_parts_and_undo(shown: Screen, dialog: Filter) -> None:
    before = state(shown)
    dialog.open()
    dialog.choose("One layer", "A group of two")
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 2, "new group")
    assert len(state(shown)["layers"][0]["children"]) == 2
    shown.shot("parts")
    shown.front("GIMP$")
    shown.key("ctrl+z")
    shown.until(lambda: len(layers(shown)) == 1, "undone group")
    assert state(shown) == before


def test_last_values(shown: Screen, dialog: Filter, profile: Profile) -> None:
    """Repeating the filter gives the same night without a dialog; the dialog remembers too."""
    dialog.open()
    dialog.drag("Night brightness", 0.8)
    if any(w.name.startswith("A group") for w in shown.widgets(TITLE) if w.role == "combo box"):
        dialog.choose("A group", "One layer")
    chosen = dialog.widget("spin button", "Night brightness").value
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 2, "new layer")
    in_gimp(shown, "image.set_selected_layers([image.get_layers()[1]])")
    shown.front("GIMP$")
    shown.key("ctrl+f")
    shown.until(lambda: len(layers(shown)) == 3, "second layer")
    assert not shown.windows(f"^{TITLE}")
    first, second, _photo = state(shown)["layers"]
    assert first["pixels"] == second["pixels"]
    in_gimp(shown, "[image.remove_layer(layer) for layer in image.get_layers()[:2]]\nTrue")
    dialog.open()
    assert dialog.widget("spin button", "Night brightness").value == chosen
    dialog.press("Cancel")
    dialog.gone()
    kept = (profile.gimp / "plug-in-settings" / LAST).read_text("utf-8")
    assert "ambient" in kept


def test_views_presets_reset(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    night = dialog.preview("view-night")
    dialog.press("Before", "toggle button")
    day = dialog.changed(night, "view-before")
    assert day.mean() > night.mean() + 10
    dialog.press("Before", "toggle button")
    dialog.changed(day, "view-night-again")
    dialog.press("Outline", "check box")
    plain = dialog.changed(night, "view-no-outline")
    dialog.press("Outline", "check box")
    dialog.choose("Night", "Depth")
    depth = dialog.changed(plain, "view-depth")
    dialog.choose("Depth", "Light")
    dialog.changed(depth, "view-light")
    dialog.choose(dialog.preset(), "Street")
    warm = shown.until(
        lambda: 2000 < (dialog.widget("spin button", "Colour of the night").value or 0) < 4000,
        "street",
    )
    assert warm
    shown.shot("preset")
    dialog.press("Cancel")
    dialog.gone()


def test_cancel_at_once(shown: Screen, dialog: Filter) -> None:
    before = state(shown)
    dialog.open()
    dialog.drag("Night brightness", 0.9)
    dialog.press("Cancel")
    dialog.gone(5)
    assert state(shown) == before


@pytest.mark.usefixtures("large")
def test_closed_midway(shown: Screen, dialog: Filter, profile: Profile) -> None:
    """Closed while it renders: nothing has changed, and the same backend goes on."""
    before = state(shown)
    dialog.begin()
    backend = json.loads(profile.connection.read_text("utf-8"))["pid"]
    shown.shot("midway")
    started = time.monotonic()
    shown.front(f"^{TITLE}")
    shown.key("alt+F4")
    dialog.gone(15)
    print(f"stopped after {time.monotonic() - started:.1f} s")
    assert state(shown) == before
    assert json.loads(profile.connection.read_text("utf-8"))["pid"] == backend
    assert in_gimp(shown, "night(image, image.get_layers()[0], **PLAIN).get_name()")
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("how", ["Cancel", "Escape"])
def test_the_work_is_stopped_and_the_dialog_stays(
    shown: Screen, dialog: Filter, profile: Profile, how: str
) -> None:
    """What was aimed and painted is worth more than the seconds of a render."""
    before = state(shown)
    dialog.begin()
    backend = json.loads(profile.connection.read_text("utf-8"))["pid"]

    def cancel() -> None:
        if how == "Cancel":
            dialog.press("Cancel")
        else:
            shown.front(f"^{TITLE}")
            shown.key("Escape")

    cancel()
    shown.until(lambda: dialog.widget("button", "OK").sensitive, "OK, to be pressed again", 15)
    assert state(shown) == before
    assert json.loads(profile.connection.read_text("utf-8"))["pid"] == backend
    cancel()  # now there is nothing to stop
    dialog.gone(15)
    assert state(shown) == before


@pytest.mark.usefixtures("large")
def test_nothing_is_taken_back_while_a_night_is_made(shown: Screen, dialog: Filter) -> None:
    """The night would not be made with what the dialog shows."""
    dialog.open()
    dialog.best()
    usual = dialog.values()
    time.sleep(1)  # what follows at once would be the same step
    dialog.drag("Night brightness", 0.8)
    chosen = dialog.values()
    dialog.render()
    shown.key("ctrl+z")
    dialog.press("Cancel")
    shown.until(lambda: dialog.widget("button", "OK").sensitive, "OK, to be pressed again", 15)
    assert dialog.values() == chosen != usual
    shown.key("ctrl+z")
    shown.until(lambda: dialog.values() == usual, "what was before")
    dialog.close()


@pytest.mark.usefixtures("large")
def test_backend_killed_midway(shown: Screen, dialog: Filter, profile: Profile) -> None:
    before = state(shown)
    dialog.begin()
    os.kill(json.loads(profile.connection.read_text("utf-8"))["pid"], 9)
    time.sleep(1)
    shown.shot("killed")
    assert shown.windows(f"^{TITLE}"), "the dialog has gone"
    dialog.press("Cancel")
    shown.until(lambda: dialog.widget("button", "OK").sensitive, "OK, to be pressed again")
    dialog.close()
    assert state(shown) == before
    dialog.open()
    dialog.press("Cancel")
    dialog.gone()


@pytest.mark.usefixtures("large")
def test_cancel_while_the_backend_hangs(shown: Screen, dialog: Filter, profile: Profile) -> None:
    """The work stops and the dialog goes though nothing answers; afterwards all is as it was."""
    in_gimp(shown, "Gimp.Selection.none(image)\nTrue")
    before = state(shown)
    dialog.begin()
    backend = json.loads(profile.connection.read_text("utf-8"))["pid"]
    os.kill(backend, signal.SIGSTOP)
    try:
        dialog.press("Cancel")
        shown.until(lambda: dialog.widget("button", "OK").sensitive, "OK, to be pressed again", 5)
        dialog.close()
    finally:
        os.kill(backend, signal.SIGCONT)
    assert state(shown) == before
    assert in_gimp(shown, "night(image, image.get_layers()[0], **PLAIN).get_name()")
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")


@pytest.mark.usefixtures("large")
def test_layer_removed_while_its_night_is_made(shown: Screen, dialog: Filter) -> None:
    """The dialog says so and stays, with all that was chosen in it."""
    in_gimp(
        shown,
        "Gimp.Selection.none(image)\nlayer = image.get_layers()[0].copy()\n"
        "image.insert_layer(layer, None, 0)\nimage.set_selected_layers([layer])",
    )
    dialog.begin()
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")
    left = state(shown)["layers"]
    shown.until(
        lambda: [w for w in shown.widgets(TITLE) if "was removed" in (w.text or w.name)],
        *("sentence", 90),
    )
    assert dialog.widget("button", "OK").sensitive
    assert state(shown)["layers"] == left
    dialog.close()


def test_layer_removed_under_the_dialog(shown: Screen, dialog: Filter) -> None:
    """OK says so at once, and is there for another try once the layer is back."""
    in_gimp(shown, "Gimp.Selection.none(image)\nTrue")
    in_gimp(shown, "add_photo(image)\nimage.set_selected_layers(image.get_layers()[:1])")
    dialog.open()
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")
    left = state(shown)["layers"]
    dialog.press("OK")
    said = shown.until(
        lambda: [w.text or w.name for w in shown.widgets() if "was removed" in (w.text or w.name)],
        "sentence",
    )
    shown.shot("removed")
    texts = [w.text or w.name for w in shown.widgets()]
    assert said[0].endswith("try again.")
    assert not [text for text in texts if "gimp-" in text or "invalid ID" in text]
    assert state(shown)["layers"] == left
    shown.front("GIMP$")
    shown.key("ctrl+z")
    shown.until(lambda: len(state(shown)["layers"]) == len(left) + 1, "the layer again")
    shown.front(f"^{TITLE}")
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(state(shown)["layers"]) == len(left) + 2, "its night")
    in_gimp(shown, "[image.remove_layer(one) for one in image.get_layers()[:2]]\nTrue")


def test_no_backend(shown: Screen, dialog: Filter, profile: Profile) -> None:
    before = state(shown)
    profile.end_backend()
    shown.until(lambda: not profile.connection.exists(), "end of the backend")
    profile.install("no-such-program-anywhere", "serve")
    try:
        shown.front("GIMP$")
        shown.menu(*MENU)
        said = shown.until(
            lambda: next(
                (w for w in shown.widgets() if "cannot be started" in (w.text or w.name)), None
            ),
            "sentence",
        )
        shown.shot("no-backend")
        assert "install/gimp.sh" in (said.text or said.name)
        if shown.windows(f"^{TITLE}"):
            dialog.press("Cancel")
            dialog.gone()
        assert state(shown) == before
    finally:
        profile.install()


def test_greyed_out_where_it_cannot_work(shown: Screen) -> None:
    in_gimp(shown, "add_photo(image, name='second')\nTrue")
    in_gimp(shown, "image.set_selected_layers(image.get_layers())\nTrue")
    try:
        time.sleep(0.5)
        shown.front("GIMP$")
        shown.press(shown.widget("GIMP", "menu", MENU[0]))
        x, y = shown.widget("GIMP", "menu", MENU[1]).middle
        shown.run("xdotool", "mousemove", str(x - 5), str(y), "mousemove", str(x), str(y))
        item = shown.widget("GIMP", "menu item", MENU[2])
        shown.shot("two-layers")
        shown.key("Escape", "Escape", "Escape")
        assert not item.sensitive
    finally:
        in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")
