"""The main object: where the flash is aimed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor

from nightflash.models.descriptor import Detection, MainObject, SubjectNetwork
from nightflash.scene.box import Box, bounds, contains, overlap, wider
from nightflash.scene.closer import object_under
from nightflash.scene.geometry import salience
from nightflash.scene.main_object import outlined, outlined_anew, parts
from nightflash.scene.region import clearest_region
from nightflash.scene.segment import object_from_prior, object_in_box

EQUAL = 0.3  # objects that weigh at least this much against the main one are its equals
SAME = 0.6  # intersection over union from which two boxes hold one object
SUPPORTS = frozenset({"bed", "bench", "chair", "couch", "dining table"})  # of what is meant
FILLS = 0.6  # of a box's area that the bounds of what is meant by it cover, at least
PART_OF = 0.7  # of a part's area under which a detected object in it is one of several
GROWTH_SIDE = 96  # long side at which a region grows from a point
NOT_CLEAR = "It is not clear what the main object is. Aim the flash yourself where it is wrong."
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


def boxed(
    box: Box,
    encoded: Tensor,
    inverse_depth: Tensor,
    found: str,
    main: MainObject | None = None,
    detections: Sequence[Detection] = (),
) -> Subject:
    """Find the object in ``box`` (x, y, w, h), pixels of the picture.

    That is a part of the main object or a detected one, where its bounds are about the box.
    """
    known = [*_parts(main, encoded, inverse_depth)]
    known += [
        _detected_mask(d, encoded, inverse_depth)
        for d in _distinct(detections)
        if d.mask is not None
    ]
    fits = [(overlap(bounds(mask), box), mask) for mask in known]
    best, mask = max(fits, key=lambda pair: pair[0], default=(0.0, None))
    if mask is None or best < FILLS:
        mask = object_in_box(encoded, inverse_depth, box)
    return Subject(mask, found)


def pointed(
    point: tuple[float, float],
    encoded: Tensor,
    inverse_depth: Tensor,
    main: MainObject | None,
    detections: Sequence[Detection],
    closer: SubjectNetwork | None = None,
) -> Subject:
    """Find the object under ``point`` (x, y).

    That is the main object of what is there, of the picture or of a window that ``closer`` looks
    at, or the detected object in it where it holds several; else a detected object, else the
    region around the point.
    """
    under = [d for d in _distinct(detections) if contains(d.box, point)]
    under.sort(key=lambda d: d.box[2] * d.box[3])
    part = object_under(point, encoded, inverse_depth, main, closer)
    if part is not None:
        for detection in under:
            one = _within(part, detection.box)
            if PART_OF * float(part.sum()) > float(one.sum()) and _fills(one, detection.box):
                return Subject(one, f"{detection.label} under the point")
        return Subject(part, "the main object under the point")
    for detection in under:
        mask = _detected_mask(detection, encoded, inverse_depth)
        if float(mask[_pixel(point, mask)]) > 0.5:
            return Subject(mask, f"{detection.label} under the point")
    return Subject(region_under(point, encoded, inverse_depth), "the region under the point")


def whole(main: MainObject, encoded: Tensor, inverse_depth: Tensor) -> Subject | None:
    """Take what a network takes for the main object; None where it shows nothing at all.

    Where the network is not sure that there is one, a note says so.
    """
    mask = outlined(main.mask, encoded, inverse_depth)
    if float(mask.max()) <= 0.5:
        return None
    return Subject(mask, "the main object", "" if main.clear else NOT_CLEAR)


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


def together(main: Subject | None, others: Subject | None) -> Subject | None:
    """Both of them lit, or the one that there is."""
    if main is None or others is None:
        return main or others
    return Subject(torch.maximum(main.mask, others.mask), f"{main.found}, {others.found}")


def salient(encoded: Tensor, inverse_depth: Tensor) -> Subject:
    """Take the nearest salient region."""
    score = salience(encoded, inverse_depth)
    box = bounds((score > 0.5).to(score))
    prior = (1.2 * score).clamp(0.05, 0.9)
    mask = object_from_prior(encoded, inverse_depth, prior, wider(box, 0.1, *score.shape))
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
    # Only the pixels that the rectangle's sides cross may be partly covered. Sums in float32 of
    # what is the same pixels would differ by more than this.
    beside = float(mask.sum(dtype=torch.float64) - margin.sum(dtype=torch.float64))
    hard = bool((core > 0.99).all()) and beside < 0.01
    return (float(x), float(y), float(bw), float(bh)) if hard else None


def _detected_mask(detection: Detection, encoded: Tensor, inverse_depth: Tensor) -> Tensor:
    """The object's soft mask (h, w): a detector's own is coarse, so its outline is laid anew."""
    if detection.mask is not None:
        return outlined_anew(detection.mask, encoded, inverse_depth, detection.box)
    return object_in_box(encoded, inverse_depth, detection.box)


def _parts(main: MainObject | None, encoded: Tensor, inverse_depth: Tensor) -> list[Tensor]:
    """The parts (h, w) of the main object, none where there is none."""
    return [] if main is None else parts(outlined(main.mask, encoded, inverse_depth))


def _within(mask: Tensor, box: Box) -> Tensor:
    """What of ``mask`` (h, w) lies in ``box``, or just beside it."""
    h, w = mask.shape
    x, y, bw, bh = wider(box, 0.03, h, w)
    inside = torch.zeros_like(mask)
    inside[int(y) : math.ceil(y + bh), int(x) : math.ceil(x + bw)] = 1
    return mask * inside


def _fills(mask: Tensor, box: Box) -> bool:
    """Whether the bounds of ``mask`` are about ``box``."""
    return float(mask.max()) > 0.5 and overlap(bounds(mask), box) >= FILLS


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
        if all(overlap(one.box, other.box) <= SAME for other in kept):
            kept.append(one)
    return kept


def region_under(point: tuple[float, float], encoded: Tensor, inverse_depth: Tensor) -> Tensor:
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
    box = wider(bounds(wide), 0.1, h, w)
    prior = 0.25 + 0.6 * wide
    return object_from_prior(encoded, inverse_depth, prior, box)


def _pixel(point: tuple[float, float], picture: Tensor) -> tuple[int, int]:
    h, w = picture.shape[-2:]
    return min(max(int(point[1]), 0), h - 1), min(max(int(point[0]), 0), w - 1)
