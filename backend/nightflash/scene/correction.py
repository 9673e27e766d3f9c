"""The main object corrected by the user: objects added and removed, and painted strokes.

A stroke is a hint: its middle is believed, and between there and just beyond its rim the outline
is laid along the photo's edges by a minimum cut, softened by the guided filter.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nightflash.aim import Aim, Click
from nightflash.errors import NightFlashError
from nightflash.imaging.guided_filter import GuidedFilter
from nightflash.models.descriptor import MainObject, SubjectNetwork
from nightflash.scene.cut import Map, minimum_cut, outline_cost
from nightflash.scene.scene import Survey
from nightflash.scene.segment import DEPTH_EDGE
from nightflash.scene.subject import Subject, pointed, region_under

PAINTED = 0.2  # of full strength, from which a stroke counts
MIDDLE = 0.6  # of half a stroke's width from its rim, where its middle begins
BEYOND = 0.02  # of the picture's long side, by which an outline may lie beyond a stroke
FIRM, LOOSE = 8.0, 0.3  # evidence of a pixel in nats: what is believed, and what is a hint
STEPS = 150  # of the cut
HARDLY = 0.05  # of the main object: left by a removal where a part of it was meant, or all
RIM = 0.008  # of the picture's long side: half the thickness of a removed object's rim


def corrected(
    subject: Subject,
    aim: Aim,
    seen: Survey,
    main: MainObject | None,
    closer: SubjectNetwork | None = None,
) -> Subject:
    """Correct what was found by an aim's clicks, in their order, then by its strokes.

    Args:
        subject: What the aim has found otherwise.
        aim: In pixels of the working size.
        seen: The photo surveyed.
        main: What a network takes for the main object, or None.
        closer: Looks at what is around a click, or None.

    Raises:
        NightFlashError: ``bad_aim``: nothing is left.
    """
    if not aim.clicks and aim.strokes is None:
        return subject
    mask = subject.mask
    for click in aim.clicks:
        mask = _clicked(mask, click, seen, main, closer)
    if aim.strokes is not None:
        mask = painted(mask, aim.strokes, seen.encoded, seen.inverse_depth)
    if float(mask.max()) <= 0.5:
        raise NightFlashError(
            "The corrections leave nothing of the main object.",
            "Take the last one back, or aim at another object.",
            code="bad_aim",
        )
    return Subject(mask, f"{subject.found}, corrected")


def painted(mask: Tensor, strokes: Map, encoded: Tensor, inverse_depth: Tensor) -> Tensor:
    """Correct a mask by strokes; away from them it stays as it is.

    Args:
        mask: (h, w) soft mask 0..1.
        strokes: (h, w) from -1, painted to be no object, to 1, painted to be object; 0 unpainted.
        encoded: (3, h, w) encoded 0..1.
        inverse_depth: (h, w) relative inverse depth, 0..1.

    Returns:
        (h, w) soft mask 0..1.
    """
    touched = np.abs(strokes) > PAINTED
    if not touched.any():
        return mask
    margin = max(3, round(BEYOND * max(mask.shape)))
    part = _around(touched, 2 * margin)
    touched, wanted = touched[part], strokes[part] > 0
    before = np.ascontiguousarray(mask[part].float().cpu().numpy())
    rgb = np.ascontiguousarray(encoded[:, part[0], part[1]].permute(1, 2, 0).float().cpu().numpy())
    depth = inverse_depth[part].float().cpu().numpy()
    features = np.dstack([cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), DEPTH_EDGE * depth])
    near = cv2.distanceTransform((~touched).astype(np.uint8), cv2.DIST_L2, 5) <= margin
    object_here = np.where(touched, wanted, before > 0.5)
    strength = np.where(near & ~_middle(touched), LOOSE, FIRM)
    evidence = np.where(object_here, strength, -strength).astype(np.float32)
    across, down = (outline_cost(features, axis) for axis in (1, 0))
    joined = minimum_cut(evidence, object_here.astype(np.float32), across, down, STEPS)
    hard = torch.from_numpy((joined > 0.5).astype(np.float32)).to(mask)
    soft = GuidedFilter(encoded[:, part[0], part[1]], 2, 1e-4).filter(hard[None])[0]
    result = mask.clone()
    result[part] = torch.where(
        torch.from_numpy(near).to(mask.device), ((soft - 0.15) / 0.7).clamp(0, 1), mask[part]
    )
    return result


def _clicked(
    mask: Tensor,
    click: Click,
    seen: Survey,
    main: MainObject | None,
    closer: SubjectNetwork | None,
) -> Tensor:
    place = click.x, click.y
    encoded, inverse_depth = seen.encoded, seen.inverse_depth

    def find() -> Subject:
        return pointed(place, encoded, inverse_depth, main, seen.detections, closer)

    found = seen.once((main, place), find).mask
    if click.adds:
        return torch.maximum(mask, found)
    left = _without(mask, found)
    if float(left.sum()) < HARDLY * float(mask.sum()):  # a part of it was meant
        left = _without(mask, region_under(place, encoded, inverse_depth))
        if float(left.sum()) < HARDLY * float(mask.sum()):  # no, all
            return torch.zeros_like(mask)
    return left


def _without(mask: Tensor, removed: Tensor) -> Tensor:
    """A soft mask (h, w) less an object, and less the rim where the mask was wider than it."""
    left = torch.minimum(mask, 1 - removed)
    reach = max(1, round(RIM * max(mask.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    there = left.float().cpu().numpy()
    opened = cv2.morphologyEx(there, cv2.MORPH_OPEN, disc)
    near = cv2.dilate((removed > 0.5).cpu().numpy().astype(np.uint8), disc, iterations=2) > 0
    return torch.from_numpy(np.where(near, opened, there)).to(mask)


def _middle(touched: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The middles of strokes, whatever their width."""
    inside = cv2.distanceTransform(np.pad(touched, 1).astype(np.uint8), cv2.DIST_L2, 5)
    reach = 2 * int(inside.max()) + 1
    half = cv2.dilate(inside, np.ones((reach, reach), np.uint8))
    middle: npt.NDArray[np.bool_] = ((inside > 0) & (inside >= MIDDLE * half))[1:-1, 1:-1]
    return middle


def _around(touched: npt.NDArray[np.bool_], by: int) -> tuple[slice, ...]:
    """Rows and columns of what is touched, and of what is around it."""
    ends = (np.flatnonzero(touched.any(axis)) for axis in (1, 0))
    return tuple(slice(max(0, int(at[0]) - by), int(at[-1]) + by + 1) for at in ends)
