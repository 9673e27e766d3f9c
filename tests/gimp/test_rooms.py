"""The dialog on small and on dense screens, in German, and from right to left; screenshots stay."""

from __future__ import annotations

import time
from collections.abc import Iterator, Set
from contextlib import contextmanager
from gettext import translation
from pathlib import Path

import pytest

from tests.gimp.filter import MENU, draw
from tests.gimp.gimp import Gimp
from tests.gimp.plugin import a_profile
from tests.gimp.window import PROGRAMS, Screen, Widget, screen
from tests.install.machine import CHECKOUT

SMALL = (1024, 700)
GERMAN = translation(
    "nightflash", CHECKOUT / "gimp_plugin/nightflash_filter/locale", ["de"]
).gettext
NO_BROWSER = GERMAN("No browser can be opened here, so this is the text of the page.")
FROM_RIGHT = """
_built = Dialog._build
def _build(self):
    Gtk.Widget.set_default_direction(Gtk.TextDirection.RTL)
    _built(self)
Dialog._build = _build
"""


@contextmanager
def dialog(
    gimp: Gimp,
    artifacts: Path,
    room: tuple[int, int],
    title: str = "Night with Flash",
    more: str = "",
    **environment: str,
) -> Iterator[Screen]:
    """GIMP with the filter's dialog; ``more`` is code at the end of its module."""
    if not gimp.has(*PROGRAMS):
        pytest.skip(f"one of {', '.join(PROGRAMS)} is not here")
    with a_profile() as profile:
        module = profile.gimp / "plug-ins" / "nightflash_filter" / "plugin" / "dialog.py"
        module.write_text(module.read_text("utf-8") + more, "utf-8")
        photo = profile.folder / "photo.png"
        draw(photo)
        with screen(gimp, profile, artifacts, photo, room=room, environment=environment) as shown:
            shown.front("GIMP$")
            shown.menu(*MENU[:-1], title)
            shown.until(lambda: shown.windows(f"^{title}: photo.png "), "dialog", 60)
            shown.until(lambda: lit(shown, title), "first preview", 90)
            shown.run("xdotool", "mousemove", "5", "5")
            yield shown


def lit(shown: Screen, title: str) -> list[Widget]:
    """Sentences that tell what is lit."""
    words = ("Lit", GERMAN("Lit: {}.").partition(":")[0])
    return [w for w in shown.widgets(title) if (w.text or "").startswith(words)]


def state_told(shown: Screen, window: str) -> list[Widget]:
    """Sentences that tell that the backend is ready."""
    return [w for w in shown.widgets(window) if (w.text or "").startswith(GERMAN("Ready"))]


def fits(
    shown: Screen, title: str, room: tuple[int, int], ends: Set[str] = frozenset(("OK", "Cancel"))
) -> list[Widget]:
    """All of the dialog is on the screen, and all that is pressed is in the dialog; gives it."""
    widgets = shown.widgets(title)
    window = next(w for w in widgets if w.role == "dialog").place
    assert window[0] >= 0
    assert window[1] >= 0
    assert window[0] + window[2] <= room[0], window
    assert window[1] + window[3] <= room[1], window
    kinds = ("button", "toggle button", "combo box", "slider", "spin button", "icon")
    pressed = [w for w in widgets if w.role in kinds]
    for widget in pressed:
        x, y, width, height = widget.place
        assert window[0] <= x, widget
        assert x + width <= window[0] + window[2], widget
        if widget.role not in ("slider", "spin button"):  # settings may be scrolled to
            assert y + height <= window[1] + window[3], widget
    names = {w.name.replace("_", "") for w in pressed}
    assert {end.replace("_", "") for end in ends} <= names
    return pressed


@pytest.mark.parametrize("room", [SMALL, (1366, 768), (1920, 1080)])
def test_it_fits_the_screen(gimp: Gimp, artifacts: Path, room: tuple[int, int]) -> None:
    title = "Night with Flash"
    with dialog(gimp, artifacts, room) as shown:
        shown.shot(f"room-{room[0]}")
        picture = next(w for w in fits(shown, title, room) if w.role == "icon").place
        assert picture[2] >= 300
        sliders = [w for w in shown.widgets(title) if w.role == "slider"]
        assert min(w.place[2] for w in sliders) >= 130


def test_twice_as_dense(gimp: Gimp, artifacts: Path) -> None:
    room = (2 * SMALL[0], 2 * SMALL[1])
    with dialog(gimp, artifacts, room, GDK_SCALE="2") as shown:
        shown.shot("room-dense")
        fits(shown, "Night with Flash", room)


def test_german_on_a_small_screen(gimp: Gimp, artifacts: Path) -> None:
    title = GERMAN("Night with Flash")
    with dialog(gimp, artifacts, SMALL, title, LANGUAGE="de") as shown:
        shown.shot("room-german")
        fits(shown, title, SMALL)
        texts = {w.text or w.name for w in shown.widgets(title)}
        assert "Helligkeit der Nacht (EV)" in texts
        assert GERMAN("Lit: {}.").format(GERMAN("the main object")) in texts
        lit_place = lit(shown, title)[0].place
        assert lit_place[2] >= 180, "the sentence is cut"
        sliders = [w for w in shown.widgets(title) if w.role == "slider"]
        assert min(w.place[2] for w in sliders) >= 130
        shown.press(shown.widget(title, "toggle button", GERMAN("More")))
        shown.shot("room-german-more")
        shown.press(shown.widget(title, "button", GERMAN("Backend…")))
        window = GERMAN("Backend")
        shown.widget(window, "combo box", GERMAN("This computer"))
        shown.until(lambda: state_told(shown, window), "the backend's state")
        fits(shown, window, SMALL, {GERMAN("_Add…"), GERMAN("_Close")})
        shown.shot("room-german-backend")
        shown.key("Escape")
        shown.until(lambda: not shown.windows(f"^{window}$"), "end of the window")
        shown.front(f"^{title}")
        shown.key("F1")
        shown.widget(GERMAN("Help"), "label", NO_BROWSER)
        shown.shot("room-german-help")


def test_from_right_to_left(gimp: Gimp, artifacts: Path) -> None:
    title = "Night with Flash"
    with dialog(gimp, artifacts, SMALL, more=FROM_RIGHT) as shown:
        shown.shot("room-from-right")
        pressed = fits(shown, title, SMALL)
        picture = next(w for w in pressed if w.role == "icon").place
        slider = next(w for w in pressed if w.role == "slider").place
        assert slider[0] + slider[2] <= picture[0], "the settings are not at the left"
        plain = shown.shot("room-from-right-plain")
        name = next(w for w in shown.widgets(title) if w.role == "label" and "(EV)" in w.name)
        shown.run("xdotool", "mousemove", *map(str, name.middle), "mousemove_relative", "1", "1")
        time.sleep(2)
        x, y, width, height = picture
        hidden = (shown.shot("room-from-right-tip") != plain)[y : y + height, x : x + width]
        assert not hidden.any(), "a tooltip lies over the picture"
