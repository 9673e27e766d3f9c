"""Where the user aims the flash: whether that fits the photo, and the same at the working size.

A client of the backend needs this, and neither PyTorch nor OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightflash.errors import NightFlashError


@dataclass(frozen=True)
class Click:
    """An object that is added to the main one, or removed from it.

    Attributes:
        x, y: A point on it, in pixels of the picture.
        adds: Whether it is added.
    """

    x: float
    y: float
    adds: bool = True


@dataclass(frozen=True)
class Aim:
    """Where the user aims the flash, and how what that finds is corrected.

    At most one of mask, box and point is given; with none NightFlash finds the object.

    Attributes:
        mask: (H, W) float 0..1 of the picture's size, used as drawn, soft edges kept.
        box: (x, y, w, h) in pixels of the picture, refined to the object within.
        point: (x, y) in pixels of the picture, on the object.
        clicks: Objects added and removed, one after the other.
        strokes: (h, w) float, of any size, covering the picture: painted after the clicks, 1 to be
            object, -1 to be none, 0 where nothing is painted. The outline follows edges near them.
    """

    mask: npt.NDArray[np.float32] | None = None
    box: tuple[float, float, float, float] | None = None
    point: tuple[float, float] | None = None
    clicks: tuple[Click, ...] = ()
    strokes: npt.NDArray[np.float32] | None = None


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


def working_aim(aim: Aim, size: tuple[int, int], working: tuple[int, int]) -> Aim:
    """Bring an aim in pixels of the photo to pixels of the working size.

    Args:
        aim: It has passed ``check_aim``.
        size, working: (width, height) of the photo and of its working picture.
    """
    from nightflash.imaging.resample import area

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


def _outside(what: str, numbers: Sequence[float], size: tuple[int, int]) -> NightFlashError:
    return NightFlashError(
        f"The {what} {_words(numbers)} lies outside the photo, which is {size[0]} x {size[1]}"
        " pixels.",
        code="bad_aim",
    )


def _words(numbers: Sequence[float]) -> str:
    return ",".join(f"{n:g}" for n in numbers)
