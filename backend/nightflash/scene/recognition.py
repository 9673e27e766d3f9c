"""What a photo shows and where its main object is, by the networks at hand or by geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from nightflash.aim import Aim
from nightflash.imaging.colour import encode
from nightflash.models.descriptor import Detector, MainObject, SubjectNetwork
from nightflash.scene import subject as find
from nightflash.scene.box import bounds
from nightflash.scene.correction import corrected
from nightflash.scene.depth import aligned, layered
from nightflash.scene.estimate import DepthSource, estimated
from nightflash.scene.geometry import plane_depth
from nightflash.scene.open_air import sky_mask
from nightflash.scene.scene import Scene, Survey


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
    closer: SubjectNetwork | None = None,
) -> Scene:
    """Find the object that the flash is aimed at.

    Args:
        seen: The photo surveyed.
        main: What a network takes for its main object, or None where none was asked.
        aim: Where the user aims the flash, in pixels of the working size.
        size: (width, height) of the full-size photo.
        several: Light all objects as large as the largest.
        closer: Looks at what is around a point, or None; it must be quick.
    """
    find_it = partial(_subject, seen, main, aim, several, closer)
    key = (main, several, aim.box, aim.point)
    subject = find_it() if aim.mask is not None else seen.once(key, find_it)
    subject = corrected(subject, aim, seen, main, closer)
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


def settled(aim: Aim) -> Aim:
    """The aim in which a hard-edged rectangle drawn as a mask has become a box to refine."""
    box = None if aim.mask is None else find.rectangle(torch.from_numpy(aim.mask))
    return aim if box is None else replace(aim, mask=None, box=box)


def _guessed(encoded: Tensor, subject: Tensor | None = None) -> Tensor:
    near = aligned(plane_depth(encoded, subject), encoded)
    return near * (1 - sky_mask(encoded, near))


def _subject(
    seen: Survey,
    main: MainObject | None,
    aim: Aim,
    several: bool,
    closer: SubjectNetwork | None,
) -> find.Subject:
    """What the aim finds, its corrections aside."""
    encoded, inverse_depth = seen.encoded, seen.inverse_depth
    if aim.mask is not None:
        mask = torch.from_numpy(np.ascontiguousarray(aim.mask)).to(encoded).clamp(0, 1)
        return find.Subject(mask, "the mask drawn")
    if aim.box is not None:
        return find.boxed(aim.box, encoded, inverse_depth, "the box given", main, seen.detections)
    if aim.point is not None:
        return find.pointed(aim.point, encoded, inverse_depth, main, seen.detections, closer)
    found = None if main is None else find.whole(main, encoded, inverse_depth)
    if main is None or not main.clear or several:
        others = find.largest(seen.detections, encoded, inverse_depth, several)
        found = find.together(found, others) if several else others or found
    return found if found is not None else find.salient(encoded, inverse_depth)
