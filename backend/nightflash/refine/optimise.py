"""The style transfer: the picture's features stay the photo's, its pixels approach the target.

Source of the objective: the published method (Gatys et al. 2016 with a pixel style loss), by Adam
(Kingma, Ba 2015) with a falling step. It starts at the target, whose low frequencies are right
already: a coarse level before the full one was measured to gain nothing for its time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nightflash.models.descriptor import FeatureNetwork
from nightflash.refine.losses import content_loss, content_weight, pixel_precision, style_loss

STEP = 0.02  # of Adam at its largest, in encoded values
WARM_UP = 3  # steps until then: the first of Adam's steps know the sign of a slope alone
BETAS = (0.7, 0.9)  # shorter memories than usual, for tens of steps instead of thousands
PATIENCE, CONVERGED = 3, 1e-3  # stop when so many steps gain less than this share of the loss
NOTHING = 1e-9


@dataclass(frozen=True)
class Refined:
    """Result of the style transfer.

    Attributes:
        picture: (3, h, w) encoded.
        losses: Total loss (content + style) before every step.
    """

    picture: Tensor
    losses: tuple[float, ...]


def refine(
    photo: Tensor,
    target: Tensor,
    network: FeatureNetwork,
    *,
    content: float = 1.0,
    by_brightness: bool = False,
    steps: int = 28,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Refined:
    """Transfer the target's light onto the photo's content.

    Args:
        photo: (3, h, w) encoded, whose features the picture keeps.
        target: (3, h, w) encoded, what the pixels approach; also the start.
        network: Gives the features.
        content: Weight of the content loss; 1 as published.
        by_brightness: Weigh the content by the target's brightness; not so in the published method.
        steps: Most steps; fewer when it has converged.
        progress: Called before every step with the fraction done; an exception it raises stops
            the work.
    """
    objective = _Objective(photo, target, network, content * network.content_scale, by_brightness)
    picture = target.clone().requires_grad_()
    adam = torch.optim.Adam([picture], lr=STEP, betas=BETAS)
    losses: list[float] = []
    for i in range(steps):
        progress(i / steps)
        falling = 0.5 * (1 + math.cos(math.pi * (i + 0.5) / steps))
        adam.param_groups[0]["lr"] = STEP * falling * min(1.0, (i + 1) / WARM_UP)
        adam.zero_grad()
        loss = objective(picture)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(float(loss.detach()))
        if _converged(losses):
            break
        adam.step()
    return Refined(picture.detach(), tuple(losses))


def _converged(losses: list[float]) -> bool:
    """Whether the last steps gained next to nothing, or there was nothing to gain."""
    if losses[-1] < NOTHING:
        return True
    recent = losses[-PATIENCE - 1 :]
    return len(recent) > PATIENCE and 0 <= recent[0] - recent[-1] < CONVERGED * recent[-1]


class _Objective:
    """Content and style loss of one photo and target at one size."""

    def __init__(
        self,
        photo: Tensor,
        target: Tensor,
        network: FeatureNetwork,
        weight: float,
        by_brightness: bool,
    ) -> None:
        self._network, self._weight, self._target = network, weight, target
        self._precision = pixel_precision(target)
        with torch.no_grad():
            self._features = network.features(photo[None])
        size = (self._features.shape[2], self._features.shape[3])
        self._places = content_weight(target, size) if by_brightness else None

    def __call__(self, picture: Tensor) -> Tensor:
        features = self._network.features(picture[None])
        content = content_loss(features, self._features, self._places)
        return self._weight * content + style_loss(picture, self._target, self._precision)
