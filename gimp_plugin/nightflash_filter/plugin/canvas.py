"""A canvas that a photo is looked at on: by day, at night, or both beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk  # noqa: E402

from plugin.marks import lay_cross, lay_dot, lay_line, lay_ring  # noqa: E402
from plugin.picture import Picture  # noqa: E402
from plugin.placement import Placement  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

LEAST = (240, 180)  # pixels that the canvas can shrink to, whatever the photo's shape
BEFORE_DRAWING = GLib.PRIORITY_HIGH_IDLE  # and after the room of all widgets is known


class Canvas(Gtk.Frame):
    """Shows pictures of the photo as it is placed; `Gestures` has it zoomed, panned and aimed at.

    Args:
        size: (width, height) of the photo.
        moved: Called where the photo is placed otherwise.

    Attributes:
        area: The widget that takes events.
        split: Share of the room's width, left of which it is day; None where nothing is split.
        brush: Radius of the brush at the pointer in pixels of the photo; 0 for none.
        pointer: Where that is on the canvas; None while it is elsewhere.
    """

    def __init__(self, size: tuple[int, int], moved: Callable[[], None]) -> None:
        super().__init__()
        self.size, self._moved = size, moved
        self.mark = (size[0] / 2, size[1] / 2)
        self.split: float | None = None
        self.brush = 0.0
        self.pointer: tuple[float, float] | None = None
        self._aims: tuple[tuple[tuple[float, float], int], ...] = ()
        self._paint: Picture | None = None
        self._day: Sequence[Picture] = ()
        self._night: Sequence[Picture] = ()
        self._before = False
        self._place: Placement | None = None  # None fits it into the room
        self._quick = False  # while the photo moves
        self._drawing = 0
        self._filled = (0, 0)  # the room that was last drawn for
        self.area, self._image = Gtk.Layout(), Gtk.Image()
        self.area.put(self._image, 0, 0)
        self.area.set_size_request(*LEAST)
        self.area.set_can_focus(True)
        accessible = self.area.get_accessible()
        accessible.set_name(_("Preview"))
        accessible.set_description(
            _("Arrow keys move a mark over the photo; Enter aims the flash there.")
        )
        self.area.connect("size-allocate", lambda *_allocated: self._allocated())
        for signal in ("focus-in-event", "focus-out-event"):
            self.area.connect(signal, lambda *_event: self._focus_changed())
        self.get_style_context().add_class("nightflash")
        self.add(self.area)

    @property
    def placement(self) -> Placement:
        """Where the photo lies now."""
        return self._place or Placement.fitting(self.size, self.room)

    @property
    def room(self) -> tuple[int, int]:
        """Width and height of the canvas."""
        return max(1, self.area.get_allocated_width()), max(1, self.area.get_allocated_height())

    @property
    def seen(self) -> tuple[int, int, int, int]:
        """What of the photo is seen: x, y, width, height in its pixels."""
        return self.placement.seen(self.size, self.room)

    def place(self, placement: Placement | None) -> None:
        """Have the photo lie elsewhere, as far as that makes sense; None fits it into the room."""
        fitting = Placement.fitting(self.size, self.room)
        wanted = None if placement is None else placement.within(self.size, self.room)
        self._place = None if wanted == fitting else wanted
        self._quick = True
        self._moved()
        self.draw_soon()

    def settle(self) -> None:
        """The photo moves no more: show it smooth."""
        self._quick = False
        self.draw_soon()

    def show_pictures(self, day: Sequence[Picture], night: Sequence[Picture]) -> None:
        """Show the photo by day and at night, the first picture of each lowest."""
        self._day, self._night, self._paint = day, night, None
        self.draw_soon()

    def show_before(self, before: bool) -> None:
        """Show the photo by day alone."""
        self._before = before
        self.draw_soon()

    def show_aims(self, *places: tuple[tuple[float, float], int]) -> None:
        """Show points of the photo that were clicked at, each with a colour (RGBA)."""
        self._aims = places
        self.draw_soon()

    def show_paint(self, paint: Any) -> None:
        """Show what is painted, RGB and alpha of the whole photo, until there are new pictures."""
        self._paint = Picture.drawn(paint, (0, 0, *self.size))
        self.draw_soon()

    def show_brush(self, radius: float) -> None:
        """Show the brush at the pointer; no radius shows none."""
        self.brush = radius
        self.draw_soon()

    def set_mark(self, place: tuple[float, float]) -> None:
        """Have the mark, which the keys move, at a point of the photo, and in sight."""
        width, height = self.size
        self.mark = (min(max(place[0], 0), width - 1), min(max(place[1], 0), height - 1))
        x, y = self.placement.on_canvas(*self.mark)
        beyond = [
            min(room - 1 - at, 0) or max(-at, 0) for at, room in zip((x, y), self.room, strict=True)
        ]
        if any(beyond):
            self.place(self.placement.moved(*beyond))
        self.draw_soon()

    def draw_soon(self) -> None:
        """Draw once the room is settled: a child changed within an allocation stays as it was."""
        if not self._drawing:
            self._drawing = GLib.idle_add(self._draw, priority=BEFORE_DRAWING)

    def _allocated(self) -> None:
        if self.room == self._filled:  # what is drawn has the area allocated once more
            return
        self._filled = self.room
        if self._place is not None:
            self._place = self._place.within(self.size, self.room)
        self._moved()
        self.draw_soon()

    def _draw(self) -> bool:
        self._drawing = 0
        if not self._day and not self._night:
            return False
        place, room = self.placement, self.room
        left, top, width, height = place.area((0, 0, *self.size))
        right, bottom = min(left + width, room[0]), min(top + height, room[1])
        left, top = max(left, 0), max(top, 0)
        pictures = self._day if self._before or not self._night else self._night
        shown = GdkPixbuf.Pixbuf.new(
            *(GdkPixbuf.Colorspace.RGB, any(p.pixbuf.get_has_alpha() for p in pictures), 8),
            *(max(1, right - left), max(1, bottom - top)),
        )
        shown.fill(0)
        self._lay(pictures, shown, (left, top), room)
        if self.split is not None and not self._before:
            line = round(self.split * room[0])
            self._lay(self._day, shown, (left, top), (line, room[1]))
            lay_line(shown, line - left)
        if self._paint is not None:
            self._lay([self._paint], shown, (left, top), room)
        for aim, colour in self._aims:
            x, y = place.on_canvas(*aim)
            lay_dot(shown, round(x) - left, round(y) - top, colour)
        tip = self.pointer or (place.on_canvas(*self.mark) if self.area.is_focus() else None)
        if self.brush and tip is not None:
            lay_ring(shown, tip[0] - left, tip[1] - top, self.brush * place.scale)
        if self.area.is_focus():
            x, y = place.on_canvas(*self.mark)
            lay_cross(shown, round(x) - left, round(y) - top)
        self._image.set_from_pixbuf(shown)
        self.area.move(self._image, left, top)
        return False

    def _lay(
        self,
        pictures: Sequence[Picture],
        shown: Any,
        corner: tuple[int, int],
        room: tuple[int, int],
    ) -> None:
        """Lay pictures, the first lowest, into so much of the canvas; those not seen are left."""
        seen = self.seen
        covering = [n for n, picture in enumerate(pictures) if picture.covers(seen)]
        for picture in pictures[max(covering, default=0) :]:
            picture.lay(shown, corner, self.placement, (0, 0, *room), self._quick)

    def _focus_changed(self) -> bool:
        context = self.get_style_context()
        (context.add_class if self.area.is_focus() else context.remove_class)("focused")
        self.draw_soon()
        return False


def modifier(event: Any, *names: str) -> bool:
    """Whether one of the keys Control and Shift is held at an event."""
    masks = {"Control": Gdk.ModifierType.CONTROL_MASK, "Shift": Gdk.ModifierType.SHIFT_MASK}
    return any(event.state & masks[name] for name in names)
