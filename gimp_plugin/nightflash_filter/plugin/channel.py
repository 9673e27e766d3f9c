"""The main object as a channel of the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gi.repository import Gegl, Gimp

from plugin.layers import Source
from plugin.texts import translated as _

OPACITY = 50.0  # per cent at which it is shown over the image


def add_channel(source: Source, strips: Sequence[Any]) -> None:
    """Add a channel whose white is the main object, not shown over the image; one step to undo.

    Args:
        source: The photo.
        strips: The mask of the main object, grey Pixels in u8, top to bottom.
    """
    image, (left, top) = source.image, source.offsets
    size = image.get_width(), image.get_height()
    channel = Gimp.Channel.new(image, _("Lit object"), *size, OPACITY, Gegl.Color.new("#ffa500"))
    buffer = channel.get_buffer()
    for strip in strips:
        layout = strip.layout
        area = Gegl.Rectangle.new(left, top, layout.width, layout.height)
        buffer.set(area, "Y u8", b"".join(bytes(part) for part in strip.strips))
        top += layout.height
    buffer.flush()
    channel.set_visible(False)
    selected = image.get_selected_layers()
    image.insert_channel(channel, None, 0)  # whole, whoever looks
    image.set_selected_layers(selected)  # the channel would be what is worked on next
    Gimp.displays_flush()
