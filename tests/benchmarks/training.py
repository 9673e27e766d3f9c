"""How many pictures a second the scene network learns from, and where the time goes.

    PYTHONPATH=backend python -m tests.benchmarks.training [--threads 2] [--steps 40] [--rounds 5]

On made-up photos and scenes of the size of the real ones, with what ``config.toml`` says of the
first stage. Each round learns with batches prepared as it goes, then from one batch again and
again, which is the cost of the network alone. A machine that does other things as well is slower
by a different part in every round: look at the best one beside the median.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from training.batches import SIZES, Batches, Drawn
from training.configuration import Recipe
from training.loop import Watch, Workplace
from training.scene_network import learn

from tests.training.made_up import examples, scenes

WARM_UP = 3  # steps


class Repeated(Batches):
    """The batch of the first step for ever."""

    _first: Drawn | None = None

    def at(self, step: int, counts: Sequence[int], sizes: Sequence[Sequence[int]] = SIZES) -> Drawn:
        """The same batch whatever the step."""
        self._first = self._first or super().at(0, counts, sizes)
        return self._first


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = Recipe.of("scene")
    counts = recipe.stages[0].rest["batch"]
    photos, rendered = examples(), scenes()
    kinds = {
        kind.__name__: kind(photos, rendered, rendered, recipe.seed) for kind in (Batches, Repeated)
    }
    start = time.process_time()
    for step in range(10):
        kinds["Batches"].at(step, counts)
    each = (time.process_time() - start) / 10 / sum(counts)
    print(f"data alone: {1000 * each:.2f} ms of one core a picture")
    rates: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(options.rounds):
        for name, batches in kinds.items():
            seconds = measured(recipe, batches, options.steps)
            rates[name].append(options.steps * sum(counts) / sum(seconds.values()))
            parts = ", ".join(
                f"{part} {1000 * s / options.steps:.0f}" for part, s in seconds.items()
            )
            print(f"{name}: {rates[name][-1]:.1f} pictures/s; ms a step: {parts}", flush=True)
    for name, found in rates.items():
        print(f"{name}: {statistics.median(found):.1f} pictures/s, {max(found):.1f} at best")


def measured(recipe: Recipe, batches: Batches, steps: int) -> dict[str, float]:
    """Seconds in each part of some steps, after a few that do not count."""
    stage = dataclasses.replace(recipe.stages[0], steps=WARM_UP)
    warm = dataclasses.replace(recipe, stages=(stage,))
    both = dataclasses.replace(recipe, stages=(dataclasses.replace(stage, steps=WARM_UP + steps),))
    with tempfile.TemporaryDirectory() as folder:
        nowhere = Path(folder)
        at = Workplace(nowhere, nowhere, nowhere, torch.device("cpu"), lambda _: None)
        learn(warm, at, batches, [])
        watch = Watch()
        learn(both, at, batches, [], watch=watch)
    return watch.seconds


if __name__ == "__main__":
    main()
