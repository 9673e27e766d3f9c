"""The picture in the dialog: the night as it will be, the object outlined, clicks that aim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk  # noqa: E402

from plugin.texts import translated as _  # noqa: E402

SIDE = 480  # least pixels of the longer side
VIEWS = {
    "night": "Night",
    "day": "Before",
    "light": "Light of the flash",
    "depth": "Depth",
    "subject": "Main object",
}


class Preview(Gtk.Layout):
    """Shows one view of the scene, and the outline of the main object over it.

    Args:
        size: (width, height) of the photo.
        aimed: Takes a point of the photo that was clicked at.
    """

    def __init__(self, size: tuple[int, int], aimed: Callable[[tuple[float, float]], None]) -> None:
        super().__init__()
        self._size, self._aimed = size, aimed
        self._picture: Any = None
        self._outline: Any = None
        self._outlined = True
        # Drawing with cairo would need a package that not every GIMP has beside it.
        self._image = Gtk.Image()
        self.put(self._image, 0, 0)
        width, height = size
        scale = SIDE / max(width, height)
        self.set_size_request(max(64, round(width * scale)), max(64, round(height * scale)))
        self.set_hexpand(True)
        self.set_vexpand(True)
        self.add_events(Gdk.EventMask.BUTTON_PRESS_MASK)
        self.set_tooltip_text(_("Click on the object that the flash shall be aimed at."))
        self.connect("size-allocate", lambda *_allocated: self._show())
        self.connect("button-press-event", self._pressed)

    def show_pictures(self, picture: Any, outline: Any) -> None:
        """Show ``picture`` and ``outline``, Pixels in u8."""
        self._picture, self._outline = _pixbuf(picture), _pixbuf(outline)
        self._show()

    def set_outlined(self, outlined: bool) -> None:
        """Show the outline or not."""
        self._outlined = outlined
        self._show()

    def _frame(self) -> tuple[float, float, float]:
        """Scale from the photo to the widget, and where its corner lies."""
        width, height = self._size
        across, down = self.get_allocated_width(), self.get_allocated_height()
        scale = min(across / width, down / height)
        return scale, (across - width * scale) / 2, (down - height * scale) / 2

    def _show(self) -> None:
        if self._picture is None:
            return
        scale, left, top = self._frame()
        width, height = (max(1, round(side * scale)) for side in self._size)
        bilinear = GdkPixbuf.InterpType.BILINEAR
        shown = self._picture.scale_simple(width, height, bilinear)
        if self._outlined:
            across, down = width / self._outline.get_width(), height / self._outline.get_height()
            self._outline.composite(shown, 0, 0, width, height, 0, 0, across, down, bilinear, 255)
        self._image.set_from_pixbuf(shown)
        self.move(self._image, round(left), round(top))

    def _pressed(self, _widget: Any, event: Any) -> bool:
        scale, left, top = self._frame()
        x, y = (event.x - left) / scale, (event.y - top) / scale
        if 0 <= x < self._size[0] and 0 <= y < self._size[1]:
            self._aimed((x, y))
        return True


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
