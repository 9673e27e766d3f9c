"""A night that was edited takes the place of what it was, with all that the user did to that layer.

Its name, mask, opacity, mode and filters stay, and so does its place; only its pixels are others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nightflash.client.protocol import Pixels
from nightflash.errors import NightFlashError

from plugin import pixels
from plugin.nights import (
    PART,
    PARTS,
    all_layers,
    corner,
    keep,
    kept,
    new_parts,
    one_step,
    require_unchanged,
)
from plugin.texts import translated as _

if TYPE_CHECKING:
    from plugin.layers import Source


def replace_night(source: Source, pictures: Sequence[Pixels], wanted: Mapping[str, Any]) -> Any:
    """Put a night in the place of ``source.night``; gives the layer or group. One step of undo.

    Args:
        source: The photo, and the night.
        pictures: One, or two where the night is a group, as `nights.add_night` takes them.
        wanted: ``settings``, ``point`` and ``mask`` that it was asked for with.

    Raises:
        NightFlashError: ``gone`` or ``changed``: nothing was replaced.
    """
    image, old = source.image, source.night
    require_place(source)
    group = len(pictures) == 2
    parts = new_parts(source, pictures) if group and len(_parts_of(old)) < 2 else []
    new = old.copy()
    keep(new, source, wanted)  # in the image what is attached cannot be undone
    name, tattoo = old.get_name(), old.get_tattoo()
    parent, position = old.get_parent(), image.get_item_position(old)
    with one_step(image):
        image.remove_layer(old)
        image.insert_layer(new, parent, position)
        new.set_name(name)
        new.set_tattoo(tattoo)  # the newest night of a photo is known by it
        if group:
            _fill_group(source, new, pictures, parts)
        else:
            _fill(source, new, pictures[0])
        image.set_selected_layers([new])
    return new


def require_place(source: Source) -> None:
    """Raise where the photo is not what it was, or the night to be replaced is not there.

    Raises:
        NightFlashError: ``gone`` or ``changed``.
    """
    require_unchanged(source)
    night = source.night
    if night is None or any(one.get_id() == night.get_id() for one in all_layers(source.image)):
        return
    raise NightFlashError(
        _("The night was removed before its edit was ready, so nothing was added."),
        _("Bring it back with Undo or Redo and try again, or call the filter on the photo."),
        code="gone",
    )


def _fill_group(source: Source, group: Any, pictures: Sequence[Pixels], new: Sequence[Any]) -> None:
    """Fill the parts that are there; those that were removed are there again, on top."""
    there = _parts_of(group)
    for number, (name, picture) in enumerate(zip(PARTS, pictures, strict=True)):
        if name in there:
            _fill(source, there[name], picture)
        else:
            source.image.insert_layer(new[number], group, 0)


def _parts_of(group: Any) -> dict[str, Any]:
    """The parts of a night in a group, by name."""
    parts: dict[str, Any] = {}
    for layer in group.get_children() if group.is_group() else ():
        name = (kept(layer, PART) or b"").decode("ascii", "replace")
        if name in PARTS and not layer.is_group():
            parts.setdefault(name, layer)
    return parts


def _fill(source: Source, layer: Any, picture: Pixels) -> None:
    """Give a layer other pixels; where it has another size than the photo now, the photo's."""
    if (layer.get_width(), layer.get_height()) != source.size:
        x, y = corner(source)
        _ok, left, top = layer.get_offsets()
        layer.resize(*source.size, left - x, top - y)
    if source.alpha and picture.layout.channels in (2, 4) and not layer.has_alpha():
        layer.add_alpha()
    pixels.write(layer, picture)
