"""The style transfer: the picture's features stay the photo's, its pixels approach the target.

Source of the objective: the published method (Gatys et al. 2016 with a pixel style loss), by Adam
(Kingma, Ba 2015) with a falling step. It starts near the end: at the target, whose low frequencies
are right already (a coarse level before the full one was measured to gain nothing for its time),
with a little of the photo's detail, which takes half of the loss that there is to be lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.imaging.guided_filter import box_mean
from nightflash.models.descriptor import FeatureNetwork
from nightflash.refine.losses import content_loss, content_weight, pixel_precision, style_loss

STEP = 0.02  # of Adam at its largest, in encoded values
WARM_UP = 2  # steps until then: the first of Adam's steps know the sign of a slope alone
BETAS = (0.5, 0.9)  # shorter memories than usual, for ten steps instead of thousands
DETAIL = 0.08  # of the photo's detail that the target lacks, added at the start
FINE = 72  # of the diagonal is the radius of the window, used twice, by which detail is told
PATIENCE, CONVERGED = 3, 1e-3  # stop when so many steps change less than this share of the loss
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
    steps: int = 16,
    features: Tensor | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
    checkpoint: Callable[[], None] | None = None,
) -> Refined:
    """Transfer the target's light onto the photo's content.

    Args:
        photo: (3, h, w) encoded, whose features the picture keeps.
        target: (3, h, w) encoded, what the pixels approach.
        network: Gives the features.
        content: Weight of the content loss; 1 as published.
        by_brightness: Weigh the content by the target's brightness; not so in the published method.
        steps: Most steps; fewer when it has converged.
        features: What ``network`` gives for ``photo``, where that is known already.
        progress: Called before every step with the fraction done; an exception it raises stops
            the work.
        checkpoint: Called several times within every step, likewise.
    """
    if features is None:
        with torch.no_grad():
            features = network.features(photo[None], checkpoint)
    places = (
        content_weight(target, (features.shape[2], features.shape[3])) if by_brightness else None
    )
    objective = _Objective(
        features, target, network, content * network.content_scale, places, checkpoint
    )
    picture = start(photo, target, places).requires_grad_()
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


def start(photo: Tensor, target: Tensor, places: Tensor | None = None) -> Tensor:
    """The target (3, h, w) with a little of the photo's detail, where the content counts.

    Args:
        photo, target: (3, h, w) encoded.
        places: (h', w') weight of the content at every place; None where all count alike.
    """
    lacking = photo - target
    radius = max(1, round(math.hypot(*photo.shape[1:]) / FINE))
    detail = DETAIL * (lacking - box_mean(box_mean(lacking, radius), radius))
    if places is not None:
        size = target.shape[1:]
        detail = detail * F.interpolate(places[None, None], size=size, mode="bilinear")[0]
    return target + detail


def _converged(losses: list[float]) -> bool:
    """Whether the last steps changed next to nothing, or there was nothing to gain.

    A first step that goes too far and the next that come back change something.
    """
    if losses[-1] < NOTHING:
        return True
    recent = losses[-PATIENCE - 1 :]
    return len(recent) > PATIENCE and max(recent) - min(recent) < CONVERGED * recent[-1]


@dataclass(frozen=True)
class _Objective:
    """Content and style loss of one photo, by its features, and one target at one size."""

    features: Tensor
    target: Tensor
    network: FeatureNetwork
    weight: float
    places: Tensor | None
    checkpoint: Callable[[], None] | None

    @cached_property
    def precision(self) -> Tensor:
        return pixel_precision(self.target)

    def __call__(self, picture: Tensor) -> Tensor:
        features = self.network.features(picture[None], self.checkpoint)
        content = content_loss(features, self.features, self.places)
        return self.weight * content + style_loss(picture, self.target, self.precision)
