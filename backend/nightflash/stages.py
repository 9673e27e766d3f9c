"""How far the making of a night is, as one number.

Standard library only, like all that the command line reads before there is work to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Progress = Callable[[str, float], None]
"""Called with the stage's name and the fraction of it done, 0..1; stops the work by raising."""

SHARES = {
    "preview": {"scene": 80, "light": 20},
    "fast": {"scene": 40, "light": 5, "full size": 55},
    "best": {"scene": 10, "light": 2, "refine": 60, "full size": 28},
}
"""Quality to the percentage of time that each stage takes."""


def overall(quality: str, stage: str, fraction: float) -> float:
    """Fraction 0..1 of the whole work done when ``fraction`` of ``stage`` is."""
    shares = SHARES[quality]
    if stage not in shares:
        return 0.0
    stages = list(shares)
    before = sum(shares[earlier] for earlier in stages[: stages.index(stage)])
    return (before + shares[stage] * fraction) / 100


@dataclass
class Stopwatch:
    """Reports the progress of each stage, and takes its time.

    Attributes:
        progress: Is called with the stage and the fraction of it that is done, 0..1.
        seconds: Of the stages that are done.
    """

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[float], None]]:
        """Do a stage; what it gives takes the share of it that is done, 0..1."""
        self.progress(name, 0.0)
        start = time.perf_counter()
        yield lambda fraction: self.progress(name, fraction)
        self.seconds[name] = round(time.perf_counter() - start, 4)
        self.progress(name, 1.0)
