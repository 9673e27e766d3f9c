"""How fast GIMP's dialog is to the eye, with a large photo.

    CI=true python -m tests.benchmarks.dialog [--megapixels 24]

Times are from the key or the wheel to other pixels on the screen, the whole way: GTK, plug-in,
socket, backend, repaint. Frames are those that differ from the one before while the photo is
dragged or zoomed; the screen is looked at some thousand times a second.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gimp.filter import TITLE, Filter, draw, in_gimp
from tests.gimp.gimp import build
from tests.gimp.plugin import a_profile
from tests.gimp.window import Screen, dumped, screen

ROOM = (1920, 1080)
TIMES = 15
STILL = 2.0  # seconds without another frame
STEPS, PAUSE = 90, 0.012  # of a drag
NOTCHES = 10  # of the wheel, fewer than from all of the photo to the most


class Watched:
    """The part of the screen where the photo is, and when it changed."""

    def __init__(self, shown: Screen, place: tuple[int, int, int, int]) -> None:
        self._shown, self._place = shown, place
        self.changes: list[float] = []

    def look(self) -> bytes:
        """What is there, thinned out."""
        x, y, width, height = self._place
        pixels = dumped(self._shown.pixels.read_bytes())
        return pixels[y : y + height : 7, x : x + width : 5].tobytes()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note every change meanwhile, and until nothing has changed for a while."""
        self.changes, over = [], threading.Event()
        last = self.look()

        def watch() -> None:
            nonlocal last
            while not over.is_set() or time.monotonic() - (self.changes or [began])[-1] < STILL:
                if (now := self.look()) != last:
                    last = now
                    self.changes.append(time.monotonic())

        began = time.monotonic()
        thread = threading.Thread(target=watch)
        thread.start()
        yield
        over.set()
        thread.join()

    def delays(self, act: Callable[[], object]) -> tuple[float, float]:
        """Seconds from an act to the first and to the last change."""
        began = time.monotonic()
        with self.watching():
            act()
        return self.changes[0] - began, self.changes[-1] - began

    def frames(self, act: Callable[[], object]) -> float:
        """Frames a second during an act."""
        with self.watching():
            began = time.monotonic()
            act()
            ended = time.monotonic()
        return sum(began < at <= ended for at in self.changes) / (ended - began)


def measure(shown: Screen) -> None:
    """Print all figures of one GIMP."""
    dialog = Filter(shown)
    dialog.open()
    dialog.maximise()
    place = dialog.widget("panel", "Preview").place
    watched = Watched(shown, place)
    middle = place[0] + place[2] // 2, place[1] + place[3] // 2
    row = dialog.widget("spin button", "Night brightness").place
    sliders = [w for w in shown.widgets(TITLE) if w.role == "slider" and w.place[1] == row[1]]
    shown.press(sliders[0])
    time.sleep(STILL)
    # The second picture, with the real pixels of what is seen, comes later.
    first = [watched.delays(lambda: shown.run("xdotool", "key", "Left"))[0] for _ in range(TIMES)]
    print(f"slider to preview: {_shown(first)}")
    shown.run("xdotool", "mousemove", *map(str, middle))
    last = []
    for _ in range(3):
        last.append(watched.delays(lambda: shown.run("xdotool", "key", "1"))[1])
        shown.run("xdotool", "key", "0")
        time.sleep(STILL)
    print(f"key 1 to the last of the real pixels: {_shown(last)}")
    shown.run("xdotool", "key", "1")
    time.sleep(STILL)
    drag = ["mousemove_relative", "--", "3", "2", "sleep", str(PAUSE)] * STEPS
    words = ("mousemove", *map(str, middle), "mousedown", "2", *drag, "mouseup", "2")
    rate = watched.frames(lambda: shown.run("xdotool", *words))
    print(f"dragged at 100 %: {rate:.0f} frames a second")
    time.sleep(STILL)
    shown.run("xdotool", "key", "0")
    time.sleep(STILL)
    wheel = [f"click --repeat {NOTCHES} --delay 16 {way}".split() for way in ("4", "5")]
    words = tuple(word for click in wheel * 3 for word in click)  # in and out again
    rate = watched.frames(lambda: shown.run("xdotool", *words))
    print(f"zoomed by the wheel: {rate:.0f} frames a second")
    dialog.close()


def _shown(seconds: list[float]) -> str:
    return f"median {1e3 * statistics.median(seconds):.0f} ms, most {1e3 * max(seconds):.0f}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=24)
    options = parser.parse_args()
    with a_profile() as profile, tempfile.TemporaryDirectory() as artifacts:
        photo = profile.folder / "photo.png"
        draw(photo)
        with screen(build(), profile, Path(artifacts), photo, room=ROOM) as shown:
            side = (options.megapixels * 1e6 / 1.5) ** 0.5
            in_gimp(shown, f"image.scale({round(1.5 * side)}, {round(side)})\nTrue")
            measure(shown)


if __name__ == "__main__":
    main()
