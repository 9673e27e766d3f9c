"""The main object: where the flash is aimed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor

from nightflash.models.descriptor import Detection
from nightflash.scene.geometry import salience
from nightflash.scene.region import clearest_region
from nightflash.scene.segment import Box, object_from_prior, object_in_box

EQUAL = 0.3  # objects that weigh at least this much against the main one are its equals
SAME = 0.6  # intersection over union from which two boxes hold one object
SUPPORTS = frozenset({"bed", "bench", "chair", "couch", "dining table"})  # of what is meant
UNSURE = 0.02  # of a detector's mask, everywhere: photo and depth may still say otherwise
GROWTH_SIDE = 96  # long side at which a region grows from a point
NO_OBJECT = "No clear object was found: the nearest salient region is lit. Aim the flash yourself."


@dataclass(frozen=True)
class Subject:
    """The main object of a picture.

    Attributes:
        mask: (h, w) soft mask 0..1.
        found: How it was found, for the report.
        note: A sentence for the user when nothing clear was found, or empty.
    """

    mask: Tensor
    found: str
    note: str = ""


def drawn(mask: Tensor, encoded: Tensor, inverse_depth: Tensor) -> Subject:
    """Take a drawn mask (h, w) as it is; a hard-edged rectangle is a box to refine."""
    box = rectangle(mask)
    if box is not None:
        return boxed(box, encoded, inverse_depth, "the rectangle drawn")
    return Subject(mask, "the mask drawn")


def boxed(box: Box, encoded: Tensor, inverse_depth: Tensor, found: str) -> Subject:
    """Find the object in ``box`` (x, y, w, h), pixels of the picture."""
    return Subject(object_in_box(encoded, inverse_depth, box), found)


def pointed(
    point: tuple[float, float],
    encoded: Tensor,
    inverse_depth: Tensor,
    detections: Sequence[Detection],
) -> Subject:
    """Find the object under ``point`` (x, y): a detected one, else the region around it."""
    under = [d for d in _distinct(detections) if _contains(d.box, point)]
    for detection in sorted(under, key=lambda d: d.box[2] * d.box[3]):
        mask = _detected_mask(detection, encoded, inverse_depth)
        if float(mask[_pixel(point, mask)]) > 0.5:
            return Subject(mask, f"{detection.label} under the point")
    return Subject(_region_under(point, encoded, inverse_depth), "the region under the point")


def largest(
    detections: Sequence[Detection], encoded: Tensor, inverse_depth: Tensor, several: bool
) -> Subject | None:
    """Take the main detected object, with its equals when ``several``; None where none is.

    The main object is large, surely detected, near, and not cut off by the frame.
    """
    weighed = [(_prominence(d, inverse_depth), d) for d in _distinct(detections)]
    if not weighed:
        return None
    weighed.sort(key=lambda pair: pair[0], reverse=True)
    least = EQUAL * weighed[0][0]
    chosen = [d for weight, d in weighed if weight >= least] if several else [weighed[0][1]]
    masks = [_detected_mask(d, encoded, inverse_depth) for d in chosen]
    mask = torch.stack(masks).amax(0)
    names = ", ".join(f"{d.label} ({d.score:.2f})" for d in chosen)
    return Subject(mask, f"main detected: {names}")


def salient(encoded: Tensor, inverse_depth: Tensor) -> Subject:
    """Take the nearest salient region."""
    score = salience(encoded, inverse_depth)
    box = bounds((score > 0.5).to(score))
    prior = (1.2 * score).clamp(0.05, 0.9)
    mask = object_from_prior(encoded, inverse_depth, prior, _wider(box, *score.shape))
    return Subject(mask, "salience", NO_OBJECT)


def rectangle(mask: Tensor) -> Box | None:
    """Box (x, y, w, h) of a mask that is one hard-edged upright rectangle, else None."""
    h, w = mask.shape
    x, y, bw, bh = (int(v) for v in bounds(mask))
    if bw >= w and bh >= h:
        return None
    inside = mask[y : y + bh, x : x + bw]
    core = inside[1:-1, 1:-1] if min(bw, bh) > 2 else inside
    margin = mask[max(0, y - 1) : y + bh + 1, max(0, x - 1) : x + bw + 1]
    # Only the pixels that the rectangle's sides cross may be partly covered.
    hard = bool((core > 0.99).all()) and float(mask.sum() - margin.sum()) < 0.01
    return (float(x), float(y), float(bw), float(bh)) if hard else None


def bounds(mask: Tensor) -> Box:
    """Box (x, y, w, h) of what is above half the mask's maximum."""
    above = mask > 0.5 * mask.max()
    rows, columns = above.any(1).nonzero(), above.any(0).nonzero()
    if not len(rows):
        return 0.0, 0.0, float(mask.shape[1]), float(mask.shape[0])
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    return float(x0), float(y0), float(x1 - x0), float(y1 - y0)


