"""The published objective: content by VGG19 features, style by pixels weighted by brightness."""

from __future__ import annotations

import torch
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


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
    return 1.5**0.5 * torch.exp((style.max() - style) / span) ** 1.5


def pixel_precision(target: Tensor) -> Tensor:
    """Factor (3, H, W) of squared encoded differences in the style loss: ``(w / std)^2``."""
    std = target.new_tensor(IMAGENET_STD)[:, None, None]
    return (style_weight(target) / std) ** 2


def style_loss(picture: Tensor, target: Tensor, precision: Tensor) -> Tensor:
    """MSE of ``w * x`` and ``w * style`` in ImageNet-normalised RGB, scalar."""
    return (precision * (picture - target) ** 2).mean()


def content_loss(features: Tensor, photo_features: Tensor) -> Tensor:
    """MSE of features, scalar, in float32 whatever the features' own precision."""
    return (features.float() - photo_features.float()).square().mean()
