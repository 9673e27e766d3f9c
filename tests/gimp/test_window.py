"""The filter in a real GIMP 3 with its windows, used like a user does; screenshots are kept."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.gimp.gimp import Gimp
from tests.gimp.plugin import Profile, a_profile
from tests.gimp.window import PROGRAMS, Screen, Widget, screen

TITLE = "Night with Flash"
MENU = ("Filters", "Light and Shadow", TITLE)
SIZE = (480, 320)
LEFT, RIGHT = (130, 190), (350, 190)  # middles of the two objects
LAST = "GimpProcedureConfigRun-plug-in-nightflash.last"


def draw(path: Path) -> None:
    """A photo of two objects before a sky and a ground."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    rgb = np.where(y[..., None] < 130, (130, 170, 220), (110, 95, 70)).astype(float)
    for (left, top), colour in ((LEFT, (200, 70, 50)), (RIGHT, (60, 150, 70))):
        rgb[((x - left) / 60) ** 2 + ((y - top) / 80) ** 2 < 1] = colour
    rgb += np.random.default_rng(3).normal(0, 5, rgb.shape)
    Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept: in the folder NIGHTFLASH_ARTIFACTS, else among pytest's own."""
    named = os.environ.get("NIGHTFLASH_ARTIFACTS")
    folder = Path(named).absolute() / "gimp" if named else tmp_path_factory.mktemp("gimp")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def profile(gimp: Gimp) -> Iterator[Profile]:
    with a_profile() as profile:
        yield profile


@pytest.fixture(scope="module")
def shown(gimp: Gimp, profile: Profile, artifacts: Path) -> Iterator[Screen]:
    if not gimp.has(*PROGRAMS):
        pytest.skip(f"one of {', '.join(PROGRAMS)} is not here")
    photo = profile.folder / "photo.png"
    draw(photo)
    with screen(gimp, profile, artifacts, photo) as shown:
        yield shown


