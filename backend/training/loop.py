"""Training that can be stopped and taken up again, with an average of the weights.

What is trained, on what and by what losses is said by who calls: a network, a function from a step
to its batch, and one from a batch to the loss.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from training.configuration import Recipe, Stage
from training.depthwise import quicken
from training.memory import keep_memory
from training.state import State

B = TypeVar("B")

KEPT_EVERY = 500  # steps
AHEAD = 2  # batches that wait for a GPU
PARTS = ("waiting for data", "forward", "backward", "optimiser")


@dataclass(frozen=True)
class Workplace:
    """Where a network is trained.

    Attributes:
        photos: Folder of the folders of photos.
        weights: Folder of the weights of the teachers (the set ``lite``).
        work: Folder for small photos, labels, rendered scenes and the state of the training.
        device: Where to compute.
        say: Told of the progress.
        until: When to stop for now, by ``time.monotonic``; None: at the end.
    """

    photos: Path
    weights: Path
    work: Path
    device: torch.device
    say: Callable[[str], None] = print
    until: float | None = None


@dataclass
class Watch:
    """Seconds spent in each of ``PARTS``; of a GPU, which works behind, only their sum is right."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))
    _last: float = field(default_factory=time.perf_counter)

    def skip(self) -> None:
        """Count what has been since for none of the parts."""
        self._last = time.perf_counter()

    def lap(self, part: str) -> None:
        """Count what has been since for a part."""
        last = self._last
        self.skip()
        self.seconds[part] += self._last - last


def prepared(
    make: Callable[[int], B], steps: Iterable[int], device: torch.device
) -> Generator[B, None, None]:
    """``map(make, steps)``, for a GPU made by a thread while the network learns.

    A thread and not a process: NumPy and OpenCV leave it Python's lock, and nothing is copied. On a
    CPU it would take a core from the network, whose threads then wait for each other: 30 ms of work
    made a step 100 ms longer. There a batch is made by all cores before its step.
    """
    if device.type == "cpu":
        yield from map(make, steps)
        return
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[B]] = deque()
        for step in steps:
            waiting.append(pool.submit(make, step))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def train(
    network: nn.Module,
    batch_at: Callable[[int], B],
    loss_of: Callable[[B, Stage], Tensor],
    recipe: Recipe,
    at: Workplace,
    name: str,
    judge: Callable[[nn.Module], dict[str, float]] | None = None,
    watch: Watch | None = None,
) -> nn.Module | None:
    """Train ``network`` and return a running average of its weights.

    The state is kept in ``NAME.pt`` of the work folder and taken up where it is there: on the same
    device and number of threads, a training in slices ends bit for bit where one at a stretch does.
    ``NAME.jsonl`` beside it tells how it went, a line every ``KEPT_EVERY`` steps.

    Args:
        network: Is trained in place.
        batch_at: Gives the batch of a step, the same each time; may be called in another thread.
        loss_of: The loss of the network on a batch, in a stage of the recipe.
        recipe: Length and learning rate.
        at: Where to do it.
        name: Of the files.
        judge: Figures of the averaged network, asked for every ``KEPT_EVERY`` steps; the average
            with the greatest ``score`` is returned. Without, it is that of the last steps.
        watch: Told where the time goes.

    Returns:
        None where the time was over before the steps.
    """
    if at.device.type == "cpu":
        quicken(network)
        keep_memory()
    watch = watch or Watch()
    state = State(network, recipe, at.work / f"{name}.pt", at.say)
    first, start = state.step, time.monotonic()
    with closing(prepared(batch_at, range(first, recipe.steps), at.device)) as batches:
        watch.skip()
        for batch in batches:
            torch.manual_seed(recipe.seed * 1_000_003 + state.step)  # for networks that draw
            stage, rate = recipe.at(state.step)
            watch.lap("waiting for data")
            network.train()
            loss = loss_of(batch, stage)
            state.losses.append(float(loss.detach()))
            watch.lap("forward")
            state.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            watch.lap("backward")
            state.update(rate)
            watch.lap("optimiser")
            over = at.until is not None and time.monotonic() >= at.until
            if state.step % KEPT_EVERY == 0 or state.step == recipe.steps:
                state.judge(judge)
                state.keep()
                each = (time.monotonic() - start) / (state.step - first)
                left = each * (recipe.steps - state.step) / 60
                at.say(f"{state.summary()}, {each:.3f} s each, {left:.0f} min left")
            elif over:
                state.keep()
            if over and state.step < recipe.steps:
                at.say(f"stopped for now at step {state.step} of {recipe.steps}")
                return None
            watch.skip()
    return state.best()
