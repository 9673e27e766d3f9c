"""Layers and selections to pixels for the backend, and its pixels to new layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gi.repository import Gegl, Gimp
from nightflash.errors import NightFlashError
from nightflash.service.protocol import Layout, Pixels

from plugin.texts import translated as _

NAME = "Night with flash"
NAMES = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}
ENCODED = {1: "Y'", 2: "Y'A", 3: "R'G'B'", 4: "R'G'B'A"}
PERCEPTUAL_8 = (Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL)


@dataclass(frozen=True)
class Source:
    """The layer that the night is made of, and where it lies."""

    image: Any
    layer: Any

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.layer.get_width(), self.layer.get_height()

    @property
    def offsets(self) -> tuple[int, int]:
        """Of the layer's corner in the image."""
        _ok, x, y = self.layer.get_offsets()
        return x, y

    def pixels(self) -> Pixels:
        """The layer's own pixels, without its mask, in the cheapest format that loses nothing."""
        width, height = self.size
        colours = 1 if self.layer.is_gray() else 3
        channels = colours + self.layer.has_alpha()
        eight_bits = self.image.get_precision() in PERCEPTUAL_8 and _is_srgb(self.image)
        layout = Layout(width, height, "u8" if eight_bits else "float", channels)
        return _read(self.layer.get_buffer(), layout, (0, 0))

    def selection(self) -> Pixels | None:
        """The selection on the layer, soft edges kept; None where nothing is selected.

        Raises:
            NightFlashError: It lies beside the layer.
        """
        if Gimp.Selection.is_empty(self.image):
            return None
        touches, *_rest = self.layer.mask_intersect()
        if not touches:
            raise NightFlashError(
                _("The selection does not touch the layer."),
                _("Select the main object on the layer, or nothing."),
                code="bad_aim",
            )
        layout = Layout(*self.size, "u8", 1)
        selection = self.image.get_selection().get_buffer()
        return _read(selection, layout, self.offsets, linear=True)

    def on_layer(self, point: tuple[float, float]) -> tuple[float, float]:
        """A point of the image in pixels of the layer."""
        x, y = self.offsets
        return point[0] - x, point[1] - y


def the_layer(image: Any, drawables: Sequence[Any]) -> Source:
    """The one layer that was chosen.

    Raises:
        NightFlashError: Something else was, with what to do.
    """
    if len(drawables) != 1:
        raise NightFlashError(
            _("Night with Flash works on one layer, and {} are selected.").format(len(drawables)),
            _("Select the layer with the photo alone."),
        )
    (layer,) = drawables
    kinds = (
        (Gimp.GroupLayer, _("a layer group")),
        (Gimp.LayerMask, _("a layer mask")),
        (Gimp.Channel, _("a channel")),
    )
    for kind, name in kinds:
        if isinstance(layer, kind):
            raise NightFlashError(
                _("Night with Flash works on one layer, and this is {}.").format(name),
                _("Select the layer with the photo."),
            )
    if layer.is_indexed():
        raise NightFlashError(
            _("An indexed image has no colours for the night."),
            _("Change it with Image > Mode > RGB."),
        )
    return Source(image, layer)


def add_layer(source: Source, pictures: Sequence[Pixels]) -> Any:
    """Add the night above the source, as one step of undo; gives the new layer or group.

    Args:
        source: Where the photo is.
        pictures: The night; or two parts of it, without the flash and the flash's own light.
    """
    image, layer = source.image, source.layer
    parent, position = layer.get_parent(), image.get_item_position(layer)
    with _one_step(image):
        if len(pictures) == 1:
            night = _new_layer(source, NAME, pictures[0], layer.has_alpha())
            image.insert_layer(night, parent, position)
            _copy_mask(layer, night)
            return night
        group = Gimp.GroupLayer.new(image, NAME)
        image.insert_layer(group, parent, position)
        ambient = _new_layer(source, _("Night"), pictures[0], layer.has_alpha())
        flash = _new_layer(source, _("Flash"), pictures[1], alpha=False)
        flash.set_mode(Gimp.LayerMode.ADDITION)
        flash.set_blend_space(Gimp.LayerColorSpace.RGB_LINEAR)
        flash.set_composite_space(Gimp.LayerColorSpace.RGB_LINEAR)
        # Light falls only where something is: the night's own transparency stays.
        flash.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
        image.insert_layer(ambient, group, 0)
        image.insert_layer(flash, group, 0)
        _copy_mask(layer, group)
        return group


@contextmanager
def _one_step(image: Any) -> Iterator[None]:
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()
        Gimp.displays_flush()


def _new_layer(source: Source, name: str, picture: Pixels, alpha: bool) -> Any:
    grey = source.layer.is_gray()
    kinds = Gimp.ImageType
    kind = (
        (kinds.GRAYA_IMAGE if alpha else kinds.GRAY_IMAGE)
        if grey
        else (kinds.RGBA_IMAGE if alpha else kinds.RGB_IMAGE)
    )
    width, height = source.size
    if (picture.layout.width, picture.layout.height) != (width, height):
        raise NightFlashError(_("The backend sent a picture of another size."))
    layer = Gimp.Layer.new(source.image, name, width, height, kind, 100.0, Gimp.LayerMode.NORMAL)
    layer.set_offsets(*source.offsets)
    _write(layer, picture)
    return layer


def _copy_mask(source: Any, layer: Any) -> None:
    mask = source.get_mask()
    if mask is None:
        return
    copy = layer.create_mask(Gimp.AddMaskType.WHITE)
    layer.add_mask(copy)
    layout = Layout(mask.get_width(), mask.get_height(), "float", 1)
    _write(copy, _read(mask.get_buffer(), layout, (0, 0)))
    layer.set_apply_mask(source.get_apply_mask())


def _is_srgb(image: Any) -> bool:
    profile = image.get_color_profile()
    if profile is None:
        return True
    return any(
        profile.is_equal(known())
        for known in (Gimp.ColorProfile.new_rgb_srgb, Gimp.ColorProfile.new_d65_gray_srgb_trc)
    )


def _format(layout: Layout, linear: bool = False) -> str:
    """The babl format of a layout; sRGB primaries, to and from which babl converts."""
    names = NAMES if linear or layout.sample == "float" else ENCODED
    return f"{names[layout.channels]} {layout.sample}"


def _read(buffer: Any, layout: Layout, corner: tuple[int, int], linear: bool = False) -> Pixels:
    """Pixels of a buffer from ``corner`` on; 0 where there are none."""
    name = _format(layout, linear)
    strips = []
    for top, rows in layout.strips():
        area = Gegl.Rectangle.new(corner[0], corner[1] + top, layout.width, rows)
        strips.append(buffer.get(area, 1.0, name, Gegl.AbyssPolicy.NONE))
    return Pixels(layout, strips)


def _write(drawable: Any, picture: Pixels) -> None:
    layout, buffer = picture.layout, drawable.get_buffer()
    for strip, (top, rows) in zip(picture.strips, layout.strips(), strict=True):
        area = Gegl.Rectangle.new(0, top, layout.width, rows)
        # A memoryview takes 18 times as long; Pixels has checked the length.
        buffer.set(area, _format(layout), bytes(strip))
    buffer.flush()
    drawable.update(0, 0, layout.width, layout.height)
