"""The filter's dialog in a real GIMP 3 by the keyboard alone: letters for Alt, focus, aim, help."""

from __future__ import annotations

import runpy

import numpy as np
from nightflash.settings import SETTING_INFO

from tests.gimp.filter import LEFT, RIGHT, SIZE, TITLE, Filter, hits
from tests.gimp.window import Screen, Widget
from tests.install.machine import CHECKOUT

LABELS: dict[str, str] = {name: info.label for name, info in SETTING_INFO.items()} | runpy.run_path(
    str(CHECKOUT / "gimp_plugin" / "nightflash_filter" / "plugin" / "labels.py")
)["LABELS"]
LETTERS = {name: label[label.index("_") + 1].lower() for name, label in LABELS.items()}
SWITCHES = ("flash", "ambient_off", "grain_off", "several")


def label_of(name: str) -> str:
    return SETTING_INFO[name].name if name in SETTING_INFO else LABELS[name].replace("_", "")


def test_every_setting_has_a_letter_of_its_own(shown: Screen, dialog: Filter) -> None:
    assert len(set(LETTERS.values())) == len(LETTERS)
    dialog.open()
    dialog.choose(dialog.preset(), "Flash at night")  # where every setting has an effect
    dialog.best()
    dialog.maximise()
    dialog.unfold("More")
    shown.until(lambda: dialog.widget("label", "Method"), "the group More")
    names = sorted(LETTERS, key=lambda name: name in SWITCHES)  # which the letters press
    found = shown.focuses(*(f"alt+{LETTERS[name]}" for name in names))
    for name, widget in zip(names, found, strict=True):
        assert widget is not None, f"the letter of {name} leads nowhere"
        assert widget.name.partition(":")[0] == label_of(name), widget
    shown.key(*(f"alt+{LETTERS[name]}" for name in SWITCHES))
    log = (shown.artifacts / "gimp.log").read_text("utf-8")
    assert "mnemonic" not in log
    dialog.close()


def test_a_letter_opens_the_group_that_it_leads_into(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    dialog.choose(dialog.preset(), "Flash at night")
    dialog.best()
    assert not [w for w in shown.widgets(TITLE) if w.name == label_of("method")]
    (widget,) = shown.focuses(f"alt+{LETTERS['method']}")
    shown.shot("letter")
    assert widget is not None
    assert widget.name.partition(":")[0] == label_of("method")
    shown.shot("letter")
    rest = dialog.widget("dialog").place
    assert contains(rest, widget)
    assert widget.middle[1] < dialog.widget("button", "OK").place[1], "it is not scrolled to"
    dialog.close()


def test_a_letter_switches_nothing_that_is_out_of_sight(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    if any(w.name == label_of("method") for w in shown.widgets(TITLE)):
        dialog.unfold("More")
    (widget,) = shown.focuses(f"alt+{LETTERS['flash']}")
    assert widget is not None
    assert widget.name == label_of("flash")
    assert widget.checked
    assert widget.middle[1] < dialog.widget("button", "OK").place[1], "it is not scrolled to"
    dialog.close()


def test_letters_leave_numbers_alone_and_return_takes_them(shown: Screen, dialog: Filter) -> None:
    """The letters of the picture work there, too; others do nothing."""
    dialog.open()
    dialog.best()  # where crispness has an effect
    before = dialog.widget("spin button", "Crispness").value
    shown.focuses(f"alt+{LETTERS['content']}")
    shown.key("o", "x", "Tab")
    assert dialog.widget("spin button", "Crispness").value == before
    assert not dialog.widget("check box", "Outline").checked
    shown.key("o")
    shown.focuses(f"alt+{LETTERS['content']}")
    shown.type("0.70")
    shown.until(lambda: dialog.widget("spin button", "Crispness").text == "0.70", "what is typed")
    shown.key("Return")
    shown.until(lambda: dialog.widget("spin button", "Crispness").value == 0.7, "the number")
    assert dialog.widget("button", "OK").sensitive, "Return pressed OK"
    shown.focuses(f"alt+{LETTERS['content']}")
    shown.key("BackSpace", "Tab")
    assert dialog.widget("spin button", "Crispness").value == 0.7
    dialog.close()


def test_help_without_a_browser(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    shown.key("F1")
    page = shown.widget("Help", "text", "Help")
    assert "Select the layer with the photo." in (page.text or "")
    assert "<" not in (page.text or "")
    assert "{" not in (page.text or "")
    shown.widget("Help", "label", "No browser")
    shown.shot("help")
    shown.key("Escape")
    shown.until(lambda: not shown.windows("^Help$"), "end of the help")
    dialog.close()


def test_the_focus_goes_where_something_is_seen(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    window = dialog.widget("dialog").place
    found = [widget for widget in shown.focuses(*["Tab"] * 45) if widget is not None]
    for widget in found:
        assert widget.name, widget
        assert widget.place[2] > 1, widget
        assert contains(window, widget), widget
    names = [w.name for w in found]
    assert "Preview" in names
    assert not {"Fall-off", "Method", "Light several objects"} & set(names)
    dialog.close()


def contains(window: tuple[int, int, int, int], widget: Widget) -> bool:
    x, y = widget.middle
    return window[0] <= x < window[0] + window[2] and window[1] <= y < window[1] + window[3]


def test_aiming_by_keys(shown: Screen, dialog: Filter) -> None:
    """Tab to the picture, arrows to the object, Enter; the mark and the focus are seen."""
    dialog.open()
    plain = dialog.preview("keys-before", 2)
    for _ in range(40):
        (widget,) = shown.focuses("Tab")
        if widget is not None and widget.name == "Preview":
            break
    marked = dialog.preview("keys-marked", 2)
    assert (np.abs(marked - plain).max(-1) > 60).sum() > 30, "there is no mark"
    width = dialog.widget("icon").place[2]
    for place in (LEFT, RIGHT):
        middle = SIZE[0] / 2 if place == LEFT else LEFT[0]
        away = round((place[0] - middle) * width / SIZE[0] / 10)
        down = round((LEFT[1] - SIZE[1] / 2) * width / SIZE[0] / 10) if place == LEFT else 0
        shown.key(*["Right" if away > 0 else "Left"] * abs(away), *["Down"] * down, "Return")
        shown.until(lambda at=place: hits(dialog, at), f"outline about {place}")
    assert shown.windows(f"^{TITLE}"), "Enter pressed OK"
    shown.key("p")
    ringed = dialog.preview("keys-brush", 2)
    shown.key(*["Up"] * 12, "Return")  # what is aimed at stays
    shown.until(lambda: hits(dialog, RIGHT), "outline about the same object")
    assert dialog.widget("label", "Lit: the object you chose, as you corrected it")
    assert ringed.shape == marked.shape
    dialog.close()
