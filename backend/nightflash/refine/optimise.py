"""The style transfer: optimise the picture so that its features stay the photo's while its
pixels approach the target.

Source of the objective: the published method (Gatys et al. 2016 with a pixel style loss). Coarse
to fine after Gatys et al. 2017; Adam (Kingma, Ba 2015) with a falling step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.models.descriptor import FeatureNetwork
from nightflash.refine.losses import content_loss, pixel_precision, style_loss

LEAST_COARSE_SIDE = 64
COARSE_SHARE = 0.5  # of the steps, taken at half the size
STEP = 0.05  # of Adam at the first step, in encoded values
BETAS = (0.8, 0.99)


@dataclass(frozen=True)
class Refined:
    """Result of the style transfer.

    Attributes:
        picture: (3, h, w) encoded.
        losses: Total loss (content + style) after every step taken at the full working size.
    """

    picture: Tensor
    losses: tuple[float, ...]


def refine(
    photo: Tensor,
    target: Tensor,
    network: FeatureNetwork,
    *,
    content: float = 1.0,
    steps: int = 60,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Refined:
    """Transfer the target's light onto the photo's content.

    Args:
        photo: (3, h, w) encoded, whose features the picture keeps.
        target: (3, h, w) encoded, what the pixels approach; also the start.
        network: Gives the features.
        content: Weight of the content loss; 1 as published.
        steps: Most steps over all sizes.
        progress: Called before every step with the fraction done; an exception it raises stops
            the work.
    """
    weight = content * network.content_scale
    coarse = (
        math.floor(steps * COARSE_SHARE) if min(photo.shape[1:]) >= 2 * LEAST_COARSE_SIDE else 0
    )
    picture = target
    if coarse:
        small_photo, small_target = _half(photo), _half(target)
        objective = _Objective(small_photo, small_target, network, weight)
        done, _ = _descend(objective, small_target, coarse, lambda i: progress(i / steps / 4))
        picture = target + _double(done - small_target, target)
    objective = _Objective(photo, target, network, weight)
    picture, losses = _descend(
        objective, picture, steps - coarse, lambda i: progress(0.15 + 0.85 * i / (steps - coarse))
    )
    return Refined(picture, tuple(losses))


class _Objective:
    """Content and style loss of one photo and target at one size."""

    def __init__(
        self, photo: Tensor, target: Tensor, network: FeatureNetwork, weight: float
    ) -> None:
        self._network, self._weight, self._target = network, weight, target
        self._precision = pixel_precision(target)
        with torch.no_grad():
            self._features = network.features(photo[None])

    def __call__(self, picture: Tensor) -> Tensor:
        content = content_loss(self._network.features(picture[None]), self._features)
        return self._weight * content + style_loss(picture, self._target, self._precision)


def _descend(
    objective: Callable[[Tensor], Tensor],
    start: Tensor,
    steps: int,
    progress: Callable[[int], None],
) -> tuple[Tensor, list[float]]:
    """Adam with a cosine-falling step from ``start``; gives the picture and the loss curve."""
    picture = start.clone().requires_grad_()
    adam = torch.optim.Adam([picture], lr=STEP, betas=BETAS)
    losses = []
    for i in range(steps):
        progress(i)
        adam.param_groups[0]["lr"] = STEP * 0.5 * (1 + math.cos(math.pi * (i + 0.5) / steps))
        adam.zero_grad()
        loss = objective(picture)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(float(loss.detach()))
        adam.step()
    return picture.detach(), losses


def _half(picture: Tensor) -> Tensor:
    return F.avg_pool2d(picture[None], 2, ceil_mode=True)[0]


def _double(picture: Tensor, like: Tensor) -> Tensor:
    size = like.shape[1:]
    return F.interpolate(picture[None], size=size, mode="bilinear", align_corners=False)[0]
