"""Nights as layers: marked with the photo they were made of, found again, and added above it.

Other things go on in GIMP while a night is made: whatever it is added to may have gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gi.repository import Gimp
from nightflash.client.protocol import Layout, Pixels
from nightflash.errors import NightFlashError

from plugin import pixels
from plugin.texts import translated as _

if TYPE_CHECKING:
    from plugin.layers import Source

NAME = "Night with flash"
MARK = "nightflash-night"  # the parasite of a night: JSON with the tattoo of its photo


def photo_of(image: Any, layer: Any) -> Any:
    """The photo that a night, or a part of one, was made of; any other layer itself.

    Raises:
        NightFlashError: ``no_photo`` where the photo is no longer in the image.
    """
    night: Any = layer
    while night is not None and (tattoo := _photo_tattoo(night)) is None:
        night = night.get_parent()
    if night is None:
        return layer
    photo = next((one for one in _layers(image) if one.get_tattoo() == tattoo), None)
    if photo is None:
        raise NightFlashError(
            _("This layer is a night, and the photo it was made of is no longer in the image."),
            _("Select a layer with a photo, or bring that one back with Undo."),
            code="no_photo",
        )
    return photo


def require_there(image: Any, layer: Any) -> None:
    """Raise where a layer is no longer in its image.

    Raises:
        NightFlashError: ``gone``.
    """
    if not any(one.get_id() == layer.get_id() for one in _layers(image)):
        raise NightFlashError(
            _("The layer was removed before its night was ready, so nothing was added."),
            _("Bring it back with Undo or Redo and call the filter again."),
            code="gone",
        )


def add_night(source: Source, pictures: Sequence[Pixels]) -> Any:
    """Add a night above the newest one of its photo, or above the photo; gives the layer or group.

    It is one step of undo.

    Args:
        source: The photo.
        pictures: The night; or two parts of it, without the flash and the flash's own light.

    Raises:
        NightFlashError: ``gone`` or ``changed``: the photo is not what it was; nothing was added.
    """
    _require_unchanged(source)
    if len(pictures) == 1:
        night, parts = _new_layer(source, NAME, pictures[0], source.alpha), []
    else:
        night, parts = Gimp.GroupLayer.new(source.image, NAME), _parts(source, pictures)
    _require_unchanged(source)  # the pixels took a while
    with _one_step(source.image):
        _insert(source, night, parts)
    return night


def _insert(source: Source, night: Any, parts: Sequence[Any]) -> None:
    """Put a night, or a group and its parts, the lower one first, where it belongs."""
    image, photo = source.image, source.layer
    mark = json.dumps({"photo": photo.get_tattoo()}).encode()
    night.attach_parasite(Gimp.Parasite.new(MARK, Gimp.PARASITE_PERSISTENT, mark))
    below = _newest_night(image, photo) or photo
    image.insert_layer(night, below.get_parent(), image.get_item_position(below))
    for part in parts:
        image.insert_layer(part, night, 0)
    _copy_mask(source, night)


def _parts(source: Source, pictures: Sequence[Pixels]) -> list[Any]:
    """The layers of a night in parts, the lower one first."""
    ambient = _new_layer(source, _("Night"), pictures[0], source.alpha)
    flash = _new_layer(source, _("Flash"), pictures[1], alpha=False)
    flash.set_mode(Gimp.LayerMode.ADDITION)
    flash.set_blend_space(Gimp.LayerColorSpace.RGB_LINEAR)
    flash.set_composite_space(Gimp.LayerColorSpace.RGB_LINEAR)
    # Light falls only where something is: the night's own transparency stays.
    flash.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
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
    layer.set_offsets(*_corner(source))
    pixels.write(layer, picture)
    return layer


def _corner(source: Source) -> tuple[int, int]:
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


def _require_unchanged(source: Source) -> None:
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
    nights = [one for one in _layers(image) if _photo_tattoo(one) == tattoo]
    return max(nights, key=lambda night: night.get_tattoo(), default=None)


def _photo_tattoo(night: Any) -> int | None:
    """The number that GIMP knows the photo of a night by; None where the layer is no night."""
    mark = night.get_parasite(MARK)
    try:
        return None if mark is None else int(json.loads(bytes(mark.get_data()))["photo"])
    except (ValueError, KeyError, TypeError):
        return None


def _layers(image: Any) -> Iterator[Any]:
    """All layers of an image, those in groups too."""
    waiting = list(image.get_layers())
    while waiting:
        layer = waiting.pop()
        yield layer
        if layer.is_group():
            waiting += layer.get_children()


@contextmanager
def _one_step(image: Any) -> Iterator[None]:
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()
        Gimp.displays_flush()