class Filter:
    """The filter's dialog on a screen."""

    def __init__(self, shown: Screen) -> None:
        self.shown = shown

    def open(self) -> None:
        """Call it from the menu and wait for the first preview."""
        self.shown.front("GIMP$")
        self.shown.menu(*MENU)
        self.shown.until(lambda: self.shown.windows(f"^{TITLE}$"), "dialog")
        self.shown.widget(TITLE, "label", "Lit", seconds=60)
        self.shown.run("xdotool", "mousemove", "5", "5")  # no tooltip is in the way

    def widget(self, role: str, name: str = "") -> Widget:
        return self.shown.widget(TITLE, role, name)

    def press(self, name: str, role: str = "button") -> None:
        self.shown.press(self.widget(role, name))

    def gone(self, seconds: float = 60) -> None:
        """Wait until the dialog has closed."""
        self.shown.until(lambda: not self.shown.windows(f"^{TITLE}$"), "end of the dialog", seconds)

    def preview(self, name: str, times: int = 1) -> npt.NDArray[np.int16]:
        """What the preview shows, once it is the same so many times."""
        x, y, width, height = self.widget("icon").place
        self.shown.run("xdotool", "mousemove", "5", "5")
        shots = [self.shown.shot(name)[y : y + height, x : x + width] for _ in range(times)]
        same = all(np.array_equal(shots[0], shot) for shot in shots)
        return shots[-1].astype(np.int16) if same else self.preview(name, times)

    def changed(self, before: npt.NDArray[np.int16], name: str) -> npt.NDArray[np.int16]:
        """Wait until the preview is another than before, and still."""

        def look() -> list[npt.NDArray[np.int16]] | None:
            now = self.preview(name, 2)
            differs = now.shape != before.shape or (np.abs(now - before) > 9).sum() > 500
            return [now] if differs else None

        return self.shown.until(look, f"change of the preview ({name})")[0]

    def click_photo(self, place: tuple[int, int]) -> None:
        """Click at a point of the photo in the preview."""
        x, y, width, height = self.widget("icon").place
        self.shown.click(x + place[0] * width // SIZE[0], y + place[1] * height // SIZE[1])

    def drag(self, name: str, share: float) -> None:
        """Drag the slider of a setting to a share of its length."""
        row = self.widget("spin button", name).place
        widgets = self.shown.widgets(TITLE)
        slider = next(w for w in widgets if w.role == "slider" and w.place[1] == row[1])
        x, y, width, height = slider.place
        to = x + round(8 + share * (width - 16))  # its knob goes where the button is pressed
        words = ["mousemove", str(to - 9), str(y + height // 2), "mousedown", "1"]
        words += ["mousemove_relative", "--", "5", "0", "mousemove_relative", "--", "4", "0"]
        self.shown.run("xdotool", *words, "mouseup", "1")

    def best(self) -> None:
        """Choose the quality that takes longest."""
        if any(w.name == "fast" for w in self.shown.widgets(TITLE) if w.role == "combo box"):
            self.choose("fast", "Best")

    def choose(self, combo: str, item: str) -> None:
        """Choose from the box that shows ``combo`` now."""
        self.press(combo, "combo box")
        self.shown.press(self.shown.widget("", "menu item", item))


@pytest.fixture
def dialog(shown: Screen) -> Iterator[Filter]:
    """The filter, whose dialog is closed at the end however the test ends."""
    dialog = Filter(shown)
    yield dialog
    for _ in range(3):
        if not shown.windows(f"^{TITLE}$"):
            break
        shown.front(f"^{TITLE}$")
        shown.key("Escape")
        time.sleep(2)


def in_gimp(shown: Screen, code: str) -> Any:
    """The value of an expression inside GIMP, where ``image`` is the open one."""
    lines = code.splitlines()
    script = "\n".join(
        [
            "from cases import tell",
            "from scene import *",
            "image = Gimp.get_images()[0]",
            *lines[:-1],
            f"tell('value', value={lines[-1]})",
        ]
    )
    return shown.inside(script)[0]["value"]


def state(shown: Screen) -> dict[str, Any]:
    found = in_gimp(shown, "state(image)")
    assert isinstance(found, dict)
    return found


def layers(shown: Screen) -> list[str]:
    return [str(layer["name"]) for layer in state(shown)["layers"]]


def distance(picture: npt.NDArray[np.int16], place: tuple[int, int]) -> float:
    """Mean distance of the outline's pixels (orange) from a point of the photo."""
    red, green, blue = (picture[..., channel] for channel in range(3))
    rows, columns = np.nonzero((red > 220) & (green > 130) & (green < 210) & (blue < 90))
    assert len(rows) > 50, "there is no outline"
    scale = picture.shape[1] / SIZE[0]
    return float(np.hypot(columns / scale - place[0], rows / scale - place[1]).mean())


def test_menu_to_layer_and_back(shown: Screen, dialog: Filter, artifacts: Path) -> None:
    """Select, call, move a slider, aim, OK: a layer; and one undo brings all of it back."""
    in_gimp(shown, f"image.select_ellipse(2, {LEFT[0] - 55}, {LEFT[1] - 75}, 110, 150)")
    before = state(shown)
    shown.shot("1-photo")
    dialog.open()
    first = dialog.preview("2-dialog")
    assert distance(first, LEFT) < 110 < distance(first, RIGHT)

    dialog.drag("Ambient", 0.95)
    brighter = dialog.changed(first, "3-brighter")
    assert brighter.mean() > first.mean() + 10
    dialog.drag("Ambient", 0.5)
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

    dialog.choose("best", "Fast")
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
    dialog.choose("one", "A group of two")
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
    dialog.drag("Ambient", 0.8)
    if any(w.name == "parts" for w in shown.widgets(TITLE) if w.role == "combo box"):
        dialog.choose("parts", "One layer")
    chosen = dialog.widget("spin button", "Ambient").value
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 2, "new layer")
    in_gimp(shown, "image.set_selected_layers([image.get_layers()[1]])")
    shown.front("GIMP$")
    shown.key("ctrl+f")
    shown.until(lambda: len(layers(shown)) == 3, "second layer")
    assert not shown.windows(f"^{TITLE}$")
    first, second, _photo = state(shown)["layers"]
    assert first["pixels"] == second["pixels"]
    in_gimp(shown, "[image.remove_layer(layer) for layer in image.get_layers()[:2]]\nTrue")
    dialog.open()
    assert dialog.widget("spin button", "Ambient").value == chosen
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
    boxes = [w for w in shown.widgets(TITLE) if w.role == "combo box"]
    shown.press(next(w for w in boxes if not w.name))  # of presets
    shown.press(shown.widget("", "menu item", "Street"))
    warm = shown.until(
        lambda: 2000 < (dialog.widget("spin button", "Ambient temp").value or 0) < 4000, "street"
    )
    assert warm
    shown.shot("preset")
    dialog.press("Cancel")
    dialog.gone()


def test_cancel_at_once(shown: Screen, dialog: Filter) -> None:
    before = state(shown)
    dialog.open()
    dialog.drag("Ambient", 0.9)
    dialog.press("Cancel")
    dialog.gone(5)
    assert state(shown) == before


@pytest.fixture
def large(shown: Screen) -> Iterator[None]:
    """The photo is large meanwhile, so that a render takes long."""
    in_gimp(shown, "image.scale(2400, 1600)")
    yield
    in_gimp(shown, f"image.scale({SIZE[0]}, {SIZE[1]})")


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("how", ["Cancel", "Escape", "close"])
def test_cancel_midway(shown: Screen, dialog: Filter, profile: Profile, how: str) -> None:
    """Cancel while it renders: nothing has changed, and the same backend goes on."""
    before = state(shown)
    dialog.open()
    dialog.best()
    backend = json.loads(profile.connection.read_text("utf-8"))["pid"]
    dialog.press("OK")
    shown.until(lambda: (dialog.widget("progress bar").value or 0) > 0.001, "progress", 60)
    shown.shot(f"midway-{how}")
    started = time.monotonic()
    if how == "Cancel":
        dialog.press("Cancel")
    elif how == "Escape":
        shown.front(f"^{TITLE}$")
        shown.key("Escape")
    else:
        shown.front(f"^{TITLE}$")
        shown.key("alt+F4")
    dialog.gone(15)
    print(f"stopped after {time.monotonic() - started:.1f} s")
    assert state(shown) == before
    assert json.loads(profile.connection.read_text("utf-8"))["pid"] == backend
    assert in_gimp(shown, "night(image, image.get_layers()[0], **PLAIN).get_name()")
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")


@pytest.mark.usefixtures("large")
def test_backend_killed_midway(shown: Screen, dialog: Filter, profile: Profile) -> None:
    before = state(shown)
    dialog.open()
    dialog.best()
    dialog.press("OK")
    shown.until(lambda: (dialog.widget("progress bar").value or 0) > 0.001, "progress", 60)
    os.kill(json.loads(profile.connection.read_text("utf-8"))["pid"], 9)
    time.sleep(1)
    shown.shot("killed")
    assert shown.windows(f"^{TITLE}$"), "the dialog has gone"
    dialog.press("Cancel")
    dialog.gone()
    assert state(shown) == before
    dialog.open()
    dialog.press("Cancel")
    dialog.gone()


@pytest.mark.usefixtures("large")
def test_cancel_while_the_backend_hangs(shown: Screen, dialog: Filter, profile: Profile) -> None:
    """The dialog goes though nothing answers; afterwards all is as it was."""
    before = state(shown)
    dialog.open()
    dialog.best()
    backend = json.loads(profile.connection.read_text("utf-8"))["pid"]
    dialog.press("OK")
    shown.until(lambda: (dialog.widget("progress bar").value or 0) > 0.001, "progress", 60)
    os.kill(backend, signal.SIGSTOP)
    try:
        dialog.press("Cancel")
        dialog.gone()
    finally:
        os.kill(backend, signal.SIGCONT)
    assert state(shown) == before
    assert in_gimp(shown, "night(image, image.get_layers()[0], **PLAIN).get_name()")
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")


def test_layer_removed_under_the_dialog(shown: Screen, dialog: Filter) -> None:
    """OK tells it in a sentence, and GIMP says nothing of its own."""
    in_gimp(shown, "add_photo(image)\nimage.set_selected_layers(image.get_layers()[:1])")
    dialog.open()
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")
    left = state(shown)["layers"]
    dialog.choose("best", "Fast")
    dialog.press("OK")
    dialog.gone()
    said = shown.until(
        lambda: [w.text or w.name for w in shown.widgets() if "was removed" in (w.text or w.name)],
        "sentence",
    )
    shown.shot("removed")
    told = [w.text or w.name for w in shown.widgets()]
    assert said[0].endswith("call the filter again.")
    assert not [text for text in told if "gimp-" in text or "invalid ID" in text]
    assert state(shown)["layers"] == left


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
        if shown.windows(f"^{TITLE}$"):
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
