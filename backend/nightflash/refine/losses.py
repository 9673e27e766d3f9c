"""The published objective: content by VGG19 features, style by pixels weighted by brightness."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

LIT = 0.35  # encoded value of the target from which the content counts in full
DARK_CONTENT = 0.1  # least root of the content's weight, in the dark


def style_weight(target: Tensor) -> Tensor:
    """The published weight of every pixel and channel of the style loss, (3, H, W).

    ``w = sqrt(1.5) * exp((max - style) / range)^1.5`` over the ImageNet-normalised target, so that
    the dark counts up to 20 times the bright in the square.

    Args:
        target: (3, H, W) encoded 0..1.
    """
    mean = target.new_tensor(IMAGENET_MEAN)[:, None, None]
    std = target.new_tensor(IMAGENET_STD)[:, None, None]
    style = (target - mean) / std
    span = (style.max() - style.min()).clamp(min=1e-6)
    weight: Tensor = 1.5**0.5 * torch.exp(1.5 * (style.max() - style) / span)
    return weight


def pixel_precision(target: Tensor) -> Tensor:
    """Factor (3, H, W) of squared encoded differences in the style loss: ``(w / std)^2``."""
    std = target.new_tensor(IMAGENET_STD)[:, None, None]
    return (style_weight(target) / std) ** 2


def style_loss(picture: Tensor, target: Tensor, precision: Tensor) -> Tensor:
    """MSE of ``w * x`` and ``w * style`` in ImageNet-normalised RGB, scalar."""
    return (precision * (picture - target) ** 2).mean()


def content_loss(features: Tensor, photo_features: Tensor, weight: Tensor | None = None) -> Tensor:
    """MSE of features (1, C, h, w), scalar, in float32 whatever the features' own precision.

    Args:
        features, photo_features: Of the picture and of the photo.
        weight: (h, w) weight of every place, or None where all count alike, as published.
    """
    squared = (features.float() - photo_features.float()).square()
    return squared.mean() if weight is None else (squared * weight).mean()


def content_weight(target: Tensor, size: tuple[int, int]) -> Tensor:
    """Weight of the content by the target's brightness: 1 where lit, little in the dark.

    The published re-weighting raises the style loss in the dark alone; a coloured target has
    texture of its own, so that there the content has to step back as well.

    Args:
        target: (3, H, W) encoded 0..1.
        size: (h, w) of the features.
    """
    bright = F.adaptive_avg_pool2d(target.amax(0)[None], size)[0]
    return (bright / LIT).clamp(DARK_CONTENT, 1.0) ** 2
