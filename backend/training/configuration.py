"""What ``config.toml`` says, as values with types."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

CONFIG = Path(__file__).parent / "config.toml"


@dataclass(frozen=True)
class Stage:
    """A part of a training.

    Attributes:
        steps: How many it takes.
        horizon: Steps after which the learning rate would reach zero.
        warm_up: Steps in which it rises.
        learning_rate: The highest.
        rest: What else is said of the stage.
    """

    steps: int
    horizon: int
    warm_up: int
    learning_rate: float
    rest: Mapping[str, Any]

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """A stage of a configuration.

        Raises:
            KeyError: Where a value is missing.
        """
        rest = dict(said)
        steps, horizon, warm_up = (int(rest.pop(key)) for key in ("steps", "horizon", "warm_up"))
        return cls(steps, horizon, warm_up, float(rest.pop("learning_rate")), rest)

    def rate(self, step: int) -> float:
        """The learning rate at a step of the stage."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        through = (step - self.warm_up) / max(1, self.horizon - self.warm_up)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(through, 1.0)))


@dataclass(frozen=True)
class Recipe:
    """One network's part of the configuration.

    Attributes:
        seed: Of all that is drawn at random.
        weight_decay: Of the optimiser.
        averaging: Decay of the running average of the weights.
        stages: One after the other.
        rest: What else is said of the network.
    """

    seed: int
    weight_decay: float
    averaging: float
    stages: tuple[Stage, ...]
    rest: Mapping[str, Any]

    @classmethod
    def of(cls, network: str, path: Path = CONFIG) -> Self:
        """Read the part of one network.

        Raises:
            KeyError: Where the file has no such part, or a value is missing in it.
        """
        said = dict(tomllib.loads(path.read_text(encoding="utf-8"))[network])
        stages = tuple(Stage.of(stage) for stage in said.pop("stages"))
        decay, averaging = (float(said.pop(key)) for key in ("weight_decay", "averaging"))
        return cls(int(said.pop("seed")), decay, averaging, stages, said)

    @property
    def steps(self) -> int:
        """Of all stages."""
        return sum(stage.steps for stage in self.stages)

    def at(self, step: int) -> tuple[Stage, float]:
        """The stage to which a step belongs, and the learning rate."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, stage.rate(step)
            step -= stage.steps
        raise IndexError("the training is over by then")
