"""Images made inside GIMP, calls of the filter, and looks at what came of them."""

from __future__ import annotations

import functools
import hashlib
import math
import random
import struct
from collections.abc import Sequence
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp  # noqa: E402

Gegl.init(None)
PROCEDURE = "plug-in-nightflash"
NAME = "Night with flash"
NEUTRAL = {"quality": "fast", "ambient": 0.0, "flash": False, "grain-off": True}
PLAIN = {"quality": "fast", "grain-off": True}
CODES = {"U8": "B", "U16": "H", "U32": "I", "HALF": "e", "FLOAT": "f", "DOUBLE": "d"}


class Refused(Exception):
    """The filter refused; says what it told the user."""


def make_image(
    base: str = "RGB", precision: str = "U8_NON_LINEAR", size: tuple[int, int] = (96, 64)
) -> Any:
    """An empty image."""
    kind = getattr(Gimp.ImageBaseType, base)
    return Gimp.Image.new_with_precision(*size, kind, getattr(Gimp.Precision, precision))


def add_photo(
    image: Any,
    size: tuple[int, int] = (96, 64),
    alpha: bool = False,
    offsets: tuple[int, int] = (0, 0),
    parent: Any = None,
    name: str = "photo",
) -> Any:
    """A layer with an object before a ground, with texture."""
    kind = ("GRAY" if image.get_base_type() == Gimp.ImageBaseType.GRAY else "RGB") + "A" * alpha
    layer = Gimp.Layer.new(
        image, name, *size, getattr(Gimp.ImageType, f"{kind}_IMAGE"), 100.0, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(layer, parent, 0)
    layer.set_offsets(*offsets)
    write(layer, "R'G'B'A float", samples(*size))
    return layer


@functools.cache
def samples(width: int, height: int) -> tuple[float, ...]:
    """Encoded RGBA of the photo; black, white and no alpha at all are among them."""
    dice, found = random.Random(5), []
    for y in range(height):
        for x in range(width):
            u, v = x / width, y / height
            inside = ((u - 0.4) / 0.15) ** 2 + ((v - 0.6) / 0.3) ** 2 < 1
            colour = (0.8, 0.35, 0.25) if inside else (0.3 + 0.3 * v, 0.5, 0.85 - 0.5 * v)
            rgb = [min(max(c + dice.gauss(0, 0.04), 0.0), 1.0) for c in colour]
            if x < 4:
                rgb = [(0.0, 1.0, 0.02, 0.5)[x]] * 3
            found += [*rgb, 1.0 if inside else max(0.0, v * 1.2 - 0.2)]
    return tuple(found)


def area(drawable: Any) -> Any:
    """The whole of a drawable."""
    return Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())


def write(drawable: Any, name: str, values: Sequence[float]) -> None:
    """Fill a drawable; ``name`` is a babl format of floats."""
    buffer = drawable.get_buffer()
    buffer.set(area(drawable), name, struct.pack(f"<{len(values)}f", *values))
    buffer.flush()
    drawable.update(0, 0, drawable.get_width(), drawable.get_height())


def raw(drawable: Any, name: str | None = None) -> bytes:
    """Pixels as they are stored, or in a format."""
    return drawable.get_buffer().get(area(drawable), 1.0, name, Gegl.AbyssPolicy.NONE)


def floats(drawable: Any, name: str = "RGBA float") -> tuple[float, ...]:
    """Pixels in a format of floats."""
    data = raw(drawable, name)
    return struct.unpack(f"<{len(data) // 4}f", data)


