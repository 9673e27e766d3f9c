"""Losses of relative inverse depth and of masks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SCALES = 4
TAIL = 4.0  # times its mean: an inverse depth beyond counts as that near


def depth_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """How far inverse depth is from its target, whatever the scale of both.

    The scale- and shift-invariant error with gradient matching of Ranftl et al. (MiDaS, 2020), of
    inverse depth and of its square root, in which what is far weighs more; and the error under one
    scale alone, which pins zero to infinity.

    Args:
        predicted, target: (N, h, w), at least 0.
    """
    target = torch.minimum(target, TAIL * target.mean((1, 2), keepdim=True))
    linear = _invariant(predicted, target)
    root = _invariant((predicted + 1e-4).sqrt(), (target + 1e-4).sqrt())
    scaled = (_by_mean(predicted) - _by_mean(target)).abs().mean()
    return linear + root + 0.5 * scaled


def _invariant(predicted: Tensor, target: Tensor) -> Tensor:
    error = _standardised(predicted) - _standardised(target)
    loss = error.abs().mean()
    for k in range(SCALES):
        step = error[:, :: 2**k, :: 2**k]
        across, down = step.diff(dim=2).abs().mean(), step.diff(dim=1).abs().mean()
        loss = loss + 0.5 * (across + down)
    return loss


def _standardised(x: Tensor) -> Tensor:
    """Median 0 and mean absolute deviation 1."""
    middle = x.flatten(1).median(1).values[:, None, None]
    spread = (x - middle).abs().mean((1, 2), keepdim=True)
    return (x - middle) / spread.clamp(min=1e-3)


def _by_mean(x: Tensor) -> Tensor:
    return x / x.mean((1, 2), keepdim=True).clamp(min=1e-4)


def mask_loss(logits: Tensor, target: Tensor, sure: Tensor) -> Tensor:
    """Cross entropy, and one minus the soft intersection over union where there is an object.

    Args:
        logits: (N, h, w).
        target: (N, h, w), 0..1; zero everywhere where there is no object.
        sure: (N, h, w), 0..1, how much each place counts.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, target, sure, reduction="sum")
    entropy = entropy / sure.sum().clamp(min=1)
    shown = (target * sure).flatten(1).amax(1) > 0.5
    if not bool(shown.any()):
        return entropy
    p, t, counts = (x[shown].flatten(1) for x in (logits.sigmoid(), target, sure))
    both = (p * t * counts).sum(1)
    union = ((p + t) * counts).sum(1) - both
    return entropy + (1 - both / union.clamp(min=1e-6)).mean()
