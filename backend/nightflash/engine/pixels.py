"""From light to the pixels of the night: all of them, a region, or the working size alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from nightflash.engine.grey import stays_grey
from nightflash.fullsize.region import Region
from nightflash.fullsize.transfer import close_up, transfer
from nightflash.imaging.colour import in_grey
from nightflash.imaging.resample import area
from nightflash.light import Light
from nightflash.photo import Photo
from nightflash.photo.encoding import Linear
from nightflash.photo.pixels import LinearPixels, Pixels
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
    alpha, grey = photo.alpha, stays_grey(day, settings)
    if settings.quality == "preview":
        rgb = light.shine(day, light.maps).permute(1, 2, 0).cpu().numpy()
        pixels: Pixels = LinearPixels(in_grey(rgb) if grey else rgb)
        if alpha is not None:
            alpha = area(alpha[..., None], rgb.shape[1::-1])[..., 0]
    elif settings.is_daylight:
        pixels = photo.pixels if in_place else LinearPixels(photo.rgb.copy())
    else:
        with watch.stage(FULL_SIZE) as advance:
            pixels = transfer(
                *(photo.pixels, day, light, refined),
                iso=settings.iso,
                seed=settings.seed,
                grey=grey,
                in_place=in_place,
                progress=advance,
            )
    return replace(photo, pixels=pixels, alpha=alpha)


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
        return photo.copy()
    return close_up(
        *(photo, region, day, light),
        iso=settings.iso,
        seed=settings.seed,
        grey=stays_grey(day, settings),
        progress=lambda fraction: checkpoint(),
    )
