"""Whether a network can compute in half precision, found out by measuring."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nightflash.models.device import bfloat16_is_fast

TOLERANCE = 0.01
"""Mean difference from float32, in parts of the depth's range, up to which half precision serves.

Relative depth is stretched to the scene's range afterwards, and errors of single pixels vanish in
the edge-aware filter behind it.
"""


@torch.no_grad()
def half_that_holds(
    network: nn.Module, picture: Tensor, candidates: Sequence[torch.dtype]
) -> torch.dtype:
    """Choose the precision: the best candidate that keeps to ``TOLERANCE``, else float32.

    Args:
        network: In float32, on the device where it shall run; maps (1, 3, h, w) to (1, h, w).
        picture: What goes in, (1, 3, h, w) float32 on the same device.
        candidates: Precisions that are fast there.
    """
    exact: Tensor = network(picture)
    found = {dtype: _deviation(_in(dtype, network, picture), exact) for dtype in candidates}
    best = min(found, key=found.__getitem__, default=torch.float32)
    return best if found.get(best, math.inf) <= TOLERANCE else torch.float32


def place(network: nn.Module, prepare: Callable[[Tensor], Tensor], device: torch.device) -> None:
    """Bring a network to ``device``; in half precision on a GPU where that holds.

    Args:
        network: In float32; maps (1, 3, h, w) to (1, h, w).
        prepare: Brings a picture (3, H, W), encoded sRGB 0..1, to what goes in.
        device: Where it shall run.
    """
    network.to(device)
    if device.type != "cpu":
        halves = [torch.float16, torch.bfloat16] if bfloat16_is_fast(device) else [torch.float16]
        network.to(half_that_holds(network, prepare(made_up_picture().to(device)), halves))


@torch.no_grad()
def depths_of(network: nn.Module, pictures: Tensor) -> Tensor:
    """What ``network``, in whatever precision, gives for (N, 3, h, w) float32: (N, h, w).

    In float32 where half precision held on the picture it was measured with, but not on this one.
    """
    dtype = next(network.parameters()).dtype
    depth: Tensor = network(pictures.to(dtype)).float()
    if dtype != torch.float32 and not depth.isfinite().all():
        depth = copy.deepcopy(network).float()(pictures)
    return depth


def made_up_picture(side: int = 384) -> Tensor:
    """A scene of a kind: sky over ground, a bright and a dark object, texture everywhere.

    Returns:
        (3, side, side) encoded sRGB 0..1, the same every time.
    """
    y, x = torch.meshgrid(*2 * [torch.linspace(0.0, 1.0, side)], indexing="ij")
    channel = torch.arange(3.0).view(3, 1, 1)
    ground = 0.25 + 0.5 * y - 0.08 * channel
    scene = torch.where(y > 0.45, ground, 0.75 - 0.4 * y + 0.1 * channel)
    scene = torch.where((x - 0.35).square() + (y - 0.55).square() < 0.03, 0.95, scene)
    scene = torch.where(((x - 0.7).abs() < 0.08) & ((y - 0.6).abs() < 0.25), 0.04, scene)
    texture = torch.sin(90.0 * x * (0.3 + y) + channel) * torch.sin(70.0 * y + 2.0 * channel)
    return (scene + 0.1 * texture).clamp(0.0, 1.0)


def _in(dtype: torch.dtype, network: nn.Module, picture: Tensor) -> Tensor | None:
    """The depth that a copy of the network finds in ``dtype``, or None where it cannot compute."""
    try:
        depth: Tensor = copy.deepcopy(network).to(dtype)(picture.to(dtype))
    except RuntimeError:  # the device lacks an operation in this precision, or the memory
        return None
    return depth.float()


def _deviation(depth: Tensor | None, exact: Tensor) -> float:
    """Mean difference in parts of the range from the 1st to the 99th percentile of ``exact``."""
    if depth is None or not depth.isfinite().all():
        return math.inf
    low, high = exact.flatten().quantile(exact.new_tensor((0.01, 0.99))).tolist()
    difference = (depth - exact).abs().mean().item()
    return difference / (high - low) if high > low else math.inf
