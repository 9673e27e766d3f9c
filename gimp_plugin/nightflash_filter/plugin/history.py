"""What was done in the dialog, a step after the other, to be taken back and done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        back: Takes it back.
        again: Does it again.
    """

    back: Callable[[], None]
    again: Callable[[], None]


class History:
    """The steps so far, and those that were taken back."""

    def __init__(self) -> None:
        self._past: list[Step] = []
        self._future: list[Step] = []

    @property
    def last(self) -> Step | None:
        """The step that would be taken back next."""
        return self._past[-1] if self._past else None

    def add(self, step: Step, instead: Step | None = None) -> None:
        """Count what has been done, perhaps instead of the last step, of which it is more."""
        if instead is not None and instead is self.last:
            self._past.pop()
        self._past.append(step)
        self._future.clear()

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        if self._past:
            self._future.append(self._past.pop())
            self._future[-1].back()

    def redo(self) -> None:
        """Do again what was taken back last."""
        if self._future:
            self._past.append(self._future.pop())
            self._past[-1].again()
