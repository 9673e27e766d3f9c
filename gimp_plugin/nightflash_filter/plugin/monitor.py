"""The colours of the monitor, as GIMP's own canvas shows them."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Babl", "0.1")
from gi.repository import Babl, Gegl, Gimp, GimpUi  # noqa: E402
from nightflash.client.protocol import Pixels  # noqa: E402

FORMATS = {3: "R'G'B' u8", 4: "R'G'B'A u8"}


class Monitor:
    """Turns sRGB into the colours of the monitor that a widget is on.

    Args:
        widget: Where pictures are shown.
    """

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._config = Gimp.get_color_configuration()
        self._transforms: dict[int, Any] = {}

    def shown(self, pixels: Pixels) -> Pixels:
        """Pixels in u8, sRGB, as the monitor needs them; grey ones are data and stay."""
        layout = pixels.layout
        if layout.channels not in FORMATS:
            return pixels
        if layout.channels not in self._transforms:
            self._transforms[layout.channels] = self._transform(FORMATS[layout.channels])
        transform = self._transforms[layout.channels]
        if transform is None:
            return pixels
        name = FORMATS[layout.channels]
        whole = Gegl.Rectangle.new(0, 0, layout.width, layout.height)
        day, seen = (Gegl.Buffer.new(name, 0, 0, layout.width, layout.height) for _ in "12")
        day.set(whole, name, b"".join(bytes(strip) for strip in pixels.strips))
        transform.process_buffer(day, whole, seen, whole)
        return Pixels.cut(layout, seen.get(whole, 1.0, name, Gegl.AbyssPolicy.NONE))

    def _transform(self, name: str) -> Any:
        """From sRGB to the monitor; None where there is nothing to be done."""
        form, srgb = Babl.format(name), Gimp.ColorProfile.new_rgb_srgb()
        return GimpUi.widget_get_color_transform(
            self._widget,
            self._config,
            srgb,
            form,
            form,
            srgb,  # what would be proved: Python can give no None, and this changes nothing
            Gimp.ColorRenderingIntent.PERCEPTUAL,
            False,
        )
