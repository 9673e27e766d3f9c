"""Signs that a photo was taken in the open, by rules: its sky, and its foliage."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from nightflash.imaging.guided_filter import box_mean

LEAST_GREEN = 0.06  # excess green from which a colour is foliage
LEAST_VARIED = 0.025  # deviation of excess green around a place from which it is foliage
FOLIAGE_RANGE = 0.15, 0.4  # share of such colours from none to all of a picture of foliage
NEAREST_SKY = 0.4  # inverse depth over which nothing is sky, whatever its colour
CONTRAST = 0.03  # local standard deviation over which nothing is clear sky
GRAIN = 0.006  # median contrast of neighbours over which a part is a wall, not the sky
LEAST_SKY = 0.005  # share of the picture from which the sky is believed
NEAREST_BY_COLOUR = 0.7  # the same for what has the colour of clear sky beside it


def sky_mask(encoded: Tensor, inverse_depth: Tensor | None = None) -> Tensor:
    """Soft mask (h, w) of the sky: smooth, bright or blue, and joined to the upper border.

    Gaps through which the same sky shows are found too.

    Args:
        encoded: (3, h, w) encoded 0..1.
        inverse_depth: (h, w), 0 infinitely far to 1, or None.
    """
    r, _, b = encoded
    brightness = encoded.amax(0)
    bright = (brightness > 0.8) & (b > 0.85 * brightness)
    blue = (b > 1.12 * r) & (b >= encoded[1]) & (brightness > 0.35)
    candidate = (bright | blue) & (local_contrast(encoded) < CONTRAST)
    if inverse_depth is not None:
        candidate &= inverse_depth < NEAREST_SKY
    clear = _clear_sky(encoded, candidate)
    if float(clear.mean()) < LEAST_SKY:
        return torch.zeros_like(brightness)
    return box_mean(_grown_sky(encoded, clear, inverse_depth)[None], 1)[0]


def _clear_sky(encoded: Tensor, candidate: Tensor) -> Tensor:
    """Parts (h, w) of ``candidate`` at the upper border that can be sky, not wall or snow."""
    _, parts = cv2.connectedComponents(candidate.cpu().numpy().astype(np.uint8), connectivity=4)
    brightness = encoded.amax(0).cpu().numpy()
    grey = encoded.mean(0)[None]
    grain = (grey - box_mean(grey, 1)).abs()[0].cpu().numpy()
    rim = max(1, len(parts) // 50)
    found: dict[int, float] = {}
    for part in np.unique(parts[:rim]):
        inside = parts == part
        to_the_bottom = inside[-rim:].mean() > 0.2
        if part == 0 or to_the_bottom or inside.mean() < 0.002:
            continue
        if np.median(grain[inside]) < GRAIN:
            found[int(part)] = float(np.median(brightness[inside]))
    brightest = max(found.values(), default=0.0)
    kept = [part for part, level in found.items() if level > 0.75 * brightest]
    return torch.from_numpy(np.isin(parts, kept).astype(np.float32)).to(encoded.device)


def _grown_sky(encoded: Tensor, clear: Tensor, inverse_depth: Tensor | None) -> Tensor:
    """Clear sky with what has its colour beside and between it, over its lower end (h, w)."""
    radius = max(2, round(math.hypot(*clear.shape) / 20))
    share = blurred(clear[None], radius)
    colour = blurred(encoded * clear, radius) / share.clamp(min=1e-4)
    alike = ((encoded - colour).abs().amax(0) < 0.1) & (share[0] > 0.02)
    alike[int((clear > 0.5).any(1).nonzero()[-1]) + 1 :] = False
    if inverse_depth is not None:
        alike &= inverse_depth < NEAREST_BY_COLOUR
    return torch.maximum(clear, alike.to(clear))


def local_contrast(encoded: Tensor) -> Tensor:
    """Local standard deviation (h, w) of the photo's brightness."""
    grey = encoded.mean(0)[None]
    radius = max(1, round(math.hypot(*grey.shape[1:]) / 300))
    mean = box_mean(grey, radius)
    return (box_mean(grey * grey, radius) - mean * mean).clamp(min=0).sqrt()[0]


def foliage_share(encoded: Tensor) -> float:
    """How far a photo (3, h, w) is one of foliage, 0..1: excess green (Woebbecke 1995) that varies.

    Leaves have many greens, in focus or not. A painted wall has one, whatever light falls on it.
    """
    total = encoded.sum(0).clamp(min=0.05)
    excess = ((2 * encoded[1] - encoded[0] - encoded[2]) / total)[None]
    radius = max(1, round(math.hypot(*total.shape) / 40))
    mean, squares = box_mean(torch.cat((excess, excess.square())), radius)
    varied = squares - mean.square() > LEAST_VARIED**2
    green = (excess[0] > LEAST_GREEN) & varied
    least, most = FOLIAGE_RANGE
    return min(max((float(green.float().mean()) - least) / (most - least), 0.0), 1.0)


def blurred(picture: Tensor, radius: int) -> Tensor:
    """A picture (C, h, w) smoothed twice by boxes of this radius."""
    return box_mean(box_mean(picture, radius), radius)
