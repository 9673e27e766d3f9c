"""Sky behind an object, where no depth says that it is sky."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from nightflash.imaging.guided_filter import box_mean
from nightflash.scene.open_air import CONTRAST, GRAIN, local_contrast

BLUE = 1.15  # blue against red, in the median of a part, from which it is sky down to the ground
DARKEST_BLUE, DARKEST_WHITE = 0.3, 0.78  # of a sky by day, encoded
LEAST_SHARE = 0.01  # of the picture
GAPS = 0.06  # of the diagonal, within which the sky is seen through what stands before it
GAP_AFTER_GAP = 2  # so far from the parts found
CLOSE = 0.05  # share of sky around from which a place counts as close to it
ALIKE, UNLIKE = 0.06, 0.25  # encoded difference from the sky's colour: wholly sky, and none
TO_THE_GROUND = 0.2  # share of the lower border from which a part reaches down there


def backdrop(encoded: Tensor, subject: Tensor) -> Tensor:
    """Soft mask (h, w), 0..1, of smooth sky that the subject stands against.

    Smooth parts at the upper border, white or blue. A white one that goes down to the lower border
    may be snow, and is left out. Depth is not asked: networks take the sky around a bird to be as
    near as the bird.

    Args:
        encoded: (3, h, w) encoded sRGB 0..1.
        subject: (h, w) soft mask.
    """
    red, green, blue = encoded
    brightest = encoded.amax(0)
    is_blue = (blue > 1.06 * red) & (blue >= 0.98 * green) & (brightest > DARKEST_BLUE)
    is_white = (brightest > DARKEST_WHITE) & (blue > 0.85 * brightest)
    smooth = (is_blue | is_white) & (local_contrast(encoded) < CONTRAST) & (subject < 0.05)
    smooth_bytes = smooth.cpu().numpy().astype(np.uint8)
    _, parts, facts, _ = cv2.connectedComponentsWithStats(smooth_bytes, connectivity=4)
    least = LEAST_SHARE * parts.size
    grey = encoded.mean(0)[None]
    grain = (grey - box_mean(grey, 1)).abs()[0].cpu().numpy()
    tint = (blue / red.clamp(min=0.01)).cpu().numpy()
    rim = max(1, len(parts) // 50)
    found = np.zeros(parts.shape, np.float32)
    for part in np.unique(parts[:rim]):
        if part == 0 or facts[part, cv2.CC_STAT_AREA] < least:
            continue
        inside = parts == part
        if np.median(grain[inside]) >= GRAIN:
            continue
        if np.median(tint[inside]) > BLUE or inside[-rim:].mean() < TO_THE_GROUND:
            found[inside] = 1
    return _with_gaps(torch.from_numpy(found).to(encoded), encoded)


def _with_gaps(sky: Tensor, encoded: Tensor) -> Tensor:
    """Sky (h, w) down to the pixel: between twigs, too, and beside what stands against it.

    Near the parts found, a pixel is sky as far as it has the colour that the sky has there: what
    is mixed of twig and sky is sky in part. Colours are those of the parts found alone.
    """
    reach = max(2, round(GAPS * math.hypot(*sky.shape)))
    coloured = torch.cat([sky[None], sky * encoded])
    for _ in range(GAP_AFTER_GAP):
        coloured = box_mean(box_mean(coloured, reach), reach)
        around = box_mean(box_mean(sky[None], reach), reach)[0]
        away = (encoded - coloured[1:] / coloured[:1].clamp(min=1e-6)).abs().amax(0)
        alike = ((UNLIKE - away) / (UNLIKE - ALIKE)).clamp(0, 1)
        sky = torch.maximum(sky, alike * (around / CLOSE).clamp(0, 1))
    return sky
