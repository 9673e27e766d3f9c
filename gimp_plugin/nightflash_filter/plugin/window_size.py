"""How large the dialog is at first."""

from __future__ import annotations

from typing import Any

SIZE = (1060, 700)  # of the window, where the screen has room for it
EDGE = 40  # pixels of the screen left for the window's frame


def fit(window: Any) -> None:
    """Give a Gtk.Window a size that the screen has room for."""
    display = window.get_display()
    screen = display.get_primary_monitor() or display.get_monitor(0)
    room = screen.get_workarea()
    window.set_default_size(min(SIZE[0], room.width - EDGE), min(SIZE[1], room.height - 2 * EDGE))
