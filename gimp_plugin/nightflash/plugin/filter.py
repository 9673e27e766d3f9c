"""One run of the filter: from the chosen layer to the new one."""

from __future__ import annotations

from typing import Any

from gi.repository import Gegl, Gimp
from nightflash.errors import Cancelled, NightFlashError

from plugin.arguments import chosen_settings, point, set_point
from plugin.backend import backend, in_words
from plugin.layers import Source, the_layer
from plugin.nights import add_night
from plugin.texts import translated as _


class Stopped(Exception):
    """The user stopped the filter; nothing has changed."""


def run_filter(procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any) -> Any:
    """Make the new layer; gives it.

    Raises:
        NightFlashError: What is wrong, in a sentence; nothing has changed.
        Stopped: The user stopped it.
    """
    Gegl.init(None)
    source = the_layer(image, drawables)
    try:
        if run_mode != Gimp.RunMode.NONINTERACTIVE:
            set_point(config, None)  # that of another picture
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from plugin.dialog import ask

            pictures = ask(procedure, config, source, backend())
        else:
            with backend() as client:
                pictures = _render(source, config, client)
    except Cancelled:
        raise Stopped from None
    except NightFlashError as fault:
        raise in_words(fault) from fault
    return add_night(source, pictures)


def request(source: Source, config: Any) -> dict[str, Any]:
    """The fields of a request for work that ``config`` means, but for photo and selection."""
    aim = point(config)
    return {
        "point": None if aim is None else source.on_layer(aim),
        "settings": chosen_settings(config),
    }


def _render(source: Source, config: Any, client: Any) -> Any:
    Gimp.progress_init(_("Night with Flash"))
    photo, mask = source.pixels(), source.selection()
    wanted = request(source, config)

    def tell(stage: str, fraction: float, sentence: str) -> None:
        Gimp.progress_set_text(_(sentence))
        Gimp.progress_update(fraction)

    answer = client.work(
        "render",
        photo,
        mask=mask if wanted["point"] is None else None,
        tell=tell,
        output=config.get_property("output"),
        **wanted,
    )
    Gimp.progress_end()
    return answer.pictures
