"""From light to the pixels of the night: all of them, a region, or the working size alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from nightflash.engine.grey import in_grey, stays_grey
from nightflash.fullsize.region import Region
from nightflash.fullsize.transfer import close_up, transfer
from nightflash.imaging.resample import area
from nightflash.light import Light
from nightflash.photo import Photo
from nightflash.photo.encoding import Linear
from nightflash.settings import Settings
from nightflash.stages import FULL_SIZE, Stopwatch


def night_photo(
    photo: Photo,
    day: Tensor,
    light: Light,
    refined: Tensor | None,
    settings: Settings,
    watch: Stopwatch,
    in_place: bool = False,
) -> Photo:
    """The night of ``photo``, at the working size for the quality ``preview``, else at full size.

    Args:
        photo: By day, at full size.
        day: (3, h, w) linear, the photo at the working size.
        light: What falls on it.
        refined: (3, h, w) linear night after the refinement, or None.
        settings: What the user wants.
        watch: Takes the time of the stage.
        in_place: Whether the photo's pixels may become the night's.
    """
    alpha = photo.alpha
    if settings.quality == "preview":
        rgb = light.shine(day, light.maps).permute(1, 2, 0).cpu().numpy()
        if alpha is not None:
            alpha = area(alpha[..., None], rgb.shape[1::-1])[..., 0]
    elif settings.is_daylight:
        rgb = photo.rgb if in_place else photo.rgb.copy()
    else:
        with watch.stage(FULL_SIZE) as advance:
            rgb = transfer(
                *(photo.rgb, day, light, refined),
                iso=settings.iso,
                seed=settings.seed,
                in_place=in_place,
                progress=advance,
            )
    if stays_grey(day, settings):
        rgb = in_grey(rgb)  # the grain and what refinement has changed, too
    return replace(photo, rgb=rgb, alpha=alpha)


def night_region(
    photo: Linear,
    region: Region,
    day: Tensor,
    light: Light,
    settings: Settings,
    checkpoint: Callable[[], None],
) -> Linear:
    """A region (h, w, 3) of the night that quality ``fast`` gives.

    Args:
        photo: (h, w, 3) linear: the region by day, at full size or scaled.
        region: Where that lies.
        day, light, settings: See ``night_photo``.
        checkpoint: Called often; it stops the work by raising.
    """
    if settings.is_daylight:
        rgb = photo.copy()
    else:
        rgb = close_up(
            *(photo, region, day, light),
            iso=settings.iso,
            seed=settings.seed,
            progress=lambda fraction: checkpoint(),
        )
    return in_grey(rgb) if stays_grey(day, settings) else rgb
