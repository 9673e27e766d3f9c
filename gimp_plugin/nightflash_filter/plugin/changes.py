"""Changes of settings as steps that can be taken back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from nightflash.settings import SETTING_INFO

from plugin.arguments import argument_name
from plugin.history import History, Step

PAUSE = 0.7  # seconds between changes from which they are two steps; a drag, or a preset, is one
KEPT = (
    *(argument_name(setting) for setting in SETTING_INFO),
    *(f"{argument_name(s)}-off" for s, info in SETTING_INFO.items() if info.can_be_off),
    *("output", "preset"),
)


class Changes:
    """Adds every change of a configuration's settings to a history.

    Args:
        config: A procedure's configuration.
        history: Of the dialog.
    """

    def __init__(self, config: Any, history: History) -> None:
        self._config, self._history = config, history
        self._now = self._begun = self._values()
        self._step: Step | None = None  # that goes on while changes follow each other
        self._at = 0.0  # when the last one was
        self._listening = config.connect("notify", lambda *_changed: self._changed())

    def _values(self) -> dict[str, Any]:
        return {name: self._config.get_property(name) for name in KEPT}

    def _changed(self) -> None:
        now = self._values()
        if now == self._now:
            return
        clock = time.monotonic()
        more = self._step is not None and self._step is self._history.last
        if not more or clock - self._at > PAUSE:
            self._step, self._begun = None, self._now
        step = Step(partial(self._put, self._begun), partial(self._put, now))
        self._history.add(step, instead=self._step)
        self._step, self._now, self._at = step, now, clock

    def _put(self, values: Mapping[str, Any]) -> None:
        with self._config.handler_block(self._listening):
            for name, value in values.items():
                self._config.set_property(name, value)
        self._now, self._step = self._values(), None