def _detected_mask(detection: Detection, encoded: Tensor, inverse_depth: Tensor) -> Tensor:
    """The object's soft mask (h, w): a detector's own is coarse, so its outline is laid anew."""
    if detection.mask is not None:
        prior = detection.mask.to(encoded).clamp(UNSURE, 1 - UNSURE)
        return object_from_prior(encoded, inverse_depth, prior, detection.box)
    return object_in_box(encoded, inverse_depth, detection.box)


def _prominence(detection: Detection, inverse_depth: Tensor) -> float:
    """How much of a main object it is: size in the picture, confidence, nearness, whole or cut."""
    h, w = inverse_depth.shape
    x, y, bw, bh = detection.box
    rows = slice(int(y + 0.2 * bh), int(y + 0.8 * bh) + 1)
    columns = slice(int(x + 0.2 * bw), int(x + 0.8 * bw) + 1)
    near = float(inverse_depth[rows, columns].median())
    cut = (x <= 2) + (y <= 2) + (x + bw >= w - 2)
    size = math.sqrt(bw * bh / (w * h))
    rest = 0.5 if detection.label in SUPPORTS else 1.0
    return float(size * detection.score**1.5 * (0.2 + near) * 0.85**cut * rest)


def _distinct(detections: Sequence[Detection]) -> list[Detection]:
    """One detection per object, the surest, whatever their classes."""
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda d: d.score, reverse=True):
        if all(_overlap(one.box, other.box) <= SAME for other in kept):
            kept.append(one)
    return kept


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    across = max(0.0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    down = max(0.0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    return across * down / (a[2] * a[3] + b[2] * b[3] - across * down)


def _region_under(point: tuple[float, float], encoded: Tensor, inverse_depth: Tensor) -> Tensor:
    """Find the object around ``point`` that stands out most clearly from what surrounds it."""
    h, w = inverse_depth.shape
    scale = min(1.0, GROWTH_SIDE / max(h, w))
    size = (max(4, round(w * scale)), max(4, round(h * scale)))
    rgb = encoded.permute(1, 2, 0).contiguous().cpu().numpy()
    lab = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    depth = cv2.resize(inverse_depth.cpu().numpy(), size, interpolation=cv2.INTER_AREA)
    start = (
        min(int(point[1] * size[1] / h), size[1] - 1),
        min(int(point[0] * size[0] / w), size[0] - 1),
    )
    region = clearest_region(lab, depth, start)
    wide = torch.from_numpy(cv2.resize(region, (w, h), interpolation=cv2.INTER_LINEAR))
    wide = wide.to(inverse_depth)
    box = _wider(bounds(wide), h, w)
    prior = 0.25 + 0.6 * wide
    return object_from_prior(encoded, inverse_depth, prior, box)


def _contains(box: Box, point: tuple[float, float]) -> bool:
    x, y, w, h = box
    return x <= point[0] < x + w and y <= point[1] < y + h


def _pixel(point: tuple[float, float], picture: Tensor) -> tuple[int, int]:
    h, w = picture.shape[-2:]
    return min(max(int(point[1]), 0), h - 1), min(max(int(point[0]), 0), w - 1)


def _wider(box: Box, h: int, w: int) -> Box:
    x, y, bw, bh = box
    x0, y0 = max(0.0, x - 0.1 * bw), max(0.0, y - 0.1 * bh)
    return x0, y0, min(w - x0, 1.2 * bw), min(h - y0, 1.2 * bh)
