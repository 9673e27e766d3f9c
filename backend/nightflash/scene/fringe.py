"""The edge of a mask where brighter ground shines past it: at night it would be a bright rim."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nightflash.imaging.colour import decode, luminance
from nightflash.imaging.guided_filter import box_mean
from nightflash.scene.depth import eroded, filled

REACH = 0.008  # of the diagonal, inside and outside of the edge
BRIGHTER = 0.5, 1.5  # stops by which ground outshines more than texture: not yet believed, wholly
PURE = 0.2  # share of the other that a pixel may hold and count as one alone
DARKEST = 2e-3  # linear luminance; below, it says nothing


def without_fringe(mask: Tensor, encoded: Tensor) -> Tensor:
    """Take from a mask what along its edge is the brighter ground by its luminance.

    Ground and object are known from a little further out and in. Where the ground is not clearly
    brighter than the object and its texture, the mask is left as it is.

    Args:
        mask: (h, w) soft mask 0..1.
        encoded: (3, h, w) encoded sRGB 0..1.

    Returns:
        (h, w) mask, nowhere more than ``mask``.
    """
    radius = max(2, round(REACH * math.hypot(*mask.shape)))
    inside, outside = eroded(mask > 0.9, radius), eroded(mask < 0.1, radius)
    if not inside.any() or not outside.any():
        return mask
    stops = torch.log2(luminance(decode(encoded)).clamp(min=DARKEST))
    own, texture = _broadly(stops, inside, 2 * radius)
    ground, _ = _broadly(stops, outside, 2 * radius)
    least, most = BRIGHTER
    brighter = ((ground - own - texture - least) / (most - least)).clamp(0, 1)
    share = (ground - stops) / (ground - own).clamp(min=least)
    share = ((share - PURE) / (1 - 2 * PURE)).clamp(0, 1)
    band = (1 - inside) * (1 - outside)
    return torch.lerp(mask, torch.minimum(mask, share), brighter * band)


def _broadly(values: Tensor, sure: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """Mean and deviation of the sure values (h, w) around each place; far from any, the nearest."""
    total, squares, share = box_mean(torch.stack((values * sure, values**2 * sure, sure)), radius)
    share = share.clamp(min=1e-6)
    mean = total / share
    deviation = (squares / share - mean**2).clamp(min=0).sqrt()
    known = (share > 1e-3).to(values)
    return filled(mean, known), filled(deviation, known)
