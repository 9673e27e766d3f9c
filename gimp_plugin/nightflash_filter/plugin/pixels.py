"""Pixels of GIMP's drawables for the backend, and the backend's for drawables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gi.repository import Gegl, Gimp
from nightflash.client.protocol import Layout, Pixels

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
    left, above = corner
    strips = []
    for top, rows in layout.strips():
        strip = bytearray(rows * layout.row_bytes)
        for area, part in _rows_of_tiles(layout, top, memoryview(strip)):
            at = Gegl.Rectangle.new(left, above + area.y, area.width, area.height)
            part[:] = buffer.get(at, 1.0, name, Gegl.AbyssPolicy.NONE)
        strips.append(strip)
    return Pixels(layout, strips)


def write(drawable: Any, picture: Pixels) -> None:
    """Fill a drawable of the picture's size."""
    layout, buffer = picture.layout, drawable.get_buffer()
    for strip, (top, _rows) in zip(picture.strips, layout.strips(), strict=True):
        for area, part in _rows_of_tiles(layout, top, memoryview(strip).cast("B")):
            # A memoryview takes 18 times as long; Pixels has checked the length.
            buffer.set(area, _format(layout), bytes(part))
    buffer.flush()
    drawable.update(0, 0, layout.width, layout.height)


def alike(one: Pixels | None, other: Pixels | None) -> bool:
    """Whether two pictures are the same, or there is none twice."""
    if one is None or other is None:
        return one is other
    return one.layout == other.layout and one.strips == other.strips


def scaled_down(picture: Pixels, longest: int) -> Pixels:
    """A picture in u8 with three or four channels whose longer side is at most ``longest``."""
    layout = picture.layout
    whole = Gegl.Buffer.new(_format(layout), 0, 0, layout.width, layout.height)
    for strip, (top, rows) in zip(picture.strips, layout.strips(), strict=True):
        area = Gegl.Rectangle.new(0, top, layout.width, rows)
        whole.set(area, _format(layout), bytes(strip))
    scale = min(1.0, longest / max(layout.width, layout.height))
    width, height = (max(1, round(n * scale)) for n in (layout.width, layout.height))
    small = Layout(width, height, "u8", 3 + (layout.channels in (2, 4)))
    at = Gegl.Rectangle.new(0, 0, width, height)
    return Pixels.cut(small, whole.get(at, scale, _format(small), Gegl.AbyssPolicy.CLAMP))


def _rows_of_tiles(layout: Layout, top: int, strip: memoryview) -> Iterator[tuple[Any, memoryview]]:
    """Parts of a strip from row ``top`` on, as high as GIMP's tiles, and where they lie.

    Parts that the processor's cache holds, in memory that is used again, go twice as fast to and
    from GIMP as a whole picture.
    """
    rows, high = len(strip) // layout.row_bytes, Gimp.tile_height()
    for row in range(0, rows, high):
        count = min(high, rows - row)
        part = strip[row * layout.row_bytes : (row + count) * layout.row_bytes]
        yield Gegl.Rectangle.new(0, top + row, layout.width, count), part


def _format(layout: Layout, linear: bool = False) -> str:
    """The babl format of a layout; sRGB primaries, to and from which babl converts."""
    names = NAMES if linear or layout.sample == "float" else ENCODED
    return f"{names[layout.channels]} {layout.sample}"
