"""What ``config.toml`` says, as values with types."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

CONFIG = Path(__file__).parent / "config.toml"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns; ``averaging`` is the decay of the mean of weights."""

    seed: int
    steps: int
    learning_rate: float
    weight_decay: float
    warm_up: int
    averaging: float


@dataclass(frozen=True)
class Recipe:
    """One network's part of the configuration."""

    schedule: Schedule
    rest: dict[str, Any]

    @classmethod
    def of(cls, network: str, path: Path = CONFIG) -> Self:
        """Read the part of one network.

        Raises:
            KeyError: Where the file has no such part, or a value is missing in it.
        """
        values = dict(tomllib.loads(path.read_text(encoding="utf-8"))[network])
        names = Schedule.__dataclass_fields__
        schedule = Schedule(**{name: values.pop(name) for name in names})
        return cls(schedule, values)
