"""What the flash is aimed at, whoever says so: a click, the selection, a night, the last call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plugin import last_aim
from plugin.arguments import point, set_point
from plugin.filter import request
from plugin.layers import Source
from plugin.outline import Outline
from plugin.pixels import alike


class Aiming:
    """Keeps the point, which settings that are reset or loaded bring of another picture.

    Args:
        config: A procedure's configuration.
        source: Of the photo.
    """

    def __init__(self, config: Any, source: Source) -> None:
        self._config, self._source = config, source
        self._mask = source.selection()
        self._aim = point(config)
        self._listening = config.connect("notify", lambda *_changed: self._put())

    @property
    def selected(self) -> bool:
        """Whether something is selected, which aims where the user has not."""
        return self._mask is not None

    def outline(self) -> Outline:
        """What is lit at first: as by the night that is edited, else as by the last call."""
        if self._source.night is None:
            return last_aim.remembered(self._source)
        return replace(self._source.outline, aim=request(self._source, self._config)["point"])

    def take(self, place: tuple[float, float] | None) -> None:
        """Aim at a point of the photo, or at none."""
        x, y = self._source.offsets
        self._aim = None if place is None else (place[0] + x, place[1] + y)
        self._put()

    def select_anew(self) -> bool:
        """Take the selection as it is now; whether it differs. That of a night stays."""
        if self._source.night is not None:
            return False
        before, self._mask = self._mask, self._source.selected_now().selection()
        return not alike(before, self._mask)

    def wanted(self, corrections: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a request for work, but for the photo."""
        wanted = {**request(self._source, self._config), **corrections}
        if wanted["point"] is None:
            wanted["mask"] = self._mask
        return wanted

    def _put(self) -> None:
        if point(self._config) != self._aim:
            with self._config.handler_block(self._listening):
                set_point(self._config, self._aim)
