"""The state of a training: in memory, on disk, and how it came there."""

from __future__ import annotations

import copy
import dataclasses
import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.configuration import Recipe

LONGEST = 5.0  # norm of the gradient to which longer ones are cut


class State:
    """All that a training knows at a step.

    Args:
        network: Is trained in place.
        recipe: Its weight decay and averaging.
        path: File in which the state is kept; taken up where it is there.
        say: Told that it was.

    Attributes:
        step: Steps done.
        optimiser: Of the network.
        losses: Of the steps since the last point of the curve.
    """

    def __init__(
        self, network: nn.Module, recipe: Recipe, path: Path, say: Callable[[str], None]
    ) -> None:
        decay = get_ema_multi_avg_fn(recipe.averaging)  # type: ignore[no-untyped-call]
        self._network = network
        self._average = AveragedModel(network, multi_avg_fn=decay, use_buffers=True)
        self.optimiser = AdamW(network.parameters(), weight_decay=recipe.weight_decay, fused=True)
        self.step = 0
        self.losses: list[float] = []
        self._curve: list[dict[str, float]] = []
        self._best: dict[str, Any] = {"score": -float("inf"), "network": {}}
        self._recipe = json.dumps(dataclasses.asdict(recipe), sort_keys=True)
        self._path = path
        if path.exists():
            self._take_up(torch.load(path, map_location="cpu", weights_only=True), say)

    def _take_up(self, state: dict[str, Any], say: Callable[[str], None]) -> None:
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.losses = state["step"], state["losses"]
        self._curve, self._best = state["curve"], state["best"]
        another = "" if state["recipe"] == self._recipe else ", by another recipe than before"
        say(f"taken up again at step {self.step}{another}")

    def update(self, rate: float) -> None:
        """Go a step down the gradient, at a learning rate."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        nn.utils.clip_grad_norm_(self._network.parameters(), LONGEST, foreach=True)
        self.optimiser.step()
        self._average.update_parameters(self._network)
        self.step += 1

    def judge(self, judge: Callable[[nn.Module], dict[str, float]] | None) -> None:
        """Add a point to the curve, and remember the averaged weights where they are the best."""
        module: nn.Module = self._average.module
        figures = {"step": self.step, "loss": statistics.fmean(self.losses)}
        if judge is not None:
            figures |= judge(module.eval())
        self.losses.clear()
        self._curve.append(figures)
        score = figures.get("score", float(self.step))  # without a judge the last is the best
        if score > self._best["score"]:
            self._best = {"score": score, "network": copy.deepcopy(module.state_dict())}

    def summary(self) -> str:
        """The last point of the curve in words."""
        (_, step), *figures = self._curve[-1].items()
        return f"step {step}: " + ", ".join(f"{name} {value:.4f}" for name, value in figures)

    def best(self) -> nn.Module:
        """The network with the best averaged weights."""
        module: nn.Module = self._average.module
        module.load_state_dict(self._best["network"])
        return module

    def keep(self) -> None:
        """Write the state and, as lines of JSON beside it, the curve."""
        state = {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "curve": self._curve,
            "best": self._best,
            "recipe": self._recipe,
        }
        with _renamed(self._path) as beside:
            torch.save(state, beside)
        with _renamed(self._path.with_suffix(".jsonl")) as beside:
            lines = (json.dumps(figures) + "\n" for figures in self._curve)
            beside.write_text("".join(lines), encoding="utf-8")


@contextmanager
def _renamed(path: Path) -> Iterator[Path]:
    """A file to write that becomes ``path`` once it is whole."""
    beside = path.with_name(f"{path.name}.part")
    yield beside
    beside.replace(path)
