"""The callback for the progress of a request. Standard library only."""

from __future__ import annotations

from collections.abc import Callable

ReportProgress = Callable[[str, float, str], None]
"""Called with the stage's name, the fraction of the whole work done, 0..1, and a sentence."""


def ignore_progress(stage: str, fraction: float, sentence: str) -> None:
    """Do without progress."""
