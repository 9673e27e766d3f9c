"""Inverse depth at the working size: scaled, and with its edges on the photo's edges."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.imaging.dilation import dilated
from nightflash.imaging.guided_filter import GuidedFilter, box_mean

FAR_PERCENTILE, NEAR_PERCENTILE = 0.01, 0.99
NEAREST = 1.3  # where networks blow up, nothing is nearer
UNSEEN_FAR = 0.8  # how far beyond the farthest thing infinity lies, where no sky is seen
ZERO_SEEN = 0.15  # farthest against nearest raw value under which infinity may be in view
SKY_SHARE = 0.02  # of the picture, from which the sky is believed
TEXTURE_EPS = 0.002  # edges of the photo weaker than this (squared) do not shape the depth
EDGE_EPS = 0.001  # the same for the weighted median
LEVELS = 16  # of depth among which the weighted median chooses
STEP = 0.3  # depth range within reach from which a slope counts as a blurred step
SHARPNESS = 4.0  # slope at which a pixel goes over from one level to the next


def scaled(raw: Tensor, sky: Tensor | None = None, foliage: float = 0.0) -> Tensor:
    """Scale raw inverse depth (h, w) so that infinitely far is about 0 and near about 1.

    Never min-max: networks of this kind blow up locally on patterns such as stripes. Where zero
    lies is known from the sky; without a sky the farthest thing seen is taken to be at a finite
    distance, since a wall close behind is what most often hides the sky. Foliage hides it too,
    but it is deep and swallows light: there the network's own zero is believed.

    Args:
        raw: (h, w) relative inverse depth ``s / distance + t`` with unknown s > 0 and t.
        sky: (h, w) soft mask of the sky, or None.
        foliage: 0..1, how far the picture is one of foliage.
    """
    step = max(1, raw.numel() // 100_000)
    sample = raw.flatten()[::step]
    far, near = sample.quantile(FAR_PERCENTILE), sample.quantile(NEAR_PERCENTILE)
    ratio = min(float(far / near.clamp(min=1e-6)), 0.5)
    beyond = UNSEEN_FAR
    if ratio >= 0:  # of a network without negative values: its zero is infinity, or nearly
        as_it_says = ratio / (1 - ratio)
        beyond = UNSEEN_FAR * min(ratio / ZERO_SEEN, 1.0) * (1 - foliage) + as_it_says * foliage
    infinity = far - beyond * (near - far)
    if sky is not None:
        in_sky = sample[sky.flatten()[::step] > 0.9]
        if len(in_sky) > SKY_SHARE * len(sample):
            infinity = torch.minimum(in_sky.median(), far + 0.1 * (near - far))
    return ((raw - infinity) / (near - infinity).clamp(min=1e-6)).clamp(0, NEAREST)


def by_the_nearest(inverse_metres: Tensor) -> tuple[Tensor, float]:
    """Scale 1 / metres (h, w) so that near is about 1, and 0 infinitely far as before.

    Returns:
        The inverse depth (h, w), and the metres where it is 1.
    """
    step = max(1, inverse_metres.numel() // 100_000)
    near = float(inverse_metres.flatten()[::step].quantile(NEAR_PERCENTILE).clamp(min=1e-6))
    return (inverse_metres / near).clamp(0, NEAREST), 1 / near


def aligned(inverse_depth: Tensor, encoded: Tensor) -> Tensor:
    """Interpolate inverse depth (h', w') to the photo (3, h, w), edges on its edges.

    A weighted median: every pixel takes the depth of which half of the like-coloured pixels
    around it are nearer and half farther, so that blurred steps become sharp ones on the photo's
    edges and texture leaves no print. Source: constant-time weighted median filtering (Ma et al.
    2013), guided-filter weights.
    """
    h, w = encoded.shape[1:]
    small = (max(8, h // 2), max(8, w // 2))
    guide = F.interpolate(encoded[None], size=small, mode="area")[0]
    depth = F.interpolate(inverse_depth[None, None], size=small, mode="bilinear")[0, 0]
    low, high = float(depth.quantile(FAR_PERCENTILE)), float(depth.quantile(NEAR_PERCENTILE))
    depth = depth.clamp(low, high)
    edges = GuidedFilter(guide, max(2, round(math.hypot(*small) / 45)), EDGE_EPS)
    step = max((high - low) / LEVELS, 1e-9)
    levels = [low + step * i for i in range(1, LEVELS)]
    nearer = torch.stack([((depth - level) / step + 0.5).clamp(0, 1) for level in levels])
    share = edges.filter(nearer)
    median = low + step * (0.5 + ((share - 0.5) * SHARPNESS + 0.5).clamp(0, 1).sum(0))
    reach = edges.radius
    spread = dilated(depth[None], reach) + dilated(-depth[None], reach)
    stepped = box_mean((spread / (STEP * max(high - low, 1e-9))).clamp(0, 1), reach // 2)[0]
    joined = torch.lerp(depth, median, stepped)
    wide = F.interpolate(joined[None, None], size=(h, w), mode="bilinear", align_corners=False)[0]
    radius = max(1, round(math.hypot(h, w) / 300))
    return GuidedFilter(encoded, radius, TEXTURE_EPS).filter(wide)[0]


def layered(inverse_depth: Tensor, subject: Tensor) -> Tensor:
    """Put the subject's silhouette into the depth: two smooth layers, joined by the mask.

    Networks blur depth across a silhouette. Inside, depth comes from pixels surely inside;
    outside, from pixels surely outside; the soft mask (h, w) blends the two.
    """
    radius = max(2, round(math.hypot(*subject.shape) / 90))
    inside, outside = (
        filled(inverse_depth, sure) if sure.any() else inverse_depth
        for sure in (eroded(subject > 0.9, radius), eroded(subject < 0.1, radius))
    )
    band = box_mean(((subject > 0.05) & (subject < 0.95)).to(subject)[None], radius)[0]
    near_edge = (band * radius).clamp(0, 1)
    joined = torch.lerp(outside, inside, subject)
    return torch.lerp(inverse_depth, joined, near_edge)


def eroded(region: Tensor, radius: int) -> Tensor:
    """Where (h, w; 0 or 1) a boolean region reaches ``radius`` pixels to all sides."""
    return 1 - dilated((~region).float()[None], radius)[0]


def filled(values: Tensor, sure: Tensor) -> Tensor:
    """Keep values (h, w) where ``sure`` (h, w; 0..1); elsewhere those around, smoothly.

    Source: push-pull filling (Gortler et al., "The Lumigraph", 1996).
    """
    h, w = values.shape
    if max(h, w) == 1 or bool((sure == 1).all()):
        return values
    both = torch.stack((values * sure, sure))
    total, share = F.avg_pool2d(both, 2, ceil_mode=True)
    coarse = filled(total / share.clamp(min=1e-6), (4 * share).clamp(max=1))
    wide = F.interpolate(coarse[None, None], size=(h, w), mode="bilinear")[0, 0]
    return torch.lerp(wide, values, sure)
