"""Pages and folders, shown by the user's own programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gio, Gtk  # noqa: E402

SANDBOXES = ("FLATPAK_ID", "SNAP_NAME")  # which ask the system to choose a program, unseen


def show(window: Any, path: Path) -> None:
    """Have a page or folder shown by the program that the user has for it.

    Raises:
        GLib.Error: There is none, or it cannot be started. GTK says so of some systems only.
    """
    if not any(name in os.environ for name in SANDBOXES):
        Gio.File.new_for_path(str(path)).query_default_handler()
    Gtk.show_uri_on_window(window, path.as_uri(), Gtk.get_current_event_time())
