"""What is done a while after it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gi.repository import GLib


class Soon:
    """Something that is done once, a while after it was asked for last.

    Args:
        do: What.
    """

    def __init__(self, do: Callable[[], Any]) -> None:
        self._do, self._timer = do, 0

    @property
    def waits(self) -> bool:
        """Whether it is still to be done."""
        return bool(self._timer)

    def ask(self, milliseconds: int) -> None:
        """Have it done so much later, and not before."""
        self.stop()
        self._timer = GLib.timeout_add(milliseconds, self._now)

    def stop(self) -> None:
        """Have it not done."""
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0

    def _now(self) -> bool:
        self._timer = 0
        self._do()
        return False
