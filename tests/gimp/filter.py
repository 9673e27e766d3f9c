"""The filter in a GIMP on a screen, as a user works with it; screenshots are kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.gimp.window import Screen, Widget

TITLE = "Night with Flash"
MENU = ("Filters", "Light and Shadow", TITLE)
SIZE = (480, 320)
LARGE = (2400, 1600)  # of the photo, where it must be large
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


class Filter:
    """The filter's dialog on a screen."""

    def __init__(self, shown: Screen) -> None:
        self.shown = shown

    def open(self) -> None:
        """Call it from the menu and wait for the first preview."""
        self.shown.front("GIMP$")
        self.shown.menu(*MENU)
        self.shown.until(lambda: self.shown.windows(f"^{TITLE}"), "dialog")
        self.shown.widget(TITLE, "label", "Lit", seconds=60)
        self.shown.run("xdotool", "mousemove", "5", "5")  # no tooltip is in the way

    def close(self) -> None:
        """Cancel, and wait until it has gone."""
        self.press("Cancel")
        self.gone()

    def maximise(self) -> None:
        """Click twice at the title."""
        x, y, width, _height = self.widget("dialog").place
        self.shown.run("xdotool", "mousemove", str(x + width // 2), str(y + 10))
        self.shown.run("xdotool", "click", "--repeat", "2", "--delay", "60", "1")
        time.sleep(0.5)

    def widget(self, role: str, name: str = "", seconds: float = 20) -> Widget:
        return self.shown.widget(TITLE, role, name, seconds)

    def press(self, name: str, role: str = "button") -> None:
        self.shown.press(self.widget(role, name))

    def gone(self, seconds: float = 60) -> None:
        """Wait until the dialog has closed."""
        self.shown.until(lambda: not self.shown.windows(f"^{TITLE}"), "end of the dialog", seconds)

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
        to = x + round(8 + share * (width - 16))  # its info goes where the button is pressed
        words = ["mousemove", str(to - 9), str(y + height // 2), "mousedown", "1"]
        words += ["mousemove_relative", "--", "5", "0", "mousemove_relative", "--", "4", "0"]
        before = self.widget("spin button", name).value
        for _ in range(2):  # a list that has just closed swallows a press
            self.shown.run("xdotool", *words, "mouseup", "1")
            if self.widget("spin button", name).value != before:
                return

    def begin(self) -> None:
        """Open the dialog and have it render in the best quality, until that has begun."""
        self.open()
        self.best()
        self.render()

    def render(self) -> None:
        """Press OK, until the work has begun."""
        self.press("OK")
        self.shown.until(lambda: (self.widget("progress bar").value or 0) > 0.001, "progress", 60)

    def best(self) -> None:
        """Choose the quality that takes longest, whatever was used last."""
        self._choose_quality("Fast", "Best")

    def fast(self) -> None:
        """Choose the quality that takes the least at full size."""
        self._choose_quality("Best", "Fast")

    def _choose_quality(self, other: str, wanted: str) -> None:
        if any(w.name == other for w in self.shown.widgets(TITLE) if w.role == "combo box"):
            self.choose(other, wanted)

    def values(self) -> dict[str, float | str | None]:
        """What every slider, number and choice is at, by name and place in the order."""
        kinds = ("slider", "spin button", "combo box")
        widgets = [w for w in self.shown.widgets(TITLE) if w.role in kinds]
        return {
            f"{n} {w.role}": w.name if w.role == "combo box" else w.value
            for n, w in enumerate(widgets)
        }

    def preset(self) -> str:
        """What the choice of presets, the highest of all choices, shows."""
        boxes = [w for w in self.shown.widgets(TITLE) if w.role == "combo box"]
        return min(boxes, key=lambda w: w.place[1]).name

    def choose(self, combo: str, item: str) -> None:
        """Choose from the box that shows ``combo`` now."""
        self.press(combo, "combo box")
        at = None
        while at != (now := self.shown.widget("", "menu item", item)):  # the list still moves
            at = now
        self.shown.press(at)
        self.shown.until(lambda: not self._listed(item), "end of the list")  # it has the mouse

    def _listed(self, item: str) -> bool:
        return any(w.role == "menu item" and w.name == item for w in self.shown.widgets())

    def unfold(self, group: str) -> None:
        """Open or close a group of settings."""
        x, y, _width, height = self.widget("toggle button", group).place
        self.shown.click(x + 25, y + height // 2)


def in_gimp(shown: Screen, code: str) -> Any:
    """The value of an expression inside GIMP, where ``image`` is the open one."""
    lines = code.splitlines()
    script = "\n".join(
        [
            "from cases import record",
            "from scene import *",
            "image = Gimp.get_images()[0]",
            *lines[:-1],
            f"record('value', value={lines[-1]})",
        ]
    )
    return shown.inside(script)[0]["value"]


def state(shown: Screen) -> dict[str, Any]:
    found = in_gimp(shown, "state(image)")
    assert isinstance(found, dict)
    return found


def layers(shown: Screen) -> list[str]:
    return [str(layer["name"]) for layer in state(shown)["layers"]]


def distances(picture: npt.NDArray[np.int16], place: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Of each of the outline's pixels, orange and maybe scaled, from a point of the photo."""
    red, green, blue = (picture[..., channel] for channel in range(3))
    hue = (0.55 * red < green) & (green < 0.85 * red)  # between the red object and the lit ground
    orange = (red > 180) & hue & (blue < red - 110)
    rows, columns = np.nonzero(orange)
    scale = picture.shape[1] / SIZE[0]
    found: npt.NDArray[np.float64] = np.hypot(columns / scale - place[0], rows / scale - place[1])
    return found


def distance(picture: npt.NDArray[np.int16], place: tuple[int, int]) -> float:
    """Mean distance of the outline's pixels from a point of the photo."""
    found = distances(picture, place)
    assert len(found) > 50, "there is no outline"
    return float(found.mean())


def hits(dialog: Filter, place: tuple[int, int]) -> bool:
    """Whether the outline is about the object there."""
    picture = dialog.preview("aimed", 2)
    other = LEFT if place == RIGHT else RIGHT
    return distance(picture, place) < 110 < distance(picture, other)
