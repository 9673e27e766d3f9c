"""Scene: what the photo shows, from the networks that are present or by geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from nightflash.errors import NightFlashError
from nightflash.imaging.colour import encode
from nightflash.imaging.resample import area
from nightflash.models.descriptor import Detector, MainObject
from nightflash.scene import subject as find
from nightflash.scene.box import bounds
from nightflash.scene.correction import corrected
from nightflash.scene.depth import aligned, layered
from nightflash.scene.estimate import DepthSource, estimated
from nightflash.scene.geometry import plane_depth
from nightflash.scene.open_air import sky_mask
from nightflash.scene.scene import Aim, Click, Scene, Survey


def survey(photo: Tensor, depth: Sequence[DepthSource], detector: Detector | None) -> Survey:
    """Estimate the depth of ``photo``.

    Args:
        photo: (3, h, w) linear RGB at the working size.
        depth: Networks as ``estimated`` takes them; empty for the rules that need none.
        detector: Finds objects, or None.

    Raises:
        NightFlashError: See ``estimated``.
    """
    encoded = encode(photo.clamp(0, 1))
    if not depth:
        return Survey(photo, encoded, _guessed(encoded), detector, "geometry", guessed=True)
    found = estimated(encoded, depth)
    return Survey(
        photo, encoded, found.inverse_depth, detector, found.found_by, metres=found.metres
    )


def aim_at(
    seen: Survey,
    main: MainObject | None,
    aim: Aim,
    size: tuple[int, int],
    several: bool = False,
) -> Scene:
    """Find the object that the flash is aimed at.

    Args:
        seen: The photo surveyed.
        main: What a network takes for its main object, or None where none was asked.
        aim: Where the user aims the flash, in pixels of the working size.
        size: (width, height) of the full-size photo.
        several: Light all objects as large as the largest.
    """
    subject = corrected(_subject(seen, main, aim, several), aim, seen, main)
    inverse_depth = seen.inverse_depth
    if seen.guessed:
        inverse_depth = _guessed(seen.encoded, subject.mask)
    h, w = inverse_depth.shape
    x, y, bw, bh = bounds(subject.mask)
    sx, sy = size[0] / w, size[1] / h
    return Scene(
        photo=seen.photo,
        inverse_depth=layered(inverse_depth, subject.mask),
        subject=subject.mask,
        box=(x * sx, y * sy, bw * sx, bh * sy),
        size=size,
        depth_from=seen.depth_from,
        subject_from=subject.found,
        metres=seen.metres,
        note=subject.note,
    )


def working_aim(aim: Aim, size: tuple[int, int], working: tuple[int, int]) -> Aim:
    """Bring an aim in pixels of the photo to pixels of the working size.

    Args:
        aim: It has passed ``check_aim``.
        size, working: (width, height) of the photo and of its working picture.
    """
    sx, sy = working[0] / size[0], working[1] / size[1]
    mask, box, point = None, None, None
    if aim.mask is not None:
        mask = area(aim.mask[..., None], working)[..., 0]
    if aim.box is not None:
        x, y, w, h = aim.box
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, size[0]), min(y + h, size[1])
        box = (x0 * sx, y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy)
    if aim.point is not None:
        point = (aim.point[0] * sx, aim.point[1] * sy)
    clicks = tuple(Click(c.x * sx, c.y * sy, c.adds) for c in aim.clicks)
    strokes = None if aim.strokes is None else area(aim.strokes[..., None], working)[..., 0]
    return Aim(mask, box, point, clicks, strokes)


def settled(aim: Aim) -> Aim:
    """The aim in which a hard-edged rectangle drawn as a mask has become a box to refine."""
    box = None if aim.mask is None else find.rectangle(torch.from_numpy(aim.mask))
    return aim if box is None else replace(aim, mask=None, box=box)


def _guessed(encoded: Tensor, subject: Tensor | None = None) -> Tensor:
    near = aligned(plane_depth(encoded, subject), encoded)
    return near * (1 - sky_mask(encoded, near))


def _subject(seen: Survey, main: MainObject | None, aim: Aim, several: bool) -> find.Subject:
    encoded, inverse_depth = seen.encoded, seen.inverse_depth
    if aim.mask is not None:
        mask = torch.from_numpy(np.ascontiguousarray(aim.mask)).to(encoded).clamp(0, 1)
        return find.Subject(mask, "the mask drawn")
    if aim.box is not None:
        return find.boxed(aim.box, encoded, inverse_depth, "the box given", main, seen.detections)
    if aim.point is not None:
        return find.pointed(aim.point, encoded, inverse_depth, main, seen.detections)
    found = None if main is None else find.whole(main, encoded, inverse_depth)
    if main is None or not main.clear or several:
        others = find.largest(seen.detections, encoded, inverse_depth, several)
        found = find.together(found, others) if several else others or found
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
    points = [] if aim.point is None else [aim.point]
    for px, py in (*points, *((click.x, click.y) for click in aim.clicks)):
        if not (0 <= px < width and 0 <= py < height):
            raise _outside("point", (px, py), size)
    if aim.strokes is not None and (aim.strokes.ndim != 2 or not np.isfinite(aim.strokes).all()):
        raise NightFlashError("Strokes are an array (h, w) of finite numbers.", code="bad_aim")


def _outside(what: str, numbers: Sequence[float], size: tuple[int, int]) -> NightFlashError:
    return NightFlashError(
        f"The {what} {_words(numbers)} lies outside the photo, which is {size[0]} x {size[1]}"
        " pixels.",
        code="bad_aim",
    )


def _words(numbers: Sequence[float]) -> str:
    return ",".join(f"{n:g}" for n in numbers)


__all__ = [
    "Aim",
    "Click",
    "DepthSource",
    "Scene",
    "Survey",
    "aim_at",
    "check_aim",
    "settled",
    "survey",
    "working_aim",
]
