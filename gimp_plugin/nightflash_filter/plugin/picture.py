"""Pictures of the photo, or of a region of it, as the canvas shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("GdkPixbuf", "2.0")
from gi.repository import GdkPixbuf, GLib  # noqa: E402

from plugin.monitor import Monitor  # noqa: E402
from plugin.placement import Placement  # noqa: E402

Area = tuple[int, int, int, int]
BILINEAR, NEAREST = GdkPixbuf.InterpType.BILINEAR, GdkPixbuf.InterpType.NEAREST


@dataclass(frozen=True)
class Picture:
    """A picture of a region of the photo.

    Attributes:
        pixbuf: In the monitor's colours.
        region: (x, y, width, height) in pixels of the photo.
    """

    pixbuf: Any
    region: Area

    @classmethod
    def of(cls, pixels: Any, region: Area, monitor: Monitor, over: Any = None) -> Picture:
        """A picture of Pixels in u8; ``over`` is one with alpha that lies over it."""
        pixbuf = _pixbuf(monitor.shown(pixels))
        if over is not None:
            above, pixbuf = _pixbuf(over), pixbuf.copy()
            width, height = pixbuf.get_width(), pixbuf.get_height()
            across, down = width / above.get_width(), height / above.get_height()
            above.composite(pixbuf, 0, 0, width, height, 0, 0, across, down, BILINEAR, 255)
        return cls(pixbuf, region)

    def covers(self, region: Area) -> bool:
        """Whether nothing below it is seen in a region of the photo."""
        x, y, width, height = self.region
        inside = x <= region[0] and region[0] + region[2] <= x + width
        inside = inside and y <= region[1] and region[1] + region[3] <= y + height
        return inside and not self.pixbuf.get_has_alpha()

    @classmethod
    def drawn(cls, pixels: Any, region: Area) -> Picture:
        """A picture of Pixels in u8 that are no photo's: colours stay as they are."""
        return cls(_pixbuf(pixels), region)

    def lay(
        self, shown: Any, corner: tuple[int, int], place: Placement, clip: Area, quick: bool
    ) -> None:
        """Lay it over what is shown, whose corner lies on the canvas at ``corner``.

        Args:
            shown: A pixbuf.
            corner: Where that lies on the canvas.
            place: Where the photo lies there.
            clip: (x, y, width, height) of the canvas that it may cover.
            quick: Whether it is in motion, so that its own pixels need not be smoothed.
        """
        x, y, width, height = place.area(self.region)
        left, top = max(x, clip[0], corner[0]), max(y, clip[1], corner[1])
        right = min(x + width, clip[0] + clip[2], corner[0] + shown.get_width())
        bottom = min(y + height, clip[1] + clip[3], corner[1] + shown.get_height())
        if left >= right or top >= bottom:
            return
        own = self.pixbuf.get_width(), self.pixbuf.get_height()
        exact = max(abs(own[0] - width), abs(own[1] - height)) <= 1
        across, down = (1.0, 1.0) if exact else (width / own[0], height / own[1])
        if exact:  # nothing is lost by a picture that is a pixel short at its far edges
            right, bottom = min(right, x + own[0]), min(bottom, y + own[1])
        magnified = own == self.region[2:] and place.scale > 1
        self.pixbuf.composite(
            *(shown, left - corner[0], top - corner[1], right - left, bottom - top),
            *(x - corner[0], y - corner[1], across, down),
            NEAREST if quick or exact or magnified else BILINEAR,
            255,
        )


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
