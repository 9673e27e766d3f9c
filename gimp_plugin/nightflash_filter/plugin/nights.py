"""Nights as layers: marked with the photo they were made of, found again, and added above it.

Other things go on in GIMP while a night is made: whatever it is added to may have gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gi.repository import Gimp
from nightflash.client.protocol import Layout, Pixels
from nightflash.errors import NightFlashError

from plugin import pixels
from plugin.outline import OUTLINE, Outline
from plugin.record import AIM, MARK, Record, packed
from plugin.texts import translated as _

if TYPE_CHECKING:
    from plugin.layers import Source

NAME = "Night with flash"
NUMBERED = re.compile(re.escape(NAME) + r"(?: #(\d{1,6}))?")
PART = "nightflash-part"
"""The parasite of a part of a night: which of `PARTS`."""
PARTS = ("night", "flash")  # the lower one first


def night_of(layer: Any) -> Any:
    """The night that a layer is, or is a part of; None where it is none."""
    night = layer
    while night is not None and night.get_parasite(MARK) is None:
        night = night.get_parent()
    return night


def record_of(night: Any) -> Record | None:
    """How a night was made; None where that cannot be read."""
    mark = kept(night, MARK)
    return None if mark is None else Record.read(mark)


def kept(layer: Any, name: str) -> bytes | None:
    """The data of a layer's parasite, None where it has none of that name."""
    parasite = layer.get_parasite(name)
    if parasite is None:
        return None
    return bytes(number & 0xFF for number in parasite.get_data())  # bytes may come with a sign


def require_there(image: Any, layer: Any) -> None:
    """Raise where a layer is no longer in its image.

    Raises:
        NightFlashError: ``gone``.
    """
    if not image.is_valid():
        raise NightFlashError(
            _("The image was closed before its night was ready, so nothing was added."),
            _("Open it again, and call the filter on it."),
            code="gone",
        )
    if not any(one.get_id() == layer.get_id() for one in all_layers(image)):
        raise NightFlashError(
            _("The layer was removed before its night was ready, so nothing was added."),
            _("Bring it back with Undo or Redo and try again."),
            code="gone",
        )


def add_night(source: Source, pictures: Sequence[Pixels], wanted: Mapping[str, Any]) -> Any:
    """Add a night above the newest one of its photo, or above the photo; gives the layer or group.

    It is one step of undo.

    Args:
        source: The photo.
        pictures: The night; or two parts of it, without the flash and the flash's own light.
        wanted: ``settings``, ``point``, ``mask`` and ``outline`` that it was asked for with.

    Raises:
        NightFlashError: ``gone`` or ``changed``: the photo is not what it was; nothing was added.
    """
    require_unchanged(source)
    image, photo, name = source.image, source.layer, _free_name(source.image)
    if len(pictures) == 1:
        night, parts = _new_layer(source, name, pictures[0], source.alpha), []
    else:
        night, parts = Gimp.GroupLayer.new(image, name), new_parts(source, pictures)
    require_unchanged(source)  # the pixels took a while
    with one_step(image):
        keep(night, source, wanted)
        below = _newest_night(image, photo) or photo
        image.insert_layer(night, below.get_parent(), image.get_item_position(below))
        for part in parts:
            image.insert_layer(part, night, 0)
        _copy_mask(source, night)
    return night


def keep(night: Any, source: Source, wanted: Mapping[str, Any]) -> None:
    """Have a night keep how it was made."""
    point, (width, height) = wanted["point"], source.size
    record = Record(
        source.layer.get_tattoo(),
        source.content(),
        wanted["settings"],
        None if point is None else (point[0] / width, point[1] / height),
    )
    _attach(night, MARK, record.mark())
    if wanted.get("mask") is not None and point is None:
        _attach(night, AIM, packed(wanted["mask"]))
    else:
        night.detach_parasite(AIM)
    outline = wanted.get("outline") or Outline()
    if outline.corrects:
        _attach(night, OUTLINE, outline.packed(source.size))
    else:
        night.detach_parasite(OUTLINE)


