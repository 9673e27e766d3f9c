"""The page of help, which lies with the plug-in, and the button that opens it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Pango", "1.0")
from gi.repository import Gdk, GLib, Gtk, Pango  # noqa: E402

from plugin.rows import SPACE  # noqa: E402
from plugin.showing import show  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

FOLDER = Path(__file__).resolve().parent.parent / "help"
SIZE = (640, 560)  # of the window of a text
HEADINGS = ("h1", "h2", "dt")
BLOCKS = (*HEADINGS, "p", "li", "dd")


def help_button(window: Any) -> Any:
    """A button that shows the page in the user's browser, as F1 does.

    Args:
        window: The window that F1 is pressed in.
    """

    def asked(*_pressed: Any) -> None:
        page = FOLDER / _("help.en.html")  # a catalogue names the page in its language
        try:
            show(window, page)
        except GLib.Error:
            show_text(window, page)

    def pressed(_window: Any, event: Any) -> bool:
        if event.keyval != Gdk.KEY_F1:
            return False
        asked()
        return True

    button = Gtk.Button.new_with_label(_("Help"))
    button.set_tooltip_text(_("How to use the filter, in your browser (F1)."))
    button.connect("clicked", asked)
    window.connect("key-press-event", pressed)
    return button


def show_text(parent: Any, page: Path) -> None:
    """Show the text of a page in a window, where there is no browser for it."""
    window = Gtk.Dialog(title=_("Help"), transient_for=parent)
    window.set_default_size(*SIZE)
    why = Gtk.Label(label=_("No browser can be opened here, so this is the text of the page."))
    why.set_xalign(0)
    why.set_line_wrap(True)
    view = Gtk.TextView(editable=False, cursor_visible=False, wrap_mode=Gtk.WrapMode.WORD)
    view.set_border_width(SPACE)
    view.get_accessible().set_name(_("Help"))
    Text(view.get_buffer()).feed(page.read_text("utf-8"))
    scrolled = Gtk.ScrolledWindow()
    scrolled.add(view)
    area = window.get_content_area()
    area.set_border_width(SPACE)
    area.set_spacing(SPACE)
    area.pack_start(why, False, False, 0)
    area.pack_start(scrolled, True, True, 0)
    window.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
    window.connect("response", lambda *_response: window.destroy())
    window.show_all()


class Text(HTMLParser):
    """Puts the text of a page into a buffer: paragraphs, with headings in bold.

    Args:
        buffer: A Gtk.TextBuffer.
    """

    def __init__(self, buffer: Any) -> None:
        super().__init__()
        self._buffer = buffer
        self._bold = buffer.create_tag(weight=Pango.Weight.BOLD)
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """See `HTMLParser`."""
        if tag != "meta":  # which has no end
            self._within.append(tag)
        if tag == "li":
            self._put("• ")

    def handle_endtag(self, tag: str) -> None:
        """See `HTMLParser`."""
        self._within.pop()
        if tag in BLOCKS:
            self._put("\n" if tag == "dt" else "\n\n")

    def handle_data(self, data: str) -> None:
        """See `HTMLParser`."""
        if any(tag in BLOCKS for tag in self._within):
            self._put(data)

    def _put(self, text: str) -> None:
        end = self._buffer.get_end_iter()
        if any(tag in HEADINGS for tag in self._within):
            self._buffer.insert_with_tags(end, text, self._bold)
        else:
            self._buffer.insert(end, text)