def stored(drawable: Any) -> tuple[float, ...]:
    """Samples as they are stored: whole numbers or floats."""
    data, precision = raw(drawable), drawable.get_image().get_precision()
    sample = precision.value_nick.partition("-")[0].upper()
    return struct.unpack(f"<{len(data) // struct.calcsize(CODES[sample])}{CODES[sample]}", data)


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The greatest difference; infinite where one is no number."""
    assert len(one) == len(other), f"{len(one)} and {len(other)} samples"
    return max(
        (math.inf if math.isnan(a) or math.isnan(b) else abs(a - b))
        for a, b in zip(one, other, strict=True)
    )


def night(image: Any, *layers: Any, mode: str = "NONINTERACTIVE", **settings: Any) -> Any:
    """Call the filter; gives the new layer.

    Raises:
        Refused: What it told the user.
    """
    procedure = Gimp.get_pdb().lookup_procedure(PROCEDURE)
    assert procedure is not None, "the filter is not registered"
    config = procedure.create_config()
    config.set_property("run-mode", getattr(Gimp.RunMode, mode))
    config.set_property("image", image)
    config.set_core_object_array("drawables", list(layers))
    for name, value in settings.items():
        config.set_property(name.replace("_", "-"), value)
    values = procedure.run(config)
    if values.index(0) != Gimp.PDBStatusType.SUCCESS:
        raise Refused(str(values.index(1)) if values.length() > 1 else "")
    assert values.length() == 2, f"{values.length()} values"
    return values.index(1)


def state(image: Any) -> dict[str, Any]:
    """All of an image that the filter must leave as it is."""
    return {
        "size": (image.get_width(), image.get_height()),
        "precision": image.get_precision().value_nick,
        "profile": digest(bytes(image.get_effective_color_profile().get_icc_profile())),
        "layers": [of_layer(layer) for layer in image.get_layers()],
        "channels": [digest(raw(channel)) for channel in image.get_channels()],
        "selection": digest(raw(image.get_selection())),
        "selected": [item.get_id() for item in image.get_selected_drawables()],
    }


def of_layer(layer: Any) -> dict[str, Any]:
    """All of a layer."""
    mask = layer.get_mask()
    return {
        "name": layer.get_name(),
        "id": layer.get_id(),
        "type": layer.type().value_nick,
        "place": (layer.get_width(), layer.get_height(), *layer.get_offsets()[1:]),
        "looks": (layer.get_opacity(), layer.get_mode().value_nick, layer.get_visible()),
        "pixels": digest(raw(layer)),
        "mask": digest(raw(mask)) if mask is not None else "",
        "apply": layer.get_apply_mask() if mask is not None else None,
        "children": [of_layer(c) for c in layer.get_children()] if layer.is_group() else [],
    }


def digest(data: bytes) -> str:
    """A name for bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def without(before: dict[str, Any], new: Any) -> dict[str, Any]:
    """A state without the new layer, and without telling which layers are selected."""
    kept = {**before, "selected": None}

    def pruned(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**layer, "children": pruned(layer["children"])}
            | ({"pixels": None, "place": None} if layer["children"] else {})
            for layer in layers
            if layer["id"] != new.get_id()
        ]

    return {**kept, "layers": pruned(before["layers"])}


def adds_night(image: Any, layer: Any, **settings: Any) -> Any:
    """Call the filter and look that it added what it should, where it should, and that alone."""
    before, below = state(image), newest_night(image) or layer
    above = image.get_item_position(below)
    new = night(image, layer, **settings)
    assert without(state(image), new) == without(before, new), f"{before}\n{state(image)}"
    assert new.get_name().partition(" #")[0] == NAME, new.get_name()
    assert image.get_item_position(new) == above
    assert image.get_item_position(below) == above + 1
    parents = [item.get_parent() for item in (new, layer)]
    assert len({p.get_id() if p else 0 for p in parents}) == 1, "in another group"
    assert new.get_offsets() == layer.get_offsets(), new.get_offsets()[1:]
    assert (new.get_width(), new.get_height()) == (layer.get_width(), layer.get_height())
    assert new.get_opacity() == 100
    assert new.get_visible()
    if not new.is_group():
        assert new.type() == layer.type(), new.type().value_nick
        assert new.get_mode() == Gimp.LayerMode.NORMAL
    return new


def newest_night(image: Any) -> Any:
    """The night that was added last to an image of one photo, None where there is none."""
    nights = [one for one in all_layers(image) if one.get_name().partition(" #")[0] == NAME]
    return max(nights, key=lambda night: night.get_id(), default=None)


def all_layers(image: Any) -> list[Any]:
    """The layers of an image, those in groups too."""

    def inside(layer: Any) -> list[Any]:
        children = layer.get_children() if layer.is_group() else []
        return [layer, *(one for child in children for one in inside(child))]

    return [one for layer in image.get_layers() for one in inside(layer)]


def refuses(image: Any, *layers: Any, **settings: Any) -> str:
    """Call the filter, which must refuse and change nothing; gives its sentence."""
    before = state(image)
    try:
        night(image, *layers, **settings)
    except Refused as fault:
        sentence = str(fault)
    else:
        raise AssertionError("it did not refuse")
    assert state(image) == before, f"{before}\n{state(image)}"
    assert sentence.endswith(".") or ": " in sentence, sentence  # else it ends in a command
    assert len(sentence) > 20, sentence
    assert "Error" not in sentence, sentence
    assert "Traceback" not in sentence, sentence
    return sentence
