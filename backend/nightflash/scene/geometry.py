"""Depth and salience without any network: simple cues, weighed by a few fitted figures.

The last resort where no network is present. Cues of depth: the ground plane under the horizon
(Hoiem 2005), sharpness, the sky. Cues of salience: colours unlike those of each border and far
from them on any way (Wei 2012, "Geodesic saliency"), colours found in one place only (Perazzi
2012, "Saliency filters"), sharpness, nearness, the middle. ``tests/benchmarks/fit_geometry.py``
fits both sets of weights and gives the figures reached.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.imaging.colour import decode, oklab
from nightflash.imaging.guided_filter import box_mean
from nightflash.scene.open_air import LEAST_SKY, blurred, local_contrast, sky_mask

DEPTH_WEIGHTS = {
    "any": 0.22,
    "height": 0.43,
    "ground": 0.33,
    "sky seen": -0.17,
    "sharpness": 0.18,
    "side": -0.04,
}
"""Inverse depth as a sum of cues. Ridge regression on the depth of a small network, on half of
the daylight photos, and on the true depth of rendered scenes; on the other half of the photos
the rank correlation with the network's depth is 0.86 in the median."""
SALIENCE_WEIGHTS = {
    "any": -1.57,
    "unlike the borders": 1.30,
    "far from the borders": 1.40,
    "one place": 0.88,
    "sky": -0.88,
    "side": -0.96,
    "top or bottom": -1.17,
    "centre": 0.75,
    "sharp in the centre": 0.42,
    "unlike, sharp and near": 1.44,
}
"""Logarithm of the odds of the main object. Logistic regression on the masks of a small detector
and of rendered scenes, both classes weighed alike; the same halves of the photos."""
HORIZON = 0.38  # height of the horizon, from the top, where no sky shows it
UNSEEN_RANGE = 0.1  # share of the depth's range believed where no sky shows what is far
FARTHEST = 0.06  # inverse depth of the farthest thing that is not sky
SURE_SKY = 0.1  # share of the picture from which the sky says what is far
SIDE = 128  # long side at which cues are computed
COLOURS = 12  # into which a picture is sorted to find those of one place
OBJECT = 0.7  # logarithm of the odds from which a pixel counts as the object's


def plane_depth(encoded: Tensor, subject: Tensor | None = None) -> Tensor:
    """Inverse depth (h, w), 0 infinitely far to 1, of a photo: sky, ground, upright subject.

    A wrong step in depth costs more than a missing one: without a sky nothing says how far the
    farthest thing is, and the range is narrow. The result is scaled already.

    Args:
        encoded: (3, h, w) encoded 0..1.
        subject: (h, w) soft mask of an object that stands on the ground, or None.
    """
    sky = sky_mask(encoded)
    cues = depth_cues(encoded, sky)
    rough = sum((DEPTH_WEIGHTS[name] * cue for name, cue in cues.items()), torch.zeros(()))
    depth = _large(rough.to(encoded), sky)
    seen = min(float(sky.mean()) / SURE_SKY, 1.0)
    believed = seen + UNSEEN_RANGE * (1 - seen)
    depth = (1 - believed * (1 - depth)).clamp(FARTHEST, 1)
    if subject is not None and bool((subject > 0.5).any()):
        inside = subject > 0.5
        foot = int(inside.any(1).nonzero()[-1])
        at_foot = depth[foot][inside[foot]].mean()
        depth = torch.lerp(depth, torch.maximum(at_foot, depth[inside].mean()), subject)
    return depth * (1 - sky)