def _attach(layer: Any, name: str, data: bytes) -> None:
    layer.attach_parasite(Gimp.Parasite.new(name, Gimp.PARASITE_PERSISTENT, data))  # ASCII


def _free_name(image: Any) -> str:
    """What the next night of an image is called; numbers count from the second one on."""
    names = [layer.get_name() for layer in all_layers(image) if layer.get_parasite(MARK)]
    taken = [int(found[1] or 1) for name in names if (found := NUMBERED.fullmatch(name))]
    return f"{NAME} #{max(taken) + 1}" if taken else NAME


def new_parts(source: Source, pictures: Sequence[Pixels]) -> list[Any]:
    """The layers of a night in parts, the lower one first."""
    ambient = _new_layer(source, _("Night"), pictures[0], source.alpha)
    flash = _new_layer(source, _("Flash"), pictures[1], alpha=False)
    flash.set_mode(Gimp.LayerMode.ADDITION)
    flash.set_blend_space(Gimp.LayerColorSpace.RGB_LINEAR)
    flash.set_composite_space(Gimp.LayerColorSpace.RGB_LINEAR)
    # Light falls only where something is: the night's own transparency stays.
    flash.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
    for layer, part in zip((ambient, flash), PARTS, strict=True):
        _attach(layer, PART, part.encode())
    return [ambient, flash]


def _new_layer(source: Source, name: str, picture: Pixels, alpha: bool) -> Any:
    kinds = Gimp.ImageType
    kind = (
        (kinds.GRAYA_IMAGE if alpha else kinds.GRAY_IMAGE)
        if source.layer.is_gray()
        else (kinds.RGBA_IMAGE if alpha else kinds.RGB_IMAGE)
    )
    if (picture.layout.width, picture.layout.height) != source.size:
        raise NightFlashError(_("The backend sent a picture of another size."))
    layer = Gimp.Layer.new(source.image, name, *source.size, kind, 100.0, Gimp.LayerMode.NORMAL)
    layer.set_offsets(*corner(source))
    pixels.write(layer, picture)
    return layer


def corner(source: Source) -> tuple[int, int]:
    """Where the night lies: the layer may have been moved meanwhile."""
    _ok, x, y = source.layer.get_offsets()
    return x + source.shift[0], y + source.shift[1]


def _copy_mask(source: Source, night: Any) -> None:
    mask = source.layer.get_mask()
    if mask is None:
        return
    copy = night.create_mask(Gimp.AddMaskType.WHITE)
    night.add_mask(copy)
    layout = Layout(copy.get_width(), copy.get_height(), "float", 1)
    pixels.write(copy, pixels.read(mask, layout, source.shift))
    night.set_apply_mask(source.layer.get_apply_mask())


def require_unchanged(source: Source) -> None:
    """Raise where the photo is not what it was.

    Raises:
        NightFlashError: ``gone`` or ``changed``.
    """
    require_there(source.image, source.layer)
    if shape(source.layer) != source.shape:
        raise NightFlashError(
            _("The layer was given another size or mode before its night was ready."),
            _("Call the filter again."),
            code="changed",
        )


def shape(layer: Any) -> tuple[int, int, bool]:
    """Width, height and whether it is grey, of a layer."""
    return layer.get_width(), layer.get_height(), layer.is_gray()


def _newest_night(image: Any, photo: Any) -> Any:
    """The night of a photo that was made last, None where there is none."""
    tattoo = photo.get_tattoo()
    nights = [
        layer
        for layer in all_layers(image)
        if (record := record_of(layer)) is not None and record.photo == tattoo
    ]
    return max(nights, key=lambda night: night.get_tattoo(), default=None)


def all_layers(image: Any) -> Iterator[Any]:
    """All layers of an image, those in groups too."""
    waiting = list(image.get_layers())
    while waiting:
        layer = waiting.pop()
        yield layer
        if layer.is_group():
            waiting += layer.get_children()


@contextmanager
def one_step(image: Any) -> Iterator[None]:
    """All that is done in this block is one step of undo."""
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()
        Gimp.displays_flush()
