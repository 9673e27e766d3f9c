"""The page of help, which lies with the plug-in, and the button that opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

from plugin.texts import translated as _  # noqa: E402

FOLDER = Path(__file__).resolve().parent.parent / "help"


def help_button(window: Any, fail: Callable[[str], None]) -> Any:
    """A button that shows the page in the user's browser, as F1 does.

    Args:
        window: The window that F1 is pressed in.
        fail: Called with a sentence where nothing shows it.
    """

    def show(*_pressed: Any) -> None:
        page = FOLDER / _("help.en.html")  # a catalogue names the page in its language
        try:
            Gtk.show_uri_on_window(window, page.as_uri(), Gtk.get_current_event_time())
        except GLib.Error as fault:
            fail(_("{} cannot be shown: {}.").format(page, fault.message))

    def pressed(_window: Any, event: Any) -> bool:
        if event.keyval != Gdk.KEY_F1:
            return False
        show()
        return True

    button = Gtk.Button.new_with_label(_("Help"))
    button.set_tooltip_text(_("How to use the filter, in your browser (F1)."))
    button.connect("clicked", show)
    window.connect("key-press-event", pressed)
    return button
