"""From a network's map of the main object to a soft mask on the photo's edges, and to its parts."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.imaging.guided_filter import GuidedFilter
from nightflash.models.sureness import sureness
from nightflash.scene.box import Box, bounds
from nightflash.scene.fringe import without_fringe
from nightflash.scene.segment import SIDE, object_from_prior

FINE = SIDE  # places on a map's shorter side from which no outline found anew is finer
SURE = 0.8  # sureness from which what a fine map half believes is as often the object as not
BELIEVED = 0.3, 0.7  # values of a map that become none and all of the object
IN_DOUBT = 0.1, 0.6  # those of an unsure fine one: it is the object more often than it says
UNSURE = 0.02  # of a coarse map, everywhere: photo and depth may still say otherwise
AGREED = 0.5  # intersection over union with the map under which another outline is another object
LEAST_PART = 0.003  # of the picture


def outlined(found: Tensor, encoded: Tensor, inverse_depth: Tensor) -> Tensor:
    """Lay a network's map of an object onto the photo.

    Of a map coarser than the picture, and than what can be found there, the outline is found anew
    by colour and depth, and taken where it is still the same object. Another is taken as it is,
    with more contrast, its soft edge laid onto the photo's by the guided filter where it is
    coarser than the picture.

    Args:
        found: (h', w') 0..1, at any resolution, covering the picture.
        encoded: (3, h, w) encoded 0..1.
        inverse_depth: (h, w) relative inverse depth, 0..1.

    Returns:
        (h, w) soft mask 0..1.
    """
    h, w = inverse_depth.shape
    cell = (h * w / found.numel()) ** 0.5
    mask = F.interpolate(found[None, None].to(encoded), (h, w), mode="bilinear", antialias=True)[
        0, 0
    ].clamp(0, 1)
    coarse = cell > 1 and min(found.shape) < FINE
    if coarse:
        anew = outlined_anew(mask, encoded, inverse_depth, bounds(mask))
        if overlap(anew, mask) >= AGREED:
            return without_fringe(anew, encoded)
    none, all_of_it = BELIEVED if coarse or sureness(found) >= SURE else IN_DOUBT
    mask = ((mask - none) / (all_of_it - none)).clamp(0, 1)
    return without_fringe(mask if cell <= 1 else _on_edges(mask, encoded, cell), encoded)


def outlined_anew(mask: Tensor, encoded: Tensor, inverse_depth: Tensor, box: Box) -> Tensor:
    """Find the outline of a coarse mask (h, w; 0..1) in ``box`` by colour and depth."""
    prior = mask.to(encoded).clamp(UNSURE, 1 - UNSURE)
    return object_from_prior(encoded, inverse_depth, prior, box)


def parts(mask: Tensor) -> list[Tensor]:
    """The parts of a soft mask (h, w) that do not hang together, each with its soft edge."""
    inside = (mask > 0.5).to(torch.uint8).cpu().numpy()
    count, labels, facts, _ = cv2.connectedComponentsWithStats(inside)
    least = LEAST_PART * mask.numel()
    large = [i for i in range(1, count) if facts[i, cv2.CC_STAT_AREA] >= least]
    if len(large) < 2:
        return [mask]
    reach = 2 * max(1, round(0.01 * max(mask.shape))) + 1  # of the soft edge
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return [
        mask * torch.from_numpy(cv2.dilate((labels == i).astype(np.uint8), around)).to(mask)
        for i in large
    ]


def overlap(a: Tensor, b: Tensor) -> float:
    """Intersection over union of two soft masks (h, w)."""
    both, either = torch.minimum(a, b).sum(), torch.maximum(a, b).sum()
    return float(both / either.clamp(min=1e-6))


def _on_edges(mask: Tensor, encoded: Tensor, cell: float) -> Tensor:
    """Upsample a soft edge onto the photo's (guided filter, He, Sun, Tang 2013)."""
    soft = GuidedFilter(encoded, max(2, round(1.5 * cell)), 1e-4).filter(mask[None])[0]
    return ((soft - 0.1) / 0.8).clamp(0, 1)
