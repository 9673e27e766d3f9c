"""How large the dialog is: as it was left, or as large as serves."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gdk", "3.0")
from gi.repository import Gdk  # noqa: E402

from plugin.kept import keep, kept  # noqa: E402

SIZE = (1060, 700)  # of the window at first, where the screen has room for it
WIDE = 1280  # pixels of a screen
EDGE = 40  # pixels of the screen left for the window's frame


def fit(window: Any) -> None:
    """Give a Gtk.Window the size it was left with, as far as the screen has room for it."""
    room = _room(window.get_display())
    width, height = _left() or SIZE
    window.set_default_size(min(width, room.width - EDGE), min(height, room.height - 2 * EDGE))
    if kept("maximized") is True:
        window.maximize()


def remember(window: Any) -> None:
    """Have the next one as large as this one."""
    keep("maximized", window.is_maximized())
    if not window.is_maximized():
        keep("size", list(window.get_size()))


def is_wide() -> bool:
    """Whether the screen has room for more than the least widths."""
    return bool(_room(Gdk.Display.get_default()).width >= WIDE)


def _room(display: Any) -> Any:
    screen = display.get_primary_monitor() or display.get_monitor(0)
    return screen.get_workarea()


def _left() -> tuple[int, int] | None:
    match kept("size"):
        case [int(width), int(height)] if width > 0 and height > 0:
            return width, height
    return None
