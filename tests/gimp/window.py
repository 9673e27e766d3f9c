"""GIMP 3 with its windows on a screen of its own, looked at and worked with like a user does."""

from __future__ import annotations

import contextlib
import itertools
import json
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.gimp.gimp import INSIDE, RESULTS_VARIABLE, Gimp, running, started
from tests.gimp.plugin import Profile

PROGRAMS = ("Xvfb", "openbox", "xdotool", "dbus-run-session")
SCREEN = (1366, 900)
QUIET = """\
(show-welcome-dialog no)
(check-updates no)
(color-profile-policy keep)
"""
Found = TypeVar("Found")


@dataclass(frozen=True)
class Widget:
    """Something on the screen.

    Attributes:
        window: Title of the window it is in.
        role: Such as ``push button``.
        name: Its label.
        place: (x, y, width, height) on the screen.
        value: Of a slider.
        text: That it shows.
        sensitive: Whether it can be used.
        checked: Whether it is on.
    """

    window: str
    role: str
    name: str
    place: tuple[int, int, int, int]
    value: float | None
    text: str | None
    sensitive: bool
    checked: bool

    @property
    def middle(self) -> tuple[int, int]:
        x, y, width, height = self.place
        return x + width // 2, y + height // 2


@dataclass
class Screen:
    """A screen with GIMP on it.

    Attributes:
        gimp: Which GIMP.
        variables: Environment of whatever is shown there.
        remote: Folder of scripts for `inside`.
        artifacts: Folder of the screenshots.
        pixels: File that the display's pixels are in, as they are now.
        hands: A process with the variables, as ``inside/hands.py`` describes it.
    """

    gimp: Gimp
    variables: Mapping[str, str]
    remote: Path
    artifacts: Path
    pixels: Path
    hands: subprocess.Popen[str]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, *words: str) -> str:
        """Run a program that works with the screen; gives what it prints."""
        printed = self._done(run=words)
        assert isinstance(printed, str)
        return printed

    def _done(self, **wish: Any) -> Any:
        assert self.hands.stdin is not None
        assert self.hands.stdout is not None
        self.hands.stdin.write(json.dumps(wish) + "\n")
        self.hands.stdin.flush()
        return json.loads(self.hands.stdout.readline())

    def shot(self, name: str) -> npt.NDArray[np.uint8]:
        """Take a screenshot, which is kept; gives its pixels."""
        pixels = dumped(self.pixels.read_bytes())
        Image.fromarray(pixels).save(self.artifacts / f"{name}.png", compress_level=1)
        return pixels

    def windows(self, title: str) -> list[str]:
        """Numbers of the windows with this title, a regular expression."""
        return self.run("xdotool", "search", "--onlyvisible", "--name", title).split()

    def widgets(self, window: str = "") -> list[Widget]:
        """What is on the screen, in windows whose title has this in it."""
        dense = int(self.variables.get("GDK_SCALE", "1"))  # places are given as if it were 1
        return [
            Widget(**{**each, "place": tuple(dense * at for at in each["place"])})
            for each in self._done(widgets=window)
        ]

    def widget(self, window: str, role: str, name: str = "", seconds: float = 20) -> Widget:
        """The first widget of a role with this name, or one that begins so, once it is there."""

        def look() -> Widget | None:
            found = [w for w in self.widgets(window) if w.role == role]
            names = [w.name.replace("_", "") for w in found]
            if name in names:
                return found[names.index(name)]
            return next((w for w, n in zip(found, names, strict=True) if n.startswith(name)), None)

        return self.until(look, f"{role} {name!r} in {window!r}", seconds)

    def click(self, x: int, y: int, button: int = 1) -> None:
        self.run("xdotool", "mousemove", str(x), str(y), "click", str(button))

    def press(self, widget: Widget) -> None:
        """Click at the middle of a widget."""
        self.click(*widget.middle)

    def menu(self, *names: str) -> None:
        """Choose from GIMP's menus, by the beginnings of names."""
        self.press(self.widget("GIMP", "menu", names[0]))
        for name in names[1:-1]:
            x, y = self.widget("GIMP", "menu", name).middle
            self.run("xdotool", "mousemove", str(x - 5), str(y), "mousemove", str(x), str(y))
        self.press(self.widget("GIMP", "menu item", names[-1]))

    def key(self, *keys: str) -> None:
        self.run("xdotool", "key", *keys)

    def type(self, text: str) -> None:
        self.run("xdotool", "type", "--delay", "20", text)

    def focuses(self, *keys: str) -> list[Widget | None]:
        """What has the focus after each of these keys; None where a key moved it nowhere."""
        answer = self.run("/usr/bin/python3", str(INSIDE / "focus.py"), *keys)
        return [each and Widget(**each) for each in json.loads(answer or "[]")]

    def wheel(self, place: tuple[int, int], down: int) -> None:
        """Turn the wheel at a place, downwards or, where negative, up."""
        x, y = map(str, place)
        button = "5" if down > 0 else "4"
        self.run("xdotool", "mousemove", x, y, "click", "--repeat", str(abs(down)), button)

    def front(self, title: str) -> None:
        """Have the window with this title in front."""
        number = self.until(lambda: self.windows(title), f"window {title!r}")[-1]
        self.run("xdotool", "windowactivate", "--sync", number)

    def inside(self, code: str, seconds: float = 60) -> list[dict[str, Any]]:
        """Run code in GIMP, as `Gimp.batch` does; gives what it recorded."""
        name = f"{next(self._numbers):04}"
        results = Path(self.variables[RESULTS_VARIABLE])
        before = len(results.read_text("utf-8").splitlines())
        (self.remote / name).write_text(code, "utf-8")
        (self.remote / name).rename(self.remote / f"{name}.py")  # whole before it is seen

        def look() -> list[dict[str, Any]] | None:
            lines = results.read_text("utf-8").splitlines()[before:]
            answer = [json.loads(line) for line in lines]
            return answer if answer and answer[-1]["case"] == name else None

        answer = self.until(look, f"an answer to {code!r}", seconds)
        assert not answer[-1]["fault"], answer[-1]["fault"]
        return answer[:-1]

    def until(self, look: Callable[[], Found | None], what: str, seconds: float = 20) -> Found:
        """Look until there is something to see; a screenshot is kept where there is not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.1)
        self.shot("missing")
        titles = [w.window for w in self.widgets()]
        raise AssertionError(f"no {what} after {seconds:.0f} s; there are {sorted(set(titles))}")


def dumped(dump: bytes) -> npt.NDArray[np.uint8]:
    """The pixels (h, w, 3) of an X window dump of 32 bits a pixel, BGRX."""
    header = struct.unpack(">25I", dump[:100])
    size, width, height, stride, colours = (header[at] for at in (0, 4, 5, 12, 19))
    rows = np.frombuffer(dump, np.uint8, height * stride, size + 12 * colours)
    bgrx = rows.reshape(height, stride // 4, 4)[:, :width]
    return np.ascontiguousarray(bgrx[..., 2::-1])


@contextlib.contextmanager
def screen(
    gimp: Gimp,
    profile: Profile,
    artifacts: Path,
    *pictures: Path,
    more_rc: str = "",
    room: tuple[int, int] = SCREEN,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Screen]:
    """A screen with GIMP that has these pictures open; all of it ends at the end.

    Args:
        gimp, profile: Which GIMP, and its settings.
        artifacts: Folder of the screenshots.
        pictures: What is open.
        more_rc: Further lines of GIMP's preferences.
        room: Width and height of the screen.
        environment: More of its environment.
    """
    gimp.prepare(profile.gimp)
    (profile.gimp / "gimprc").write_text(gimp.preferences(QUIET + more_rc), "utf-8")
    artifacts.mkdir(parents=True, exist_ok=True)
    remote = profile.folder / "remote"
    remote.mkdir()
    results = remote / "results.jsonl"
    results.write_text("", "utf-8")
    more = {
        **profile.variables,
        RESULTS_VARIABLE: str(results),
        "NIGHTFLASH_TEST_REMOTE": str(remote),
        "GDK_BACKEND": "x11",
        "NO_AT_BRIDGE": "0",
        **(environment or {}),
    }
    variables = gimp.variables(profile.gimp, more)
    with contextlib.ExitStack() as stack:

        def start(*words: str, **options: Any) -> subprocess.Popen[str]:
            process = started(gimp.command(words), variables, **options)
            return stack.enter_context(process)

        size = f"{room[0]}x{room[1]}x24"
        options = ("-screen", "0", size, "-fbdir", str(remote), "-nocursor", "-r")
        # -r: a key pressed once is typed once, however busy the machine.
        server = start("Xvfb", "-displayfd", "1", *options, stderr=subprocess.DEVNULL)
        assert server.stdout is not None
        variables["DISPLAY"] = f":{server.stdout.readline().strip()}"
        output = stack.enter_context((artifacts / "gimp.log").open("w"))
        bus = start(
            *("dbus-run-session", "--", "sh", "-c"),
            'echo "$DBUS_SESSION_BUS_ADDRESS"; exec sleep infinity',
            stderr=subprocess.DEVNULL,
        )
        assert bus.stdout is not None
        variables["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        start("openbox", stdout=output)
        start(
            *(gimp.program, "-n", "-s", "--batch-interpreter=python-fu-eval"),
            *("-b", running(INSIDE / "remote.py"), *map(str, pictures)),
            stdout=output,
        )
        hands = start(
            *("/usr/bin/python3", "-B", str(INSIDE / "hands.py")),
            stdin=subprocess.PIPE,
            stderr=output,
        )
        shown = Screen(gimp, variables, remote, artifacts, remote / "Xvfb_screen0", hands)
        try:
            shown.inside("pass", seconds=90)
            yield shown
        except BaseException:
            shown.shot("fault")
            raise
        finally:
            (remote / "end").touch()
