"""Scene: what the photo shows, from the networks that are present or by geometry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nightflash.colour import encode
from nightflash.errors import NightFlashError
from nightflash.models.descriptor import DepthNetwork, Detection, Detector
from nightflash.resample import area
from nightflash.scene import subject as find
from nightflash.scene.depth import aligned, layered, scaled
from nightflash.scene.geometry import foliage_share, plane_depth, sky_mask
from nightflash.scene.scene import Aim, Scene


def analyse(
    photo: Tensor,
    size: tuple[int, int],
    aim: Aim,
    *,
    depth: DepthNetwork | None,
    detector: Detector | None,
    several: bool = False,
    names: tuple[str, str] = ("geometry", "salience"),
) -> Scene:
    """Estimate depth and find the main object.

    Args:
        photo: (3, h, w) linear RGB at the working size.
        size: (width, height) of the full-size photo; ``aim`` is in its pixels.
        aim: Where the user aims the flash.
        depth, detector: Networks, or None for the rules that need none.
        several: Light all objects as large as the largest.
        names: Of the depth and the detector, for the report.

    Raises:
        NightFlashError: The aim does not fit the photo.
    """
    encoded = encode(photo.clamp(0, 1))
    inverse_depth = _without_network(encoded) if depth is None else _estimated(encoded, depth)
    subject = _subject(encoded, inverse_depth, size, aim, detector, several)
    if depth is None:
        inverse_depth = _without_network(encoded, subject.mask)
    x, y, w, h = find.bounds(subject.mask)
    sx, sy = size[0] / photo.shape[2], size[1] / photo.shape[1]
    return Scene(
        photo=photo,
        inverse_depth=layered(inverse_depth, subject.mask),
        subject=subject.mask,
        box=(x * sx, y * sy, w * sx, h * sy),
        size=size,
        depth_from=names[0],
        subject_from=subject.found,
        note=subject.note,
    )


def _estimated(encoded: Tensor, network: DepthNetwork) -> Tensor:
    raw = aligned(network.inverse_depth(encoded), encoded)
    sky = sky_mask(encoded, scaled(raw))
    return scaled(raw, sky, foliage_share(encoded)) * (1 - sky)


def _without_network(encoded: Tensor, subject: Tensor | None = None) -> Tensor:
    near = aligned(plane_depth(encoded, subject), encoded)
    return near * (1 - sky_mask(encoded, near))


def _subject(
    encoded: Tensor,
    inverse_depth: Tensor,
    size: tuple[int, int],
    aim: Aim,
    detector: Detector | None,
    several: bool,
) -> find.Subject:
    h, w = encoded.shape[1:]
    sx, sy = w / size[0], h / size[1]
    if aim.mask is not None:
        small = area(aim.mask[..., None], (w, h))[..., 0]
        mask = torch.from_numpy(np.ascontiguousarray(small)).to(encoded).clamp(0, 1)
        return find.drawn(mask, encoded, inverse_depth)
    if aim.box is not None:
        x, y, bw, bh = aim.box
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + bw, size[0]), min(y + bh, size[1])
        box = (x0 * sx, y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy)
        return find.boxed(box, encoded, inverse_depth, "the box given")
    detections: Sequence[Detection] = detector.detect(encoded) if detector is not None else ()
    if aim.point is not None:
        point = (aim.point[0] * sx, aim.point[1] * sy)
        return find.pointed(point, encoded, inverse_depth, detections)
    found = find.largest(detections, encoded, inverse_depth, several)
    return found if found is not None else find.salient(encoded, inverse_depth)


def check_aim(aim: Aim, size: tuple[int, int]) -> None:
    """Raise ``NightFlashError`` where the aim does not fit a photo of ``size`` (width, height)."""
    width, height = size
    if sum(part is not None for part in (aim.mask, aim.box, aim.point)) > 1:
        raise NightFlashError("Give one of a mask, a box or a point, not several.", code="bad_aim")
    if aim.mask is not None:
        if aim.mask.shape != (height, width):
            mh, mw = aim.mask.shape[:2]
            raise NightFlashError(
                f"The mask is {mw} x {mh} pixels and the photo {width} x {height}.",
                "Draw the mask on the photo, at its size.",
                code="bad_aim",
            )
        if not np.isfinite(aim.mask).all():
            raise NightFlashError("The mask holds values that are not numbers.", code="bad_aim")
        if not (aim.mask > 0.02).any():
            raise NightFlashError(
                "The mask is empty.", "Paint the main object white, or give none.", code="bad_aim"
            )
    if aim.box is not None:
        x, y, w, h = aim.box
        if not np.isfinite(aim.box).all() or w <= 0 or h <= 0:
            raise NightFlashError(f"The box {_words(aim.box)} has no area.", code="bad_aim")
        if x >= width or y >= height or x + w <= 0 or y + h <= 0:
            raise _outside("box", aim.box, size)
    if aim.point is not None:
        px, py = aim.point
        if not (0 <= px < width and 0 <= py < height):
            raise _outside("point", aim.point, size)


def _outside(what: str, numbers: Sequence[float], size: tuple[int, int]) -> NightFlashError:
    return NightFlashError(
        f"The {what} {_words(numbers)} lies outside the photo, which is {size[0]} x {size[1]}"
        " pixels.",
        code="bad_aim",
    )


def _words(numbers: Sequence[float]) -> str:
    return ",".join(f"{n:g}" for n in numbers)


__all__ = ["Aim", "Scene", "analyse", "check_aim"]
