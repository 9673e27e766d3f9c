"""The stages of making a night, and how far that is, as one number.

Standard library only, like all that the command line reads before there is work to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

START = "start"  # of a backend, by its client
TRANSFER = "transfer"  # of pictures to and from a remote, by its client
NETWORKS = "networks"  # are read
SCENE = "scene"
LIGHT = "light"
REFINE = "refine"
FULL_SIZE = "full size"

STAGE_WORDS = {
    NETWORKS: "Loading the networks",
    SCENE: "Looking at the photo",
    LIGHT: "Lighting the scene",
    REFINE: "Refining",
    FULL_SIZE: "Working out every pixel",
}
"""Stage of a backend's work to what it tells the user."""

Progress = Callable[[str, float], None]
"""Called with the stage's name and the fraction of it done, 0..1; stops the work by raising."""

SHARES = {
    "preview": {SCENE: 80, LIGHT: 20},
    "fast": {SCENE: 40, LIGHT: 5, FULL_SIZE: 55},
    "best": {SCENE: 10, LIGHT: 2, REFINE: 60, FULL_SIZE: 28},
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
