"""How much light is taken away around the subject, metered as a photographer does at night.

Near walls, sunlit ground, bright leaves and snow come out far brighter than what surrounds the
subject in real photos with flash at night, where half of the picture lies under an encoded 0.15.
Light is taken away where a narrower beam and a longer way would: never along the outline, never
where the picture is dark enough already.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.colour import encode, luminance
from nightflash.guided_filter import box_mean
from nightflash.scene.backdrop import backdrop
from nightflash.scene.scene import Scene

SURROUNDINGS = 0.0075  # linear luminance that half of the surroundings shall not exceed
DARK = 0.0194  # linear luminance under which a place is dark: 0.15 encoded
DARK_SHARE = 0.46  # of the picture, at least: real nights with flash have 0.24 to 0.61
MOST_STOPS = 7.0
HALVINGS = 10  # of the range of stops: a hundredth of a stop
BEAM = 1.25  # half-axes of the lit ellipse against those of the subject's moments
ROUNDEST, NARROWEST = 0.6, 0.09  # shorter axis against the longer; both against the diagonal
SHOULDER, SHOULDER_POWER = 0.8, 1.5  # how the light falls off beyond the ellipse
REACH = 0.03  # of the diagonal, over which depth is blurred across an outline
FARTHER = 0.35  # of the subject's inverse depth: what is so much less is wholly farther
SIDE = 128  # long side at which is metered


@dataclass(frozen=True)
class Meter:
    """The surroundings as they are metered.

    Attributes:
        yielding: (h, w), 0..1, how far each place gives up its light: not the subject, nor the
            ground at its feet; all of it far from the beam's axis, far behind, or in the sky.
        small: The same at SIDE.
        photo: Luminance of the photo by day, linear, at SIDE.
    """

    yielding: Tensor
    small: Tensor
    photo: Tensor

    @classmethod
    def of(cls, scene: Scene, at_subject: Tensor) -> Meter:
        """Prepare for a scene, with the inverse depth of its subject."""
        beside = _beside(scene.inverse_depth, scene.subject)
        farther = ((at_subject - beside) / at_subject / FARTHER).clamp(0, 1)
        farther = farther * farther * (3 - 2 * farther)
        sky = backdrop(encode(scene.photo.clamp(0, 1)), scene.subject)
        kept = (1 - _beyond_beam(scene.subject)) * (1 - torch.maximum(farther, sky))
        yielding = (1 - kept) * (1 - scene.subject**2)
        return cls(yielding, _reduced(yielding), _reduced(luminance(scene.photo)))

    def stops(self, flash_stops: Tensor, flash: float) -> float:
        """The fewest stops by which the flash must give way where all of its light yields.

        Args:
            flash_stops: (h, w) flash light in stops.
            flash: Its linear factor at 0 stops.
        """
        lit = self.photo * flash * torch.exp2(_reduced(flash_stops))
        half = self.small.sum() / 2

        def is_night(stops: float) -> bool:
            left = lit * torch.exp2(-stops * self.small)
            dim = float(self.small[left <= SURROUNDINGS].sum()) >= float(half)
            return dim and float((left < DARK).float().mean()) >= DARK_SHARE

        if is_night(0.0):
            return 0.0
        low, high = 0.0, MOST_STOPS
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if is_night(middle) else (middle, high)
        return high


def _beside(inverse_depth: Tensor, subject: Tensor) -> Tensor:
    """Inverse depth (h, w) in which what stands close to the outline is not nearer than behind.

    Depth is blurred across an outline, and would leave a bright rim: the farthest within reach
    counts, the subject not. Square windows leave square steps, which are smoothed.
    """
    reach = max(1, round(REACH * math.hypot(*subject.shape)))
    masked = torch.where(subject > 0.05, torch.inf, inverse_depth)
    window = 2 * reach + 1  # one axis after the other: a hundredth of the work
    farthest = F.max_pool2d(-masked[None], (window, 1), 1, (reach, 0))
    farthest = -F.max_pool2d(farthest, (1, window), 1, (0, reach))[0]
    farthest = torch.where(farthest.isfinite(), farthest, inverse_depth)[None]
    return box_mean(box_mean(farthest, reach), reach)[0]


def _beyond_beam(subject: Tensor) -> Tensor:
    """How far outside of an ellipse about the subject each place (h, w) lies, 0 within, 1 far out.

    The ellipse has the second moments of the mask; it is no narrower than a beam can be.
    """
    h, w = subject.shape
    rows = torch.arange(h, device=subject.device)[:, None] + 0.5
    columns = torch.arange(w, device=subject.device)[None, :] + 0.5
    weight = subject / subject.sum().clamp(min=1e-6)
    down, across = rows - (rows * weight).sum(), columns - (columns * weight).sum()
    yy, xx, xy = ((weight * product).sum() for product in (down**2, across**2, down * across))
    moments = torch.stack([torch.stack([xx, xy]), torch.stack([xy, yy])]).double()
    spread, axes = torch.linalg.eigh(moments.cpu())
    half = BEAM * 2 * spread.clamp(min=0.25).sqrt()
    half = half.clamp(min=max(ROUNDEST * float(half.max()), NARROWEST * math.hypot(h, w)))
    along = [
        (across * float(x) + down * float(y)) / float(a)
        for (x, y), a in zip(axes.T, half, strict=True)
    ]
    outside = (torch.hypot(*along) - 1).clamp(min=0)
    return 1 - torch.exp(-((outside / SHOULDER) ** SHOULDER_POWER))


def _reduced(values: Tensor) -> Tensor:
    h, w = values.shape
    scale = min(1.0, SIDE / max(h, w))
    size = (max(1, round(h * scale)), max(1, round(w * scale)))
    return F.interpolate(values[None, None], size, mode="area")[0, 0]
