"""Pixels of GIMP's drawables for the backend, and the backend's for drawables."""

from __future__ import annotations

from typing import Any

from gi.repository import Gegl
from nightflash.service.protocol import Layout, Pixels

NAMES = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}
ENCODED = {1: "Y'", 2: "Y'A", 3: "R'G'B'", 4: "R'G'B'A"}


def read(drawable: Any, layout: Layout, corner: tuple[int, int], linear: bool = False) -> Pixels:
    """Pixels of a drawable from ``corner`` on; 0 where there are none.

    Args:
        drawable: A layer, mask or channel.
        layout: What to read: floats are linear light, whole numbers encoded.
        corner: Left and top, in pixels of the drawable.
        linear: Whether whole numbers are linear too, as those of a selection.
    """
    name, buffer = _format(layout, linear), drawable.get_buffer()
    strips = []
    for top, rows in layout.strips():
        area = Gegl.Rectangle.new(corner[0], corner[1] + top, layout.width, rows)
        strips.append(buffer.get(area, 1.0, name, Gegl.AbyssPolicy.NONE))
    return Pixels(layout, strips)


def write(drawable: Any, picture: Pixels) -> None:
    """Fill a drawable of the picture's size."""
    layout, buffer = picture.layout, drawable.get_buffer()
    for strip, (top, rows) in zip(picture.strips, layout.strips(), strict=True):
        area = Gegl.Rectangle.new(0, top, layout.width, rows)
        # A memoryview takes 18 times as long; Pixels has checked the length.
        buffer.set(area, _format(layout), bytes(strip))
    buffer.flush()
    drawable.update(0, 0, layout.width, layout.height)


def _format(layout: Layout, linear: bool = False) -> str:
    """The babl format of a layout; sRGB primaries, to and from which babl converts."""
    names = NAMES if linear or layout.sample == "float" else ENCODED
    return f"{names[layout.channels]} {layout.sample}"
