"""Relative inverse depth at the working size: scaled, and with its edges on the photo's edges."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.guided_filter import GuidedFilter, box_mean

FAR_PERCENTILE, NEAR_PERCENTILE = 0.01, 0.99
TEXTURE_EPS = 0.01  # edges of the photo weaker than this (squared) do not shape the depth


def scaled(raw: Tensor) -> Tensor:
    """Scale raw inverse depth (h, w) so that far is about 0 and near about 1, by percentiles.

    Never min-max: networks of this kind blow up locally on patterns such as stripes.
    """
    sample = raw.flatten()[:: max(1, raw.numel() // 100_000)]
    far, near = sample.quantile(FAR_PERCENTILE), sample.quantile(NEAR_PERCENTILE)
    return ((raw - far) / (near - far).clamp(min=1e-6)).clamp(-0.1, 1.3)


def aligned(raw: Tensor, encoded: Tensor) -> Tensor:
    """Interpolate raw inverse depth (h', w') to the photo (3, h, w) and along its edges."""
    h, w = encoded.shape[1:]
    wide = F.interpolate(raw[None, None], size=(h, w), mode="bicubic", align_corners=False)[0]
    radius = max(2, round(math.hypot(h, w) / 100))
    return GuidedFilter(encoded, radius, TEXTURE_EPS).filter(wide)[0]


def layered(inverse_depth: Tensor, subject: Tensor) -> Tensor:
    """Put the subject's silhouette into the depth: two smooth layers, joined by the mask.

    Networks blur depth across a silhouette. Inside, depth comes from pixels surely inside;
    outside, from pixels surely outside; the soft mask (h, w) blends the two.
    """
    radius = max(2, round(math.hypot(*subject.shape) / 90))
    inside = _filled(inverse_depth, _eroded(subject > 0.9, radius), radius)
    outside = _filled(inverse_depth, _eroded(subject < 0.1, radius), radius)
    band = box_mean(((subject > 0.05) & (subject < 0.95)).to(subject)[None], radius)[0]
    near_edge = (band * radius).clamp(0, 1)
    joined = torch.lerp(outside, inside, subject)
    return torch.lerp(inverse_depth, joined, near_edge)


def _eroded(region: Tensor, radius: int) -> Tensor:
    out = F.max_pool2d((~region).float()[None], 2 * radius + 1, 1, radius)[0]
    return 1 - out


def _filled(values: Tensor, sure: Tensor, radius: int) -> Tensor:
    """Keep values where ``sure``; elsewhere the mean of the nearest sure ones, coarse to fine."""
    if not sure.any():
        return values
    weight, total = sure, sure * values
    result = torch.where(sure > 0, values, torch.nan)
    reach = radius
    while bool(result.isnan().any()) and reach <= 2 * max(values.shape):
        w = box_mean(weight[None], reach)[0]
        mean = box_mean(total[None], reach)[0] / w.clamp(min=1e-9)
        result = torch.where(result.isnan() & (w > 1e-6), mean, result)
        reach *= 2
    return torch.where(result.isnan(), values, result)
