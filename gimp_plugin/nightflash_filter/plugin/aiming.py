"""The point that the flash is aimed at, in the configuration that the other settings are in."""

from __future__ import annotations

from typing import Any

from plugin.arguments import point, set_point
from plugin.layers import Source


class Aiming:
    """Keeps the point: settings that are reset or loaded bring one of another picture along.

    Args:
        config: A procedure's configuration.
        source: Of the photo.
    """

    def __init__(self, config: Any, source: Source) -> None:
        self._config, self._source = config, source
        self._aim = point(config)
        self._listening = config.connect("notify", lambda *_changed: self._put())

    def take(self, place: tuple[float, float] | None) -> None:
        """Aim at a point of the photo, or at none."""
        x, y = self._source.offsets
        self._aim = None if place is None else (place[0] + x, place[1] + y)
        self._put()

    def _put(self) -> None:
        if point(self._config) != self._aim:
            with self._config.handler_block(self._listening):
                set_point(self._config, self._aim)
