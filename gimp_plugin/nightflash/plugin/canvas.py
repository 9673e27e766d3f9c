"""A picture of the photo as large as the room it has, and the points of it that are aimed at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk  # noqa: E402

from plugin.texts import translated as _  # noqa: E402

LEAST = (240, 180)  # pixels that the canvas can shrink to, whatever the photo's shape
BEFORE_DRAWING = GLib.PRIORITY_HIGH_IDLE  # and after the room of all widgets is known
STEP = 10  # pixels of the screen that an arrow key moves the mark; 1 with Ctrl or Shift
ARROWS = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}
AIMS = ("Return", "KP_Enter", "ISO_Enter", "space", "KP_Space")
STYLE = b"""
frame.nightflash > border { border: 2px solid transparent; border-radius: 0; }
frame.nightflash.focused > border { border-color: @theme_selected_bg_color; }
"""


@dataclass(frozen=True)
class Placement:
    """Where the photo lies on the canvas: whatever zooms or pans changes this alone.

    Attributes:
        scale: Pixels of the canvas to one of the photo.
        left, top: The photo's corner on the canvas.
    """

    scale: float
    left: float
    top: float

    @classmethod
    def fitting(cls, size: tuple[int, int], room: tuple[int, int]) -> Placement:
        """The whole of a photo in the middle of the room."""
        scale = min(room[0] / size[0], room[1] / size[1])
        return cls(scale, (room[0] - size[0] * scale) / 2, (room[1] - size[1] * scale) / 2)

    def on_photo(self, x: float, y: float) -> tuple[float, float]:
        """The point of the photo that is at a point of the canvas."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def on_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the photo is on the canvas."""
        return self.left + x * self.scale, self.top + y * self.scale


