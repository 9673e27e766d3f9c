"""The picture's side of the dialog: what the night will be, and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from plugin.canvas import Canvas  # noqa: E402
from plugin.corrections import Corrections  # noqa: E402
from plugin.gestures import Gestures  # noqa: E402
from plugin.history import History  # noqa: E402
from plugin.monitor import Monitor  # noqa: E402
from plugin.outline import Outline  # noqa: E402
from plugin.picture import Picture  # noqa: E402
from plugin.rows import SPACE, in_a_row, name_choice  # noqa: E402
from plugin.soon import Soon  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

VIEWS = {
    "night": "Night",
    "day": "Before",
    "light": "Light",
    "depth": "Depth",
    "subject": "Object",
}
SETTLED = 120  # milliseconds from the last move of the photo to the request for its real pixels
BUSY = 300  # milliseconds of work until a sign is shown
SPINNER = 24  # pixels


@dataclass(frozen=True)
class Wishes:
    """What the user asks of the dialog at the picture.

    Attributes:
        aimed: Takes the point of the photo that the flash is aimed at, None for none, where that
            or a correction of the outline has changed.
        changed: Called where another view is wanted.
        kept: Called where the outline is wanted as a channel.
        looked: Called where another region is looked at, or the same one larger or smaller.
    """

    aimed: Callable[[tuple[float, float] | None], None]
    changed: Callable[[], Any]
    looked: Callable[[], Any]
    kept: Callable[[], Any]


class Preview(Gtk.Box):
    """A canvas with a view of the scene and the outline of the main object over it.

    Args:
        photo: A small picture of the photo, Pixels in u8, shown until there is a view.
        size: (width, height) of the photo.
        wishes: Takes what the user asks.
        over: A widget at the top of the picture.
        selection: Whether the flash is aimed by a selection where no point is.

    Attributes:
        history: Of all that is done in the dialog: keys at the picture take its steps back.
    """

    def __init__(
        self,
        photo: Any,
        size: tuple[int, int],
        wishes: Wishes,
        over: Any,
        selection: bool,
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
        self._size, self._wishes = size, wishes
        self._whole: tuple[Any, ...] = ()  # the view, and its outline
        self._close: tuple[Any, ...] = ()  # a region's view, day and outline
        self._region = (0, 0, *size)
        self._looked_at = "night"  # where Before comes back to
        self._settling, self._waiting = Soon(self._settled), Soon(self._spin)
        self._canvas = Canvas(size, self._moved)
        self._monitor = Monitor(self._canvas)
        self.history = History()
        self._corrections = Corrections(self._canvas, self.history, self._corrected)
        self._gestures = Gestures(self._canvas, self._corrections, self.history)
        self._photo = photo
        overlay = Gtk.Overlay()
        overlay.add(self._canvas)
        overlay.add_overlay(over)
        self._busy = Gtk.Spinner(halign=Gtk.Align.END, valign=Gtk.Align.END, no_show_all=True)
        self._busy.set_size_request(SPINNER, SPINNER)
        self._busy.get_accessible().set_name(_("Working"))
        overlay.add_overlay(self._busy)
        overlay.set_overlay_pass_through(self._busy, True)
        self.pack_start(overlay, True, True, 0)
        self.pack_start(self._row(), False, False, 0)
        self.pack_start(self._outline_row(selection), False, False, 0)
        self._show()

    def listen(self, window: Any) -> None:
        """Take the keys of the picture wherever in a window the focus is."""
        switches = {"s": self._split, "o": self._outline, "p": self._brush}
        self._gestures.listen(window, switches)

    @property
    def views(self) -> list[str]:
        """The pictures that are wanted for `show_pictures`."""
        return [self._view.get_active_id(), "outline"]

    @property
    def at_full_size(self) -> bool:
        """Whether the pixels of the photo are those of the screen, or larger."""
        return self._canvas.placement.scale >= 1 and self._view.get_active_id() == "night"

    @property
    def close_up(self) -> dict[str, Any]:
        """The fields of the request for what is seen, in as many pixels as it is shown with."""
        region, scale = self._canvas.seen, min(1.0, self._canvas.placement.scale)
        width, height = self._canvas.placement.area(region)[2:]
        own = region[2:]
        size = own if scale == 1 else (min(own[0], width), min(own[1], height))
        views = [self._view.get_active_id(), "day", "outline"]
        return {"region": region, "size": list(size), "views": views}

    def show_pictures(self, *pictures: Any) -> None:
        """Show the pictures of `views`, Pixels in u8; a close-up of what was is none any more."""
        self._whole, self._close = pictures, ()
        self._show()

    def show_close_up(self, region: tuple[int, int, int, int], *pictures: Any) -> None:
        """Show the pictures of `close_up` where they belong."""
        self._region, self._close = region, pictures
        self._show()

    @property
    def outline(self) -> Outline:
        """What the user has said of the main object."""
        return self._corrections.now

    def take_up(self, outline: Outline) -> None:
        """Begin with what a night was made with."""
        self._corrections.take_up(outline)

    def aim_by_selection(self, selected: bool) -> None:
        """Say who aims where the user does not: the selection, where there is one."""
        self._unaim.set_label(_("Aim by selection") if selected else _("Aim for me"))

    @property
    def corrections(self) -> dict[str, Any]:
        """The fields of a request for the corrections of the outline."""
        return self._corrections.fields

    def show_busy(self, busy: bool) -> None:
        """Show that the picture is worked at, once that takes a while."""
        self._waiting.stop()
        if busy:
            self._waiting.ask(BUSY)
        else:
            self._busy.stop()
            self._busy.hide()

    def end(self) -> None:
        """Nothing comes later."""
        self.show_busy(False)
        self._settling.stop()

    def _row(self) -> Any:
        self._before = Gtk.ToggleButton.new_with_label(_("Before"))
        self._before.set_tooltip_text(_("The photo as it is, and back; or hold B."))
        self._split = Gtk.ToggleButton.new_with_label(_("Split"))
        self._split.set_tooltip_text(_("Before and after beside each other; drag the line. Key S."))
        self._view = Gtk.ComboBoxText()
        self._view.set_tooltip_text(_("What the picture shows."))
        for view, name in VIEWS.items():
            self._view.append(view, _(name))
        self._view.set_active_id("night")
        name_choice(self._view, _("View"))
        row = in_a_row(self._before, self._split, self._view, *self._zooms())
        self._before.connect("toggled", self._before_toggled)
        self._split.connect("toggled", self._split_toggled)
        self._view.connect("changed", self._view_chosen)
        return row

    def _zooms(self) -> list[Any]:
        buttons = []
        for name, tooltip, scale in (
            (_("100 %"), _("A pixel of the photo is one of the screen; key 1."), 1.0),
            (_("Fit"), _("All of the photo; key 0. The wheel, + and - zoom."), None),
        ):
            button = Gtk.Button.new_with_label(name)
            button.set_tooltip_text(tooltip)
            button.connect("clicked", lambda _button, scale: self._gestures.zoom(scale), scale)
            buttons.append(button)
        self._zoom = Gtk.Label(width_chars=6, xalign=0)
        self._zoom.get_accessible().set_name(_("Zoom"))
        return [*buttons, self._zoom]

    def _outline_row(self, selection: bool) -> Any:
        self._outline = Gtk.CheckButton.new_with_label(_("Outline"))
        self._outline.set_tooltip_text(
            _("The edge of what is lit; key O. Shift-click adds an object, Ctrl-click removes one.")
        )
        self._outline.set_active(True)
        self._unaim = Gtk.Button()
        self.aim_by_selection(selection)
        self._unaim.set_tooltip_text(_("Forget what was clicked and painted."))
        self._unaim.set_sensitive(False)
        self._brush = Gtk.ToggleButton.new_with_label(_("Brush"))
        self._brush.set_tooltip_text(
            _("Paint what is to be lit, with Ctrl what is not; [ and ] size it. Key P.")
        )
        keep = Gtk.Button.new_with_label(_("To channel"))
        keep.set_tooltip_text(_("Add what is lit to the image as a channel."))
        self._outline.connect("toggled", lambda _check: self._show())
        self._unaim.connect("clicked", self._unaimed)
        self._brush.connect("toggled", lambda b: self._corrections.hold_brush(b.get_active()))
        keep.connect("clicked", lambda _button: self._wishes.kept())
        return in_a_row(self._outline, self._unaim, self._brush, keep)

    def _unaimed(self, button: Any) -> None:
        if button.is_focus():  # it has nothing more to do, and the focus would be nowhere
            self._canvas.area.grab_focus()
        self._corrections.aim(None)

    def _corrected(self, aim: tuple[float, float] | None) -> None:
        self._unaim.set_sensitive(self._corrections.any)
        self._wishes.aimed(aim)

    def _show(self) -> None:
        """Have the canvas show what there is, the finer pictures over the coarser ones."""
        everything = (0, 0, *self._size)
        day = [Picture.of(self._photo, everything, self._monitor)]
        night = []
        if self._whole:
            night.append(self._picture(self._whole[0], everything, self._whole[1]))
        if self._close:
            day.append(self._picture(self._close[1], self._region, None))
            night.append(self._picture(self._close[0], self._region, self._close[2]))
        self._canvas.show_pictures(day, night)

    def _picture(self, pixels: Any, region: Any, outline: Any) -> Picture:
        over = outline if self._outline.get_active() else None
        return Picture.of(pixels, region, self._monitor, over)

    def _moved(self) -> None:
        self._zoom.set_text(f"{100 * self._canvas.placement.scale:.0f} %")
        self._settling.ask(SETTLED)

    def _settled(self) -> None:
        self._canvas.settle()
        self._wishes.looked()

    def _spin(self) -> None:
        self._busy.show()
        self._busy.start()

    def _before_toggled(self, button: Any) -> None:
        now = self._view.get_active_id()
        if button.get_active() and now != "day":
            self._looked_at = now
        self._view.set_active_id("day" if button.get_active() else self._looked_at)

    def _split_toggled(self, button: Any) -> None:
        self._canvas.split = 0.5 if button.get_active() else None
        self._canvas.draw_soon()

    def _view_chosen(self, view: Any) -> None:
        """Have the button Before show the state, and the other view made."""
        now = view.get_active_id()
        if now != "day":
            self._looked_at = now
        self._before.set_active(now == "day")
        self._wishes.changed()