def depth_cues(encoded: Tensor, sky: Tensor) -> dict[str, Tensor]:
    """Cues of inverse depth, each (h', w') with the long side SIDE, named as their weights.

    Args:
        encoded: (3, h, w) encoded 0..1.
        sky: (h, w) soft mask.
    """
    sharp = _relative(_small(local_contrast(encoded)[None]))
    h, w = sharp.shape[1:]
    x, y = _places(h, w, encoded)
    top = _horizon(sky)
    return {
        "any": torch.ones_like(y),
        "height": y,
        "ground": ((y - top) / (1 - top)).clamp(min=0).square(),
        "sky seen": torch.full_like(y, float(sky.mean() > LEAST_SKY)),
        "sharpness": blurred(sharp, h // 16 + 1)[0],
        "side": (2 * x - 1).square(),
    }


def salience(encoded: Tensor, inverse_depth: Tensor) -> Tensor:
    """Salience (h, w), 0..1, of the one object that stands out most; over 0.5 on it.

    Args:
        encoded: (3, h, w) encoded 0..1.
        inverse_depth: (h, w), 0 infinitely far to 1.
    """
    cues = salience_cues(encoded, sky_mask(encoded, inverse_depth), inverse_depth)
    odds = sum((SALIENCE_WEIGHTS[name] * cue for name, cue in cues.items()), torch.zeros(()))
    odds = odds - torch.minimum(odds.new_tensor(OBJECT), odds.quantile(0.97))
    score = torch.sigmoid(2 * odds)
    above = score > 0.5
    count, parts = cv2.connectedComponents(above.cpu().numpy().astype(np.uint8))
    weight = np.bincount(parts.ravel(), odds.exp().cpu().numpy().ravel(), count)
    weight[0] = 0
    main = torch.from_numpy(parts == int(weight.argmax())).to(above.device)
    return _large(torch.where(above & ~main, 0.2, score), inverse_depth).clamp(0, 1)


def salience_cues(encoded: Tensor, sky: Tensor, inverse_depth: Tensor) -> dict[str, Tensor]:
    """Cues of the main object, each (h', w'), about 0..1, named as their weights."""
    lab = oklab(decode(_small(encoded).clamp(0, 1)))
    h, w = lab.shape[1:]
    x, y = _places(h, w, encoded)
    centre = torch.exp(-(((x - 0.5) / 0.32) ** 2) - ((y - 0.55) / 0.34) ** 2)
    sharp = _relative(blurred(_small(local_contrast(encoded)[None]), h // 20 + 1))[0]
    unlike = _unlike_borders(lab)
    near = _small(inverse_depth[None])[0].clamp(0, 1)
    return {
        "any": torch.ones_like(y),
        "unlike the borders": unlike,
        "far from the borders": _way_from_border(lab),
        "one place": _colour_of_one_place(lab),
        "sky": _small(sky[None])[0],
        "side": (2 * x - 1).square(),
        "top or bottom": (2 * y - 1.1).square(),
        "centre": centre,
        "sharp in the centre": centre * sharp,
        "unlike, sharp and near": centre * (0.2 + 0.8 * unlike) * (0.4 + 0.6 * sharp) * near,
    }


def _unlike_borders(lab: Tensor) -> Tensor:
    """Mahalanobis distance (h, w), 0..1, of colours from those of each border."""
    h, w = lab.shape[1:]
    rim = max(2, round(max(h, w) / 24))
    sides = (lab[:, :rim], lab[:, :, :rim], lab[:, :, -rim:], lab[:, -rim:])
    total = lab.new_zeros(h, w)
    for k, side in enumerate(sides):
        covariance = torch.cov(side.flatten(1)) + 4e-4 * torch.eye(3).to(lab)
        off = (lab - side.mean((1, 2), keepdim=True)).flatten(1)
        squared = (off * torch.linalg.solve(covariance, off)).sum(0).reshape(h, w)
        total = total + (0.5 if k == 3 else 1.0) * (1 - torch.exp(-squared / 12))
    return _relative(box_mean(total[None] / 3.5, 1))[0]


def _way_from_border(lab: Tensor) -> Tensor:
    """Least sum of colour steps (h, w), 0..1, on a way from the border: geodesic saliency."""
    small = F.interpolate(lab[None], scale_factor=0.5, mode="area")[0].cpu().numpy()
    h, w = small.shape[1:]
    padded = np.pad(small, ((0, 0), (1, 1), (1, 1)), mode="edge")
    shifts = [(i, j) for i in (0, 1, 2) for j in (0, 1, 2) if (i, j) != (1, 1)]
    off = [np.sqrt(((padded[:, i : i + h, j : j + w] - small) ** 2).sum(0)) for i, j in shifts]
    steps = [np.maximum(step - 0.02, 0) for step in off]
    way = np.full((h + 2, w + 2), 1e3, np.float32)
    way[0] = way[:, 0] = way[:, -1] = 0
    way[-1] = 0.1
    inner = way[1:-1, 1:-1]
    for _ in range(h):
        for (i, j), step in zip(shifts, steps, strict=True):
            np.minimum(inner, way[i : i + h, j : j + w] + step, out=inner)
    found = torch.from_numpy(np.ascontiguousarray(inner)).to(lab)
    return _relative(_large(found, lab[0])[None])[0]


def _colour_of_one_place(lab: Tensor) -> Tensor:
    """Colours (h, w), 0..1, that lie close together in one place and not along the border."""
    h, w = lab.shape[1:]
    points = lab.flatten(1).T.contiguous().cpu().numpy().astype(np.float32)
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 8, 0.0)
    _, _, centres = cv2.kmeans(points[::3].copy(), COLOURS, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    squared = ((points[:, None] - centres[None]) ** 2).sum(2)
    share = np.exp(-(squared - squared.min(1, keepdims=True)) / (2 * 0.03**2))
    share /= share.sum(1, keepdims=True)
    rows, columns = np.divmod(np.arange(h * w), w)
    x, y = columns / w - 0.5, rows / h - 0.5
    total = share.sum(0)
    mx, my = (share * x[:, None]).sum(0) / total, (share * y[:, None]).sum(0) / total
    spread = (share * ((x[:, None] - mx) ** 2 + (y[:, None] - my) ** 2)).sum(0) / total
    rim = (np.abs(x) > 0.46) | (y < -0.46)
    at_rim = (share * rim[:, None]).sum(0) / total / rim.mean()
    value = np.exp(-spread / 0.08) * np.exp(-at_rim)
    rare = torch.from_numpy((share @ value).astype(np.float32).reshape(h, w)).to(lab)
    return _relative(rare[None])[0]


def _small(picture: Tensor) -> Tensor:
    """``picture`` (C, h, w) with the long side SIDE."""
    h, w = picture.shape[1:]
    scale = SIDE / max(h, w)
    size = (max(8, round(h * scale)), max(8, round(w * scale)))
    return F.interpolate(picture[None], size=size, mode="area")[0]


def _large(picture: Tensor, like: Tensor) -> Tensor:
    """``picture`` (h', w') at the size of ``like`` (h, w)."""
    return F.interpolate(picture[None, None], size=like.shape, mode="bilinear")[0, 0]


def _places(h: int, w: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Columns and rows (h, w), each 0..1 across the picture."""
    y = ((torch.arange(h) + 0.5) / h).to(like)[:, None].expand(h, w)
    return ((torch.arange(w) + 0.5) / w).to(like)[None, :].expand(h, w), y


def _relative(picture: Tensor) -> Tensor:
    """``picture`` by its 98th percentile, 0..1."""
    return (picture / picture.quantile(0.98).clamp(min=1e-4)).clamp(0, 1)


def _horizon(sky: Tensor) -> float:
    """Height of the horizon, 0 top to 1 bottom: the usual lower end of the sky."""
    if not bool((sky > 0.5).any()):
        return HORIZON
    rows = torch.arange(len(sky), device=sky.device)[:, None].expand_as(sky)
    lowest = torch.where(sky > 0.5, rows, 0).amax(0).float()
    return min(max(float(lowest.quantile(0.7)) / len(sky), 0.15), 0.65)
