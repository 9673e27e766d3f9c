"""How the dialog is laid out: the picture's side, and beside it that of the settings."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from plugin.rows import SPACE  # noqa: E402
from plugin.status import Note  # noqa: E402


def beside(note: str, preview: Any, status: Any, column: Any) -> Any:
    """A box of the parts of the dialog; the picture has what room there is.

    Args:
        note: What the user has to know of the photo, or empty.
        preview, status: The picture, and the line below it.
        column: The settings.
    """
    side = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
    if note:
        side.pack_start(Note(note), False, False, 0)
    side.pack_start(preview, True, True, 0)
    side.pack_start(status, False, False, 0)
    across = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=2 * SPACE)
    across.set_border_width(SPACE)
    across.pack_start(side, True, True, 0)
    across.pack_start(column, False, False, 0)
    across.show_all()
    return across
