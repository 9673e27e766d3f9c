"""Lamps that burn by day: they are sources of light, so night does not put them out."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nightflash.imaging.colour import luminance

BRIGHTEST_PHOTO = 0.1  # linear luminance, median, of a photo in which a lamp can be recognised
BLOWN, BRIGHT = 0.95, 0.6  # linear: a lamp's largest channel, and its luminance, at least
LEAST, MOST = 1.5e-4, 1e-2  # of the picture that a lamp's core covers
ROUND = 0.45  # of its box that a core fills at least
STRETCHED = 4.0  # longest side of that box against the shortest, at most
RINGS = (1.15, 1.8, 2.8, 4.5)  # in radii of the core: halo, glow and what is around end there
FADING = 1.4  # luminance of a ring against the next one out, at least
DIM = 0.12  # linear luminance around a lamp, at most
WARM = 1.6  # red against blue in the halo, at least: glints are white, gaps in leaves green
LEAST_RING = 8  # pixels from which a ring is judged


def lamps(photo: Tensor) -> Tensor | None:
    """Where lamps and flames burn: (h, w), 0..1, soft; None where none does.

    A lamp is a small blown spot in dim surroundings with a warm halo that fades outwards. In a
    bright photo none is distinguished from a glint, a white thing or the sky through leaves.

    Args:
        photo: (3, h, w) linear.
    """
    y = luminance(photo)
    if float(y.median()) > BRIGHTEST_PHOTO:
        return None
    core = ((photo.amax(0) >= BLOWN) & (y >= BRIGHT)).to(torch.uint8).cpu().numpy()
    count, _, facts, centres = cv2.connectedComponentsWithStats(core)
    rgb, grey = photo.permute(1, 2, 0).cpu().numpy(), y.cpu().numpy()
    burning = np.zeros_like(grey)
    rows = np.arange(grey.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(grey.shape[1], dtype=np.float32)[None]
    for part in range(1, count):
        _, _, across, down, area = (int(v) for v in facts[part])
        if not max(4, LEAST * core.size) <= area <= MOST * core.size:
            continue
        if area < ROUND * across * down or max(across, down) > STRETCHED * min(across, down):
            continue
        radius = math.sqrt(area / math.pi) + 1
        column, row = (round(float(v)) for v in centres[part])
        reach = math.ceil(RINGS[-1] * radius)
        window = np.s_[max(0, row - reach) : row + reach, max(0, column - reach) : column + reach]
        away = np.hypot(rows - np.float32(row), columns - np.float32(column))[window] / radius
        if _is_lamp(rgb[window], grey[window], away):
            glow = np.clip((RINGS[2] - away) / (RINGS[2] - 1), 0, 1)
            burning[window] = np.maximum(burning[window], glow)
    return torch.from_numpy(burning).to(photo) if burning.any() else None


def _is_lamp(
    rgb: npt.NDArray[np.float32], y: npt.NDArray[np.float32], away: npt.NDArray[np.float32]
) -> bool:
    """Judge the rings around a core, from colour, luminance and distance (h, w) in its radii."""
    rings = [(away >= near) & (away < far) for near, far in pairwise(RINGS)]
    if min(ring.sum() for ring in rings) < LEAST_RING:
        return False
    halo, glow, around = (float(np.median(y[ring])) for ring in rings)
    red, green, blue = (float(v) for v in np.median(rgb[rings[0]], axis=0))
    fading = halo >= FADING * glow and glow >= FADING * around and around <= DIM
    return fading and red >= green >= blue and red >= WARM * blue
