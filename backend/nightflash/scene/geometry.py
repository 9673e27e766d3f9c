"""Depth and salience without any network: ground plane, sky, sharpness, colour against the border.

The last resort where no network is present. Cues: position over the horizon of a ground plane
(Hoiem 2005), sky by colour and smoothness, colour contrast against the border as a prior of the
background (Wei 2012, "Geodesic saliency"), local sharpness.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from nightflash.colour import decode, oklab
from nightflash.guided_filter import box_mean

HORIZON = 0.38  # height of the horizon, from the top, where no sky shows it
BACKDROP = 0.16  # inverse depth of what stands over the horizon and is not sky
NEAREST_SKY = 0.4  # inverse depth over which nothing is sky, whatever its colour
SIDE = 128  # long side at which colours are compared


def plane_depth(encoded: Tensor, subject: Tensor | None = None) -> Tensor:
    """Inverse depth (h, w), 0..1, of a photo (3, h, w): sky, ground plane, upright subject.

    Args:
        encoded: (3, h, w) encoded 0..1.
        subject: (h, w) soft mask of an object that stands on the ground, or None.
    """
    h, w = encoded.shape[1:]
    sky = sky_mask(encoded)
    top = _horizon(sky)
    y = (torch.arange(h, device=encoded.device)[:, None] + 0.5) / h
    ground = ((y - top) / (1 - top)).clamp(min=0).expand(h, w)
    depth = torch.maximum(ground, torch.full_like(ground, BACKDROP)) * (1 - sky)
    if subject is not None and bool((subject > 0.5).any()):
        rows = (subject > 0.5).any(1).nonzero()
        foot = float(ground[int(rows[-1]), 0])
        depth = torch.lerp(depth, torch.full_like(depth, max(foot, 0.4)), subject)
    return depth


def sky_mask(encoded: Tensor, inverse_depth: Tensor | None = None) -> Tensor:
    """Soft mask (h, w) of the sky: smooth, bright or blue, and joined to the upper border.

    With ``inverse_depth`` (h, w), gaps through which the same far sky shows are found too.
    """
    r, g, b = encoded
    brightness = encoded.amax(0)
    detail = _detail(encoded)
    bright = brightness > 0.8
    blue = (b > 1.15 * r) & (b >= g) & (brightness > 0.35)
    smooth = (bright | blue) & (detail < 0.04)
    if inverse_depth is not None:
        smooth &= inverse_depth < NEAREST_SKY
    candidate = smooth.cpu().numpy().astype(np.uint8)
    count, parts = cv2.connectedComponents(candidate)
    from_top = np.zeros(count, np.bool_)
    from_top[np.unique(parts[: max(1, len(parts) // 50)])] = True
    from_top[0] = False
    found = torch.from_numpy(from_top[parts].astype(np.float32)).to(encoded.device)
    if float(found.mean()) < 0.02:
        return torch.zeros_like(brightness)
    if inverse_depth is not None:
        found = torch.maximum(found, _sky_in_gaps(encoded, found, inverse_depth))
    return box_mean(found[None], 1)[0]


def _sky_in_gaps(encoded: Tensor, sky: Tensor, inverse_depth: Tensor) -> Tensor:
    """What is as far as a gap may look, over the lowest sky, and has the sky's colour (h, w)."""
    colours = encoded[:, sky > 0.5]
    colours = colours[:, :: max(1, colours.shape[1] // 64)]
    rows = (sky > 0.5).any(1).nonzero()
    over = torch.zeros_like(sky)
    over[: int(rows[-1]) + 1] = 1
    alike = torch.cdist(encoded.flatten(1).T, colours.T).amin(1).reshape(sky.shape) < 0.06
    return over * (alike & (inverse_depth < NEAREST_SKY)).to(sky)


def salience(encoded: Tensor, inverse_depth: Tensor) -> Tensor:
    """Salience (h, w), 0..1: unlike the border in colour, sharp, near, not at the margin."""
    h, w = encoded.shape[1:]
    scale = SIDE / max(h, w)
    small = torch.nn.functional.interpolate(
        encoded[None], size=(max(8, round(h * scale)), max(8, round(w * scale))), mode="area"
    )[0]
    lab = oklab(decode(small.clamp(0, 1)))
    unlike = _unlike_border(lab)
    wide = torch.nn.functional.interpolate(unlike[None, None], size=(h, w), mode="bilinear")[0, 0]
    sharp = box_mean(_detail(encoded)[None], max(2, round(max(h, w) / 40)))[0]
    sharp = (sharp / sharp.quantile(0.95).clamp(min=1e-4)).clamp(0, 1)
    y = (torch.arange(h, device=encoded.device)[:, None] + 0.5) / h - 0.55
    x = (torch.arange(w, device=encoded.device)[None, :] + 0.5) / w - 0.5
    centre = torch.exp(-((x / 0.32) ** 2) - (y / 0.34) ** 2)
    near = (inverse_depth / 0.5).clamp(0, 1)
    score = (0.25 + 0.75 * wide) * (0.4 + 0.6 * sharp) * (0.3 + 0.7 * near) * centre
    return (score / score.quantile(0.99).clamp(min=1e-6)).clamp(0, 1)


def _unlike_border(lab: Tensor) -> Tensor:
    """Distance (h, w), 0..1, of every colour to the nearest of those along the border."""
    h, w = lab.shape[1:]
    rim = max(1, round(max(h, w) / 40))
    edge = torch.ones(h, w, dtype=torch.bool, device=lab.device)
    edge[rim : h - rim, rim : w - rim] = False
    weight = lab.new_tensor((0.6, 2.0, 2.0))[:, None]
    border = lab[:, edge] * weight
    border = border[:, :: max(1, border.shape[1] // 256)]
    distance = torch.cdist((lab.flatten(1) * weight).T, border.T)
    nearest = distance.kthvalue(max(1, border.shape[1] // 12), dim=1).values.reshape(h, w)
    nearest = box_mean(nearest[None], 1)[0]
    return (nearest / nearest.quantile(0.98).clamp(min=1e-4)).clamp(0, 1)


def _detail(encoded: Tensor) -> Tensor:
    """Local standard deviation (h, w) of the photo's brightness."""
    grey = encoded.mean(0)[None]
    radius = max(1, round(math.hypot(*grey.shape[1:]) / 300))
    mean = box_mean(grey, radius)
    return (box_mean(grey * grey, radius) - mean * mean).clamp(min=0).sqrt()[0]


def _horizon(sky: Tensor) -> float:
    """Height of the horizon, 0 top to 1 bottom: the usual lower end of the sky."""
    if not bool((sky > 0.5).any()):
        return HORIZON
    rows = torch.arange(len(sky), device=sky.device)[:, None].expand_as(sky)
    lowest = torch.where(sky > 0.5, rows, 0).amax(0).float()
    return min(max(float(lowest.quantile(0.7)) / len(sky), 0.15), 0.65)
