"""The main object: where the flash is aimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.models.descriptor import Detection
from nightflash.scene.geometry import salience
from nightflash.scene.segment import Box, object_from_prior, object_in_box

EQUAL_AREA = 0.5  # objects at least this large against the largest are its equals
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
    """Find the object under ``point`` (x, y): a detected one, else the region of its depth."""
    under = [d for d in detections if _contains(d.box, point)]
    for detection in sorted(under, key=lambda d: d.box[2] * d.box[3]):
        mask = _detected_mask(detection, encoded, inverse_depth)
        if float(mask[_pixel(point, mask)]) > 0.5:
            return Subject(mask, f"{detection.label} under the point")
    return Subject(_region_under(point, encoded, inverse_depth), "the region under the point")


def largest(
    detections: Sequence[Detection], encoded: Tensor, inverse_depth: Tensor, several: bool
) -> Subject | None:
    """Take the largest detected object, with its equals when ``several``; None where none is."""
    ordered = sorted(detections, key=lambda d: d.box[2] * d.box[3], reverse=True)
    if not ordered:
        return None
    first = ordered[0]
    least = EQUAL_AREA * first.box[2] * first.box[3]
    chosen = [d for d in ordered if d.box[2] * d.box[3] >= least] if several else [first]
    masks = [_detected_mask(d, encoded, inverse_depth) for d in chosen]
    mask = torch.stack(masks).amax(0)
    names = ", ".join(f"{d.label} ({d.score:.2f})" for d in chosen)
    return Subject(mask, f"largest detected: {names}")


def salient(encoded: Tensor, inverse_depth: Tensor) -> Subject:
    """Take the nearest salient region."""
    score = salience(encoded, inverse_depth)
    box = bounds((score > 0.5).to(score))
    mask = object_from_prior(encoded, (score * 0.9).clamp(0, 0.95), _wider(box, *score.shape))
    return Subject(mask, "salience", NO_OBJECT)


def rectangle(mask: Tensor) -> Box | None:
    """Box (x, y, w, h) of a mask that is one hard-edged upright rectangle, else None."""
    h, w = mask.shape
    x, y, bw, bh = (int(v) for v in bounds(mask))
    if bw >= w and bh >= h:
        return None
    inside = mask[y : y + bh, x : x + bw]
    core = inside[1:-1, 1:-1] if min(bw, bh) > 4 else inside
    hard = bool((core > 0.99).all()) and float(mask.sum()) > 0.97 * float(inside.sum())
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
    if detection.mask is not None:
        return detection.mask.to(encoded)
    return object_in_box(encoded, inverse_depth, detection.box)


def _region_under(point: tuple[float, float], encoded: Tensor, inverse_depth: Tensor) -> Tensor:
    """Region around ``point`` joined to it by like depth and colour, refined."""
    row, column = _pixel(point, inverse_depth)
    size = round(max(encoded.shape[1:]) / 200)
    window = (
        slice(max(0, row - size), row + size + 1),
        slice(max(0, column - size), column + size + 1),
    )
    at_point = inverse_depth[window].median()
    colour = encoded[:, window[0], window[1]].flatten(1).median(1).values[:, None, None]
    unlike = ((inverse_depth - at_point) / (0.06 + 0.1 * at_point)) ** 2
    unlike = unlike + 0.25 * (((encoded - colour) / 0.15) ** 2).sum(0)
    like = torch.exp(-0.5 * unlike)
    joined = _joined((like > 0.3).cpu().numpy(), row, column)
    prior = torch.from_numpy(joined).to(like) * like
    prior = F.max_pool2d(prior[None], 5, 1, 2)[0]
    return object_from_prior(encoded, prior, _wider(bounds(prior), *prior.shape))


def _joined(region: npt.NDArray[np.bool_], row: int, column: int) -> npt.NDArray[np.float32]:
    """Part of ``region`` joined to (row, column), as 0.0 / 1.0; the seed is always in it."""
    region[row, column] = True
    _, parts = cv2.connectedComponents(region.astype(np.uint8), connectivity=4)
    joined: npt.NDArray[np.float32] = (parts == parts[row, column]).astype(np.float32)
    return joined


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
