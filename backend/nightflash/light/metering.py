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

from nightflash.imaging.colour import encode, luminance
from nightflash.imaging.dilation import dilated
from nightflash.imaging.guided_filter import box_mean
from nightflash.scene.backdrop import backdrop
from nightflash.scene.scene import Scene

SURROUNDINGS = 0.0075  # linear luminance that half of the surroundings shall not exceed
DARK = 0.0194  # linear luminance under which a place is dark: 0.15 encoded
DARK_SHARE = 0.46  # of the picture, at least: real nights with flash have 0.24 to 0.61
MOST_STOPS = 7.0
HALVINGS = 11  # of the range: a hundredth of a stop
BEAM, NARROW_BEAM = 1.25, 0.95  # half-axes of the lit ellipse against those of the subject
ROUNDEST, NARROWEST = 0.6, 0.09  # shorter axis against the longer; both against the diagonal
SHOULDER, HARD_SHOULDER = 1.0, 0.4  # the same over which the light falls off beyond the ellipse
SHOULDER_POWER = 1.5
REACH = 0.03  # of the diagonal, over which depth is blurred across an outline
FARTHER = 0.35  # of the subject's inverse depth: what is so much less is wholly farther
NEARER = 0.15  # of it: what is so much more is in front, and no sky whatever its colour
GLARE_REACH = 0.04  # of the diagonal, over which the surroundings' brightness is taken
MOST_GLARE = 2.5  # stops
SIDE = 128  # long side at which is metered


@dataclass(frozen=True)
class Meter:
    """The surroundings as they are metered.

    Attributes:
        off_axis: (h, w) distance from the beam's axis in half-axes of the ellipse that has the
            second moments of the subject.
        near: (h, w), 0..1, what is neither far behind the subject nor sky.
        glare: (h, w) stops by which what is around outshines the subject, broadly seen.
        around: (h, w), 0..1, where the subject is not.
        photo: Luminance of the photo by day, linear, at SIDE.
    """

    off_axis: Tensor
    near: Tensor
    glare: Tensor
    around: Tensor
    photo: Tensor

    @classmethod
    def of(cls, scene: Scene, at_subject: Tensor) -> Meter:
        """Prepare for a scene, with the inverse depth of its subject."""
        beside = _beside(scene.inverse_depth, scene.subject)
        farther = ((at_subject - beside) / at_subject / FARTHER).clamp(0, 1)
        farther = farther * farther * (3 - 2 * farther)
        nearer = ((beside - at_subject) / at_subject / NEARER).clamp(0, 1)
        sky = backdrop(encode(scene.photo.clamp(0, 1)), scene.subject) * (1 - nearer)
        return cls(
            off_axis=_off_axis(scene.subject),
            near=1 - torch.maximum(farther, sky),
            glare=_glare(luminance(scene.photo), scene.subject),
            around=1 - scene.subject**2,
            photo=_reduced(luminance(scene.photo)),
        )

    def taken(self, flash_stops: Tensor, flash: float) -> Tensor:
        """The fewest stops (h, w) that must be taken from the flash for the picture to be night.

        Where so many that nothing is left where all of the light yields do not suffice, since the
        subject leaves little room, the beam gets narrower.

        Args:
            flash_stops: (h, w) flash light in stops.
            flash: Its linear factor at 0 stops.
        """
        lit = self.photo * flash * torch.exp2(_reduced(flash_stops))
        places = self.off_axis, self.near, self.glare, self.around
        small = [_reduced(place) for place in places]
        surroundings = _given_up(1.0, *small)
        half = surroundings.sum() / 2

        def is_night(effort: float) -> bool:
            left = lit * torch.exp2(-_given_up(effort, *small))
            dim = float(surroundings[left <= SURROUNDINGS].sum()) >= float(half)
            return dim and float((left < DARK).float().mean()) >= DARK_SHARE

        if is_night(0.0):
            return torch.zeros_like(self.near)
        low, high = 0.0, 2.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if is_night(middle) else (middle, high)
        return _given_up(high, *places)


def _given_up(
    effort: float, off_axis: Tensor, near: Tensor, glare: Tensor, around: Tensor
) -> Tensor:
    """Stops (h, w) that places give up: MOST_STOPS at most at effort 1, by a narrower beam at 2.

    What the beam keeps gives up its glare: bright ground must not glow around a darker subject.
    """
    narrow = max(effort - 1, 0.0)
    beam = BEAM + (NARROW_BEAM - BEAM) * narrow
    shoulder = SHOULDER + (HARD_SHOULDER - SHOULDER) * narrow
    beyond = (off_axis - beam).clamp(min=0) / shoulder
    kept = torch.exp(-(beyond**SHOULDER_POWER)) * near
    return min(effort, 1.0) * around * (MOST_STOPS * (1 - kept) + kept * glare)


def _glare(photo: Tensor, subject: Tensor) -> Tensor:
    """Stops (h, w) by which the surroundings of a place outshine the subject, at most MOST_GLARE.

    Args:
        photo: (h, w) luminance by day, linear.
        subject: (h, w) soft mask.
    """
    reach = max(1, round(GLARE_REACH * math.hypot(*subject.shape)))
    outside = (1 - subject).square()
    seen = torch.stack((photo * outside, outside))
    light, share = box_mean(box_mean(seen, reach), reach)
    own = float((photo * subject).sum() / subject.sum().clamp(min=1e-6))
    stops = torch.log2((light / share.clamp(min=1e-3)).clamp(min=1e-4) / max(own, 1e-3))
    return stops.clamp(0, MOST_GLARE)


def _beside(inverse_depth: Tensor, subject: Tensor) -> Tensor:
    """Inverse depth (h, w) in which what stands close to the outline is not nearer than behind.

    Depth is blurred across an outline, and would leave a bright rim: the farthest within reach
    counts, the subject not. Square windows leave square steps, which are smoothed.
    """
    reach = max(1, round(REACH * math.hypot(*subject.shape)))
    masked = torch.where(subject > 0.05, torch.inf, inverse_depth)
    farthest = -dilated(-masked[None], reach)[0]
    farthest = torch.where(farthest.isfinite(), farthest, inverse_depth)[None]
    return box_mean(box_mean(farthest, reach), reach)[0]


def _off_axis(subject: Tensor) -> Tensor:
    """Distance (h, w) from the middle of an ellipse about the subject, 1 on it.

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
    half = 2 * spread.clamp(min=0.25).sqrt()
    half = half.clamp(min=max(ROUNDEST * float(half.max()), NARROWEST * math.hypot(h, w) / BEAM))
    return torch.hypot(
        *(
            (across * float(x) + down * float(y)) / float(a)
            for (x, y), a in zip(axes.T, half, strict=True)
        )
    )


def _reduced(values: Tensor) -> Tensor:
    h, w = values.shape
    scale = min(1.0, SIDE / max(h, w))
    size = (max(1, round(h * scale)), max(1, round(w * scale)))
    return F.interpolate(values[None, None], size, mode="area")[0, 0]
