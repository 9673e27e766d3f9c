"""The photo that is worked on: the layer that was chosen or, where that is a night, the photo that
it was made of, with all that the night keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from gi.repository import Gimp
from nightflash.client.protocol import Pixels
from nightflash.errors import NightFlashError

from plugin.arguments import chosen_settings, set_point, set_settings
from plugin.layers import Source, read
from plugin.nights import all_layers, kept, night_of, record_of
from plugin.outline import OUTLINE, Outline
from plugin.outline import unpacked as outline_of
from plugin.record import AIM, Record, unpacked
from plugin.texts import translated as _


def the_source(image: Any, drawables: Sequence[Any]) -> Source:
    """The photo of the one layer that was chosen, and the night where it is one.

    Raises:
        NightFlashError: Something else was chosen, with what to do; ``no_photo`` where the photo
            of a night is no longer in the image.
    """
    chosen = _one(drawables)
    night = night_of(chosen)
    if night is None:
        return read(image, chosen)
    record = record_of(night)
    if record is None:
        source = read(image, chosen)
        return replace(source, note=_("What this layer keeps of a night cannot be read."))
    return _of_night(image, night, record)


def _one(drawables: Sequence[Any]) -> Any:
    if len(drawables) != 1:
        raise NightFlashError(
            _("Night with Flash works on one layer, and {} are selected.").format(len(drawables)),
            _("Select the layer with the photo alone."),
        )
    return drawables[0]


def without_night(source: Source) -> Source:
    """The photo alone, for another night of it; what was drawn for the chosen one does not aim."""
    if source.night is None:
        return source
    selection = source.selection() if source.selects else None
    return replace(
        source, night=None, record=None, note="", outline=Outline(), _selection=selection
    )


def take_up(source: Source, config: Any) -> None:
    """Have the settings and the aim of the night that is edited again; a selection aims anew."""
    if source.record is None:
        return
    set_settings(config, dict(source.record.settings))
    config.set_property("output", "parts" if source.night.is_group() else "one")
    place = source.record.point
    if place is None or source.selects:
        set_point(config, None)
    else:
        (x, y), (width, height) = source.offsets, source.size
        set_point(config, (x + place[0] * width, y + place[1] * height))


def take_up_what_was_not_said(source: Source, config: Any) -> Source:
    """Have the settings and the aim of the night, but for arguments that are no defaults.

    Gives the source, without the corrections of an aim that is another one now.
    """
    fresh = config.get_procedure().create_config()
    before, usual = chosen_settings(config), chosen_settings(fresh)
    said = {name: value for name, value in before.items() if value != usual[name]}
    place = config.get_property("point-x"), config.get_property("point-y")
    take_up(source, config)
    set_settings(config, said)
    if place != (fresh.get_property("point-x"), fresh.get_property("point-y")):
        set_point(config, place)
        return replace(source, outline=Outline())
    return source


def _of_night(image: Any, night: Any, record: Record) -> Source:
    notes, source = list(record.faults), None
    for layer in _photos(image, night, record):
        found = read(image, layer)
        source = source or (found if layer.get_tattoo() == record.photo else None)
        if found.content() == record.content:
            source = found
            break
    if source is None:
        raise NightFlashError(
            _("This layer is a night, and the photo it was made of is no longer in the image."),
            _("Select a layer with a photo, or bring that one back with Undo."),
            code="no_photo",
        )
    if record.content and source.content() != record.content:
        notes.append(_("The photo has changed since this night was made: it is taken as it is."))
    selects = source.selection() is not None
    drawn, fault = _drawn(night, source.size)
    if not selects:
        outline, lost = _corrections(night, source.size)
        source = replace(source, outline=outline, _selection=drawn)
        notes += [sentence for sentence in (fault, lost) if sentence]
    return replace(source, night=night, record=record, selects=selects, note=" ".join(notes))


def _photos(image: Any, night: Any, record: Record) -> Iterator[Any]:
    """Layers that may be the photo of a night, the likeliest first."""
    size = night.get_width(), night.get_height()
    others = []
    for layer in all_layers(image):
        if night_of(layer) is not None or layer.is_group():
            continue
        if layer.get_tattoo() == record.photo:
            yield layer
        elif record.content and (layer.get_width(), layer.get_height()) == size:
            others.append(layer)
    yield from others


def _drawn(night: Any, size: tuple[int, int]) -> tuple[Pixels | None, str]:
    """What was drawn to aim a night with, and a sentence where it cannot be had."""
    data = kept(night, AIM)
    if data is None:
        return None, ""
    drawn = unpacked(data, size)
    if drawn is None:
        return None, _("What was drawn to aim this night does not fit the photo: aim anew.")
    return drawn, ""


def _corrections(night: Any, size: tuple[int, int]) -> tuple[Outline, str]:
    """How the outline of a night's object was corrected, and a sentence where it cannot be had."""
    data = kept(night, OUTLINE)
    if data is None:
        return Outline(), ""
    outline = outline_of(data, size)
    if outline is None:
        return Outline(), _("The corrections of this night's outline cannot be read.")
    return outline, ""


def show_note(source: Source) -> None:
    """Show what is to be said of the night in GIMP, where there is no window of ours."""
    if source.note:
        Gimp.message(source.note)
