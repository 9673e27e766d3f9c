"""The backend of another computer, chosen in the window "Backend" of a real GIMP 3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gimp.filter import LARGE, MENU, TITLE, Filter, in_gimp, layers, state
from tests.gimp.gimp import Gimp
from tests.gimp.plugin import a_profile
from tests.gimp.window import Screen
from tests.server.backend import Place, until
from tests.server.elsewhere import Elsewhere, elsewhere
from tests.server.line import Line

RATE = 4e6  # bytes a second
CLOSED = "tcp://127.0.0.1:9"  # where nobody listens


@pytest.fixture(scope="module")
def both() -> Iterator[Elsewhere]:
    with elsewhere() as both:
        yield both


def came(both: Elsewhere, name: str) -> bool:
    return any(f"{name!r} came from" in both.server.log for _ in until(5))


def test_a_script_works_where_the_dialog_was_told_to(gimp: Gimp, both: Elsewhere) -> None:
    with a_profile() as profile:
        own = Place(profile.folder)
        for name in ("studio", "gone"):
            added = own.command("remote", "add", both.invitation("--name", name), "--name", name)
            assert added.returncode == 0, added.stderr
        noted = profile.folder / "state" / "remote" / "remotes.json"
        text = noted.read_text("utf-8")
        entries = text.rpartition('"name": "gone"')
        moved = entries[2].replace(f"tcp://127.0.0.1:{both.port}", CLOSED)
        noted.write_text("".join((*entries[:2], moved)), "utf-8")
        code = """
import json, os
from pathlib import Path
from cases import record, run
from scene import *

def choose(name):
    (Path(Gimp.directory()) / "nightflash.json").write_text(json.dumps({"computer": name}))
    return make_image()

image = choose("studio")
run("there", lambda: adds_night(image, add_photo(image), **PLAIN))
here = Path(os.environ["NIGHTFLASH_RUNTIME_DIR"], "connection.json")
record("backend", here=here.exists())
image = choose("gone")
record("gone", said=refuses(image, add_photo(image), **PLAIN))
image = choose("forgotten")
run("here", lambda: adds_night(image, add_photo(image), **PLAIN))
"""
        ran = gimp.batch(code, profile.gimp, profile.variables)
    assert not ran.of("there")["fault"], ran.of("there")["fault"]
    assert ran.of("backend")["here"] is False
    assert came(both, "studio")
    assert ran.of("gone")["said"].startswith(f"gone does not answer at {CLOSED}.")
    assert ran.of("gone")["said"].endswith("This computer.")
    assert not ran.of("here")["fault"], ran.of("here")["fault"]


def texts(shown: Screen) -> str:
    return " ".join(w.text or w.name for w in shown.widgets("Backend"))


def said(shown: Screen, words: str, seconds: float = 60) -> None:
    shown.until(lambda: words in texts(shown), words, seconds)


def choose(shown: Screen, computer: str) -> None:
    """Choose a computer in the window "Backend"."""
    shown.press(shown.widget("Backend", "combo box"))
    at = None
    while at != (now := shown.widget("", "menu item", computer)):
        at = now
    shown.press(at)
    shown.until(
        lambda: shown.widget("Backend", "combo box").name.startswith(computer), "the choice"
    )


def opened(dialog: Filter) -> None:
    dialog.press("Backend")
    dialog.shown.widget("Backend", "combo box")


def closed(shown: Screen) -> None:
    shown.press(shown.widget("Backend", "button", "Close"))
    shown.until(lambda: not shown.windows("^Backend$"), "end of the window")


def add_studio(shown: Screen, code: str) -> None:
    shown.press(shown.widget("Backend", "button", "Add"))
    shown.until(lambda: shown.windows("^Add a computer$"), "a question for the code")
    shown.type(code)
    shown.key("Tab")
    shown.type("studio")
    shown.shot("add-computer")
    shown.key("Return")


def cut_soon(line: Line) -> None:
    """Have it break while megabytes travel; looks alone are smaller."""
    line.cut_after = line.up + line.down + 4_000_000


@pytest.mark.usefixtures("large")
def test_chosen_used_cut_off_and_left(shown: Screen, dialog: Filter, both: Elsewhere) -> None:
    before = state(shown)
    dialog.open()
    with Line(both.port, RATE) as line:
        opened(dialog)
        add_studio(shown, "nightflash-nonsense")
        said(shown, "This is no invitation.")
        address = ("--address", f"tcp://127.0.0.1:{line.port}")
        add_studio(shown, both.invitation("--name", "gimp", *address))
        said(shown, "studio lets this computer in.")
        cut_soon(line)
        dialog.widget("label", "Sending the picture", 60)
        shown.shot("sending")
        said(shown, f"process {both.server.pid()}")
        shown.press(shown.widget("Backend", "button", "Test"))
        said(shown, "Mbit/s.")
        shown.shot("computer-chosen")
        closed(shown)
        assert came(both, "gimp")
        dialog.widget("label", "Lit")
        dialog.fast()
        shown.until(lambda: line.cuts == 1, "a line that breaks while the photo is sent", 60)
        cut_soon(line)
        dialog.press("OK")
        dialog.gone(120)
        shown.until(lambda: len(layers(shown)) == 2, "new layer")
        assert line.cuts == 2, "and while the night comes"
        assert line.up < 1.2 * LARGE[0] * LARGE[1] * 3, "the photo went there twice"
        in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")
        in_gimp(shown, "image.set_selected_layers(image.get_layers())\nTrue")
    assert state(shown) == before

    shown.front("GIMP$")
    shown.menu(*MENU)  # the line has gone, and the choice was kept
    shown.until(
        lambda: [w for w in shown.widgets(TITLE) if "studio does not answer" in (w.text or "")],
        "a sentence",
        60,
    )
    shown.shot("computer-gone")
    opened(dialog)
    said(shown, "Backend… > This computer.")
    choose(shown, "This computer")
    dialog.widget("label", "Lit")
    choose(shown, "studio")
    shown.press(shown.widget("Backend", "button", "Remove"))
    shown.widget("", "label", "Forget studio")
    shown.key("Return")
    shown.until(
        lambda: shown.widget("Backend", "combo box").name == "This computer", "this computer"
    )
    said(shown, "Ready")
    closed(shown)
    dialog.close()
    assert state(shown) == before
