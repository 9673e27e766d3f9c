"""Training that can be stopped and taken up again, with an average of the weights."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.configuration import Recipe

KEPT_EVERY = 250  # steps


@dataclass(frozen=True)
class Workplace:
    """Where a network is trained.

    Attributes:
        photos: Folder of the folders of photos.
        weights: Folder of the weights of the teachers (the set ``lite``).
        work: Folder for photos made small, rendered scenes and the state of the training.
        device: Where to compute.
        say: Told of the progress.
    """

    photos: Path
    weights: Path
    work: Path
    device: torch.device
    say: Callable[[str], None] = print


def train(
    network: nn.Module,
    loss_at: Callable[[int], Tensor],
    recipe: Recipe,
    kept: Path,
    say: Callable[[str], None] = print,
) -> nn.Module:
    """Train ``network`` and return the average of its weights over the last steps.

    Args:
        network: Is trained in place.
        loss_at: Gives the loss of a step; the same step sees the same data.
        recipe: Length and learning rate.
        kept: File of the state of the training, read where it is there and written as it goes on.
        say: Told of the progress.
    """
    decay = get_ema_multi_avg_fn(recipe.averaging)  # type: ignore[no-untyped-call]
    average = AveragedModel(network, multi_avg_fn=decay, use_buffers=True)
    optimiser = AdamW(network.parameters(), weight_decay=recipe.weight_decay)
    first = 0
    if kept.exists():
        state = torch.load(kept, map_location="cpu", weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first = int(state["step"])
        say(f"taken up again at step {first}")
    losses: list[float] = []
    start = time.monotonic()
    for step in range(first, recipe.steps):
        for group in optimiser.param_groups:
            _, group["lr"] = recipe.at(step)
        network.train()
        loss = loss_at(step)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        average.update_parameters(network)
        losses.append(float(loss.detach()))
        done = step + 1
        if done % KEPT_EVERY == 0 or done == recipe.steps:
            state = {
                "network": network.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": done,
            }
            beside = kept.with_suffix(".part")
            torch.save(state, beside)
            beside.replace(kept)
            each = (time.monotonic() - start) / (done - first)
            left = each * (recipe.steps - done) / 60
            recent = statistics.fmean(losses[-KEPT_EVERY:])
            say(f"step {done}: loss {recent:.4f}, {each:.3f} s each, {left:.0f} min left")
    module: nn.Module = average.module
    return module
