"""How the dialog's widgets look, where GTK's theme leaves something to wish for."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

STYLE = b"""
frame.nightflash > border { border: 2px solid transparent; border-radius: 0; }
frame.nightflash.focused > border { border-color: @theme_selected_bg_color; }
spinbutton button { min-width: 16px; padding: 0 2px; }
button:focus, checkbutton:focus, expander title:focus, scale:focus {
    outline: 2px solid @theme_selected_bg_color; outline-offset: -2px;
}
"""


def use_style(window: Any) -> None:
    """Have all windows of this program look so."""
    provider = Gtk.CssProvider()
    provider.load_from_data(STYLE)
    Gtk.StyleContext.add_provider_for_screen(
        window.get_screen(), provider, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION
    )
