"""How far the making of a night is, as one number.

Standard library only, like all that the command line reads before there is work to do.
"""

from __future__ import annotations

from collections.abc import Callable

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
