"""What the dialog says of its work: one plain sentence, or a fault with its remedy."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Pango", "1.0")
from gi.repository import Gtk, Pango  # noqa: E402
from nightflash.stages import TRANSFER  # noqa: E402

from plugin.faults import in_own_language  # noqa: E402
from plugin.rows import SPACE  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

if TYPE_CHECKING:
    from plugin.layers import Source

DETECTED = "main detected: "
SCORE = re.compile(r" \(\d\.\d+\)")
LINES = 2  # of a sentence; one in German may take more than a narrow window has in one
ENOUGH = 0.05  # of the work, to tell how long the rest takes
UNDER, CORRECTED = " under the point", ", corrected"


def title(source: Source) -> str:
    """What the window is called: what is made, of which layer of which image."""
    layer, image = (source.night or source.layer).get_name(), source.image.get_name()
    if source.night is not None:
        return _("Night with Flash: edit of {} in {}").format(layer, image)
    return _("Night with Flash: {} in {}").format(layer, image)


def lit(header: dict[str, Any]) -> str:
    """One sentence about what a picture's flash lights.

    Args:
        header: Of a preview's answer.
    """
    subject = header["subject"]
    if not subject["clear"]:
        return _("No clear object: click on the one to light.")
    return _("Lit: {}.").format(_named(subject["from"]))


def resting(lit: str, provisional: bool, unrefined: bool) -> str:
    """What is said while nothing is done that the user waits for.

    Args:
        lit: The sentence about the preview.
        provisional: Whether that can still get better.
        unrefined: Whether the pixels shown are those that a refinement will change.
    """
    if provisional:
        return _("Looking closer.")
    return lit.removesuffix(".") + _(", before Best refines it.") if lit and unrefined else lit


def _named(found: str) -> str:
    """What the backend found, as a person would call it."""
    if found.endswith(CORRECTED):
        return _("{}, as you corrected it").format(_named(found.removesuffix(CORRECTED)))
    if found in ("the mask drawn", "the box given"):
        return _("what is selected")
    if found in ("the main object" + UNDER, "the region" + UNDER):
        return _("the object you chose")
    found = found.removesuffix(UNDER)
    names = SCORE.sub("", found).removeprefix(DETECTED).split(", ")
    named = [_(name if name.startswith("the ") else f"the {name}") for name in names]
    *others, last = named
    return _("{} and {}").format(", ".join(others), last) if others else last


class Progress:
    """What is said of work while it is done."""

    def __init__(self) -> None:
        self._began = 0.0

    def begin(self) -> None:
        """The work begins now."""
        self._began = time.monotonic()

    def sentence(self, stage: str, fraction: float, told: str, *, whole: bool) -> str:
        """What is being done, and for a ``whole`` night how long that takes still."""
        text = in_own_language(told).removesuffix(".")
        if stage == TRANSFER:  # of one picture, before the work or after it
            self.begin()
        elif whole and fraction > ENOUGH:
            left = (time.monotonic() - self._began) * (1 - fraction) / fraction
            text += _(", about {} s left").format(max(1, round(left)))
        return f"{text}."


class Status(Gtk.Box):
    """A sentence in two lines at most, and a bar of how far work is: neither ever grows or goes.

    Args:
        beside: A widget at the end of the line.
    """

    def __init__(self, beside: Any) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE // 2)
        self._sentence = Gtk.Label(xalign=0, selectable=False)
        self._sentence.set_line_wrap(True)
        self._sentence.set_lines(LINES)
        self._sentence.set_ellipsize(Pango.EllipsizeMode.END)
        room = self._sentence.create_pango_layout("\n" * (LINES - 1)).get_pixel_size()
        self._sentence.set_size_request(-1, room.height)
        self._bar = Gtk.ProgressBar()
        line = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE)
        line.pack_start(self._sentence, True, True, 0)
        line.pack_end(beside, False, False, 0)
        self.pack_start(self._bar, False, False, 0)
        self.pack_start(line, False, False, 0)

    def say(self, sentence: str, fraction: float | None = 0.0) -> None:
        """Show a sentence and how far the work is, None where nobody knows."""
        self._sentence.set_text(sentence)
        self._sentence.set_tooltip_text(sentence)  # it may not have the room for all of it
        if fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(fraction)


class Message(Gtk.InfoBar):
    """A fault, over the picture: there is room for all of it and nothing has to make way.

    Args:
        more: Called where the user wants to see to the backend.
    """

    def __init__(self, more: Callable[[], None]) -> None:
        super().__init__(message_type=Gtk.MessageType.ERROR, show_close_button=True)
        self._stays = False
        self.set_valign(Gtk.Align.START)
        self._text = Gtk.Label(xalign=0, wrap=True, selectable=True, can_focus=False)
        self._text.set_width_chars(30)
        self.get_content_area().add(self._text)
        self.add_button(_("Backend…"), Gtk.ResponseType.HELP)
        self.connect(
            "response", lambda _bar, r: more() if r == Gtk.ResponseType.HELP else self.hide()
        )
        self._text.show()
        self.set_no_show_all(True)

    def show_fault(self, fault: str, *, stays: bool = False) -> None:
        """Show a fault, which ``stays`` when something else has gone well."""
        self._text.set_text(fault)
        self._stays = stays
        self.show()

    def make_way(self) -> None:
        """Something has gone well: show no fault, but for one that stays."""
        if not self._stays:
            self.hide()


class Note(Gtk.InfoBar):
    """What the user has to know from the start.

    Args:
        text: One sentence or two.
    """

    def __init__(self, text: str) -> None:
        super().__init__(message_type=Gtk.MessageType.WARNING, show_close_button=True)
        label = Gtk.Label(label=text, xalign=0, wrap=True, selectable=True, can_focus=False)
        self.get_content_area().add(label)
        self.connect("response", lambda *_response: self.hide())
