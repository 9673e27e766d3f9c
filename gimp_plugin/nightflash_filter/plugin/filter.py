"""One run of the filter: from the chosen layer to the new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from gi.repository import Gegl, Gimp
from nightflash.errors import Cancelled, NightFlashError

from plugin.again import show_note, take_up, take_up_what_was_not_said, the_source, without_night
from plugin.arguments import chosen_settings, point, set_point
from plugin.backend import backend, in_words
from plugin.faults import in_own_language
from plugin.last_aim import remembered
from plugin.layers import Source
from plugin.nights import add_night
from plugin.outline import fields
from plugin.replacing import replace_night
from plugin.texts import translated as _


class Stopped(Exception):
    """The user stopped the filter; nothing has changed."""


@dataclass(frozen=True)
class Made:
    """What the backend made.

    Attributes:
        pictures: Of the new layer or layers.
        wanted: ``settings``, ``point``, ``mask`` and ``outline`` that it was asked for with.
    """

    pictures: Sequence[Any]
    wanted: Mapping[str, Any]


def run_filter(procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any) -> Any:
    """Make the new layer; gives it.

    Raises:
        NightFlashError: What is wrong, in a sentence; nothing has changed.
        Stopped: The user stopped it.
    """
    Gegl.init(None)
    source = the_source(image, drawables)
    how = "add" if source.night is None else _how(run_mode, config)
    try:
        if run_mode != Gimp.RunMode.NONINTERACTIVE:
            set_point(config, None)  # that of another picture
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from plugin.dialog import Dialog

            take_up(source, config)
            with closing(Dialog(procedure, config, source, backend())) as dialog:
                made = dialog.run()
        else:
            if how == "edit":
                source = take_up_what_was_not_said(source, config)
            if how == "add":
                source = without_night(source)
            if run_mode == Gimp.RunMode.WITH_LAST_VALS:
                source = _aimed_as_last(source, config)
            show_note(source)
            with backend() as client:
                made = _render(source, config, client)
    except Cancelled:
        raise Stopped from None
    except NightFlashError as fault:
        raise in_words(fault) from fault
    put = add_night if how == "add" else replace_night
    return put(source, made.pictures, made.wanted)


def _how(run_mode: Any, config: Any) -> str:
    """What is done with a night that was chosen, one of `arguments.ON_NIGHT`."""
    if run_mode == Gimp.RunMode.INTERACTIVE:
        return "edit"
    return "add" if run_mode == Gimp.RunMode.WITH_LAST_VALS else config.get_property("on-night")


def _aimed_as_last(source: Source, config: Any) -> Source:
    """The source with what the last dialog lit on it."""
    outline = remembered(source)
    if outline.aim is not None:
        (x, y), (left, top) = outline.aim, source.offsets
        set_point(config, (x + left, y + top))
    return replace(source, outline=outline)


def request(source: Source, config: Any) -> dict[str, Any]:
    """The fields of a request for work that ``config`` means, but for photo and selection."""
    aim = point(config)
    return {
        "point": None if aim is None else source.on_layer(aim),
        "settings": chosen_settings(config),
    }


def output(source: Source, config: Any) -> str:
    """What is added, one of `arguments.OUTPUTS`; a night that is edited stays what it is."""
    if source.night is None:
        return str(config.get_property("output"))
    return "parts" if source.night.is_group() else "one"


def _render(source: Source, config: Any, client: Any) -> Made:
    Gimp.progress_init(_("Night with Flash"))
    photo, mask = source.pixels(), source.selection()
    wanted = request(source, config)
    wanted["mask"] = mask if wanted["point"] is None else None
    corrected = fields(source.outline, source.size)

    def report_progress(stage: str, fraction: float, sentence: str) -> None:
        Gimp.progress_set_text(in_own_language(sentence))
        Gimp.progress_update(fraction)

    made = output(source, config)
    answer = client.work(
        "render", photo, report_progress=report_progress, output=made, **corrected, **wanted
    )
    Gimp.progress_end()
    return Made(answer.pictures, {**wanted, "outline": source.outline})