class Canvas(Gtk.Frame):
    """Shows pictures of the photo, one over the other, and takes clicks, arrow keys and Enter.

    Drawing with cairo would need a package that not every GIMP has beside it: pixbufs do it.

    Args:
        size: (width, height) of the photo.
        aimed: Takes a point of the photo that was clicked at, or marked with the keys.
    """

    def __init__(self, size: tuple[int, int], aimed: Callable[[tuple[float, float]], None]) -> None:
        super().__init__()
        self._size, self._aimed = size, aimed
        self._mark = (size[0] / 2, size[1] / 2)
        self._layers: tuple[Any, ...] = ()
        self._drawing = 0
        self._filled = (0, 0)  # the room that was last drawn for
        self._area, self._image = Gtk.Layout(), Gtk.Image()
        self._area.put(self._image, 0, 0)
        self._area.set_size_request(*LEAST)
        self._area.set_can_focus(True)
        self._area.add_events(Gdk.EventMask.BUTTON_PRESS_MASK | Gdk.EventMask.KEY_PRESS_MASK)
        told = self._area.get_accessible()
        told.set_name(_("Preview"))
        told.set_description(
            _("Arrow keys move a mark over the photo; Enter aims the flash there.")
        )
        self._area.connect("size-allocate", lambda *_allocated: self._allocated())
        self._area.connect("button-press-event", self._pressed)
        self._area.connect("key-press-event", self._typed)
        for signal in ("focus-in-event", "focus-out-event"):
            self._area.connect(signal, lambda *_event: self._focus_changed())
        self._style()
        self.add(self._area)

    @property
    def placement(self) -> Placement:
        """Where the photo lies now."""
        return Placement.fitting(self._size, self._room)

    def show_layers(self, *pictures: Any) -> None:
        """Show pictures of the whole photo of whatever size, Pixels in u8, the first lowest."""
        self._layers = tuple(_pixbuf(picture) for picture in pictures)
        self._draw_soon()

    def set_mark(self, place: tuple[float, float]) -> None:
        """Have the mark, which the keys move, at a point of the photo."""
        width, height = self._size
        self._mark = (min(max(place[0], 0), width - 1), min(max(place[1], 0), height - 1))
        self._draw_soon()

    @property
    def _room(self) -> tuple[int, int]:
        return max(1, self._area.get_allocated_width()), max(1, self._area.get_allocated_height())

    def _style(self) -> None:
        provider = Gtk.CssProvider()
        provider.load_from_data(STYLE)
        self.get_style_context().add_class("nightflash")
        Gtk.StyleContext.add_provider_for_screen(
            self.get_screen(), provider, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION
        )

    def _allocated(self) -> None:
        if self._room != self._filled:  # what is drawn has the area allocated once more
            self._draw_soon()

    def _draw_soon(self) -> None:
        """Draw once the room is settled: a child changed within an allocation stays as it was."""
        if not self._drawing:
            self._drawing = GLib.idle_add(self._draw, priority=BEFORE_DRAWING)

    def _draw(self) -> bool:
        self._drawing = 0
        if not self._layers:
            return False
        place, room = self.placement, self._room
        self._filled = room
        left, top = (max(0, round(at)) for at in (place.left, place.top))
        right, bottom = (
            min(limit, round(end))
            for limit, end in zip(room, place.on_canvas(*self._size), strict=True)
        )
        seen = (left, top, max(1, right - left), max(1, bottom - top))
        shown = GdkPixbuf.Pixbuf.new(
            GdkPixbuf.Colorspace.RGB, self._layers[0].get_has_alpha(), 8, *seen[2:]
        )
        shown.fill(0)
        for layer in self._layers:
            self._lay(layer, shown, place, seen)
        if self._area.is_focus():
            x, y = place.on_canvas(*self._mark)
            _lay_mark(shown, round(x) - left, round(y) - top)
        self._image.set_from_pixbuf(shown)
        self._area.move(self._image, left, top)
        return False

    def _lay(self, layer: Any, shown: Any, place: Placement, seen: tuple[int, ...]) -> None:
        """Lay what is seen of a picture over what is shown."""
        left, top, width, height = seen
        layer.composite(
            *(shown, 0, 0, width, height, place.left - left, place.top - top),
            place.scale * self._size[0] / layer.get_width(),
            place.scale * self._size[1] / layer.get_height(),
            GdkPixbuf.InterpType.BILINEAR,
            255,
        )

    def _focus_changed(self) -> bool:
        context = self.get_style_context()
        (context.add_class if self._area.is_focus() else context.remove_class)("focused")
        self._draw_soon()
        return False

    def _pressed(self, area: Any, event: Any) -> bool:
        area.grab_focus()
        x, y = self.placement.on_photo(event.x, event.y)
        if 0 <= x < self._size[0] and 0 <= y < self._size[1]:
            self.set_mark((x, y))
            self._aimed(self._mark)
        return True

    def _typed(self, _area: Any, event: Any) -> bool:
        name = Gdk.keyval_name(event.keyval) or ""
        if name in AIMS:
            self._aimed(self._mark)
            return True
        if (way := ARROWS.get(name.removeprefix("KP_"))) is None:
            return False
        fine = event.state & (Gdk.ModifierType.CONTROL_MASK | Gdk.ModifierType.SHIFT_MASK)
        step = (1 if fine else STEP) / self.placement.scale
        self.set_mark((self._mark[0] + step * way[0], self._mark[1] + step * way[1]))
        return True


def _lay_mark(shown: Any, x: int, y: int) -> None:
    """Lay a cross over what is shown, white with a black edge, its middle left free."""
    for thick, colour in ((3, 0x000000FF), (1, 0xFFFFFFFF)):
        half = thick // 2
        for near, far in ((4 - half, 12 + half), (-12 - half, -4 + half)):
            _fill(shown, (x + min(near, far), y - half, abs(far - near) + 1, thick), colour)
            _fill(shown, (x - half, y + min(near, far), thick, abs(far - near) + 1), colour)


def _fill(shown: Any, area: tuple[int, int, int, int], colour: int) -> None:
    """Fill what of an area (x, y, width, height) lies on a pixbuf with a colour (RGBA)."""
    left, top = max(0, area[0]), max(0, area[1])
    right = min(shown.get_width(), area[0] + area[2])
    bottom = min(shown.get_height(), area[1] + area[3])
    if left < right and top < bottom:
        shown.new_subpixbuf(left, top, right - left, bottom - top).fill(colour)


def _pixbuf(picture: Any) -> Any:
    """Pixels in u8 as a pixbuf: grey ones as RGB."""
    layout = picture.layout
    data = b"".join(bytes(strip) for strip in picture.strips)
    channels = layout.channels
    if channels == 1:
        threefold = bytearray(3 * len(data))
        for channel in range(3):
            threefold[channel::3] = data
        data, channels = bytes(threefold), 3
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(data),
        GdkPixbuf.Colorspace.RGB,
        channels == 4,
        8,
        layout.width,
        layout.height,
        layout.width * channels,
    )
