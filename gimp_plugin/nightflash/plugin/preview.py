"""The picture's side of the dialog: what the night will be, and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from plugin.canvas import Canvas  # noqa: E402
from plugin.rows import SPACE, leave_wheel, name_choice  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

VIEWS = {
    "night": "Night",
    "day": "Before",
    "light": "Light of the flash",
    "depth": "Depth",
    "subject": "Main object",
}


class Preview(Gtk.Box):
    """A canvas with a view of the scene and the outline of the main object over it.

    Args:
        size: (width, height) of the photo.
        aimed: Takes a point of the photo that was clicked at, None for no point any more.
        changed: Called where another view is wanted.
        over: A widget at the top of the picture.
        selection: Whether the flash is aimed by a selection where no point is.
    """

    def __init__(
        self,
        size: tuple[int, int],
        aimed: Callable[[tuple[float, float] | None], None],
        changed: Callable[[], Any],
        over: Any,
        selection: bool,
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
        self._pictures: tuple[Any, ...] = ()
        self._looked_at = "night"  # where Before comes back to
        self._canvas = Canvas(size, aimed)
        overlay = Gtk.Overlay()
        overlay.add(self._canvas)
        overlay.add_overlay(over)
        self.pack_start(overlay, True, True, 0)
        self._before = Gtk.ToggleButton.new_with_label(_("Before"))
        self._before.set_tooltip_text(_("The photo as it is, and back."))
        self._outline = Gtk.CheckButton.new_with_label(_("Outline"))
        self._outline.set_tooltip_text(_("The edge of what is taken for the main object."))
        self._outline.set_active(True)
        self._view = Gtk.ComboBoxText()
        self._view.set_tooltip_text(_("What the picture shows."))
        for view, name in VIEWS.items():
            self._view.append(view, _(name))
        self._view.set_active_id("night")
        name_choice(self._view, _("View"))
        self._unaim = Gtk.Button.new_with_label(
            _("Aim by selection") if selection else _("Aim for me")
        )
        self._unaim.set_tooltip_text(_("Forget the point that was clicked."))
        self._unaim.set_sensitive(False)
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE)
        for widget in (self._before, self._outline, self._view, self._unaim):
            row.pack_start(widget, False, False, 0)
        leave_wheel(row)
        self.pack_start(row, False, False, 0)
        self._before.connect("toggled", self._before_toggled)
        self._outline.connect("toggled", lambda _check: self._show())
        self._view.connect("changed", self._view_chosen, changed)
        self._unaim.connect("clicked", lambda _button: aimed(None))

    @property
    def views(self) -> list[str]:
        """The pictures that are wanted for `show_pictures`."""
        return [self._view.get_active_id(), "outline"]

    def show_pictures(self, *pictures: Any) -> None:
        """Show the pictures of `views`, Pixels in u8."""
        self._pictures = pictures
        self._show()

    def show_aim(self, place: tuple[float, float] | None) -> None:
        """Show that the flash is aimed at a point of the photo, or at none."""
        self._unaim.set_sensitive(place is not None)

    def _show(self) -> None:
        self._canvas.show_layers(*self._pictures[: 2 if self._outline.get_active() else 1])

    def _before_toggled(self, button: Any) -> None:
        now = self._view.get_active_id()
        if button.get_active() and now != "day":
            self._looked_at = now
        self._view.set_active_id("day" if button.get_active() else self._looked_at)

    def _view_chosen(self, view: Any, changed: Callable[[], Any]) -> None:
        """Have the button Before tell the truth, and the other view made."""
        now = view.get_active_id()
        if now != "day":
            self._looked_at = now
        self._before.set_active(now == "day")
        changed()
