"""A flash beside or above the camera: where it is, and the shadow of the subject that it throws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.imaging.guided_filter import box_mean

FOCAL_LENGTH = 0.8  # of the picture's diagonal: 35 mm on a full frame, a usual field of view
ARM = 0.15  # of the subject's distance: 30 cm from the lens at 2 m
SHADOW_STOPS = 3.0  # what walls and air send back lights the shadow a little
SHARP, SOFT = 0.002, 0.01  # of the diagonal: blur of the shadow close behind and far behind
CALM = 0.012  # of the diagonal, over which depth behind the subject is evened out


@dataclass(frozen=True)
class Flash:
    """Where the flash is, against the lens, in distances of the subject.

    Attributes:
        right, down: As seen in the picture.
    """

    right: float = 0.0
    down: float = 0.0


AT_CAMERA = Flash()
PLACES = {
    "camera": AT_CAMERA,
    "above": Flash(down=-ARM),
    "left": Flash(right=-ARM),
    "right": Flash(right=ARM),
}


def shadow_stops(
    inverse_depth: Tensor, subject: Tensor, flash: Flash, at_subject: float
) -> Tensor | None:
    """Stops (h, w) that the subject's own shadow takes from what is behind it; None at the lens.

    Parallax: on a surface of inverse depth m behind a subject of inverse depth s the shadow lies
    ``f flash (1 - m / s)`` pixels from the subject, away from the flash (f: focal length).

    Args:
        inverse_depth: (h, w), 0 is infinitely far.
        subject: (h, w) soft mask.
        flash: Where it is.
        at_subject: Inverse depth of the subject.
    """
    if flash == AT_CAMERA:
        return None
    h, w = subject.shape
    diagonal = math.hypot(h, w)
    around = 1 - subject
    radius = max(1, round(CALM * diagonal))
    shares = box_mean(torch.stack((inverse_depth * around, around)), radius)
    behind = (1 - shares[0] / shares[1].clamp(min=1e-3) / at_subject).clamp(0, 1)
    rows = torch.arange(h, device=subject.device)[:, None] + 0.5
    columns = torch.arange(w, device=subject.device)[None, :] + 0.5
    far = FOCAL_LENGTH * diagonal * behind
    seen = torch.stack(((columns + flash.right * far) / w, (rows + flash.down * far) / h), dim=-1)
    sharp, soft = (
        box_mean(box_mean(subject[None], r), r)
        for r in (round(b * diagonal) for b in (SHARP, SOFT))
    )
    thrown = F.grid_sample(torch.cat((sharp, soft))[None], 2 * seen[None] - 1, align_corners=False)
    return SHADOW_STOPS * torch.lerp(thrown[0, 0], thrown[0, 1], behind) * around
