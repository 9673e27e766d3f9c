"""From the working size to every pixel, strip by strip: on a processor in one pass over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from nightflash.fullsize.fitted import Fitted
from nightflash.fullsize.flight import landed, sent
from nightflash.fullsize.grain import add_grain
from nightflash.fullsize.region import Region, stretched
from nightflash.fullsize.strips import Strip, Strips
from nightflash.imaging.colour import in_grey
from nightflash.light import Light
from nightflash.light.flash import FlashLight
from nightflash.photo.encoding import Linear
from nightflash.photo.pixels import LinearPixels, Pixels

FUSED_PIXELS = 2_000_000  # of the photo, from which on it pays to read the compiled code


def transfer(
    photo: Pixels,
    working_photo: Tensor,
    light: Light,
    refined: Tensor | None,
    *,
    iso: float | None = None,
    seed: int = 0,
    grey: bool = False,
    in_place: bool = False,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Pixels:
    """Make the full-size night picture.

    Args:
        photo: By day.
        working_photo: (3, h, w) linear, the same photo at the working size.
        light: What falls on the scene, at the working size.
        refined: (3, h, w) linear, the refined night at the working size; None for the light alone.
        iso: Sensitivity whose grain is added; None adds none.
        seed: Of the grain.
        grey: Whether the night has no colour.
        in_place: Whether ``photo`` is overwritten and returned where it can be written, which
            spares memory; where it is of 8 bits, so is the night.
        progress: Called with the fraction done, 0..1; an exception it raises stops the work.

    Returns:
        The night; linear where not in place.
    """
    height, width = photo.shape
    region = Region(0, 0, width, height, (width, height))
    night = photo if in_place and photo.writeable else _room(photo)
    fitted = Fitted(working_photo, light, refined)
    _in_strips(photo, night, fitted, region, iso, seed, grey, progress)
    return night


def close_up(
    photo: Linear,
    region: Region,
    working_photo: Tensor,
    light: Light,
    *,
    iso: float | None = None,
    seed: int = 0,
    grey: bool = False,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Linear:
    """Make a region of the full-size night picture, without refinement.

    Args:
        photo: (h', w', 3) linear, the region of the photo. At full size the result has the very
            pixels of `transfer`; on a photo of another size the light falls as it is, with as
            much grain as scaling leaves.
        region: Where it lies in the photo.
        working_photo, light, iso, seed, grey, progress: As for `transfer`.

    Returns:
        (h', w', 3) float32 linear.
    """
    day = LinearPixels(photo)
    night, fitted = _room(day), Fitted(working_photo, light, None)
    _in_strips(day, night, fitted, region, iso, seed, grey, progress)
    return night.kept


def _room(photo: Pixels) -> LinearPixels:
    return LinearPixels(np.empty((*photo.shape, 3), np.float32))


def transfer_tensor(
    photo: Tensor,
    working_photo: Tensor,
    light: Light,
    *,
    iso: float | None = None,
    seed: int = 0,
) -> Tensor:
    """What `transfer` gives, without refinement, of a photo (3, H, W) that is on the device."""
    fitted = Fitted(working_photo, light, None)
    height, width = photo.shape[1:]
    region = Region(0, 0, width, height, (width, height))
    strips = Strips(region, region.of, fitted.device)
    made = _one_by_one(lambda rows: photo[:, rows], fitted, strips, iso, seed)
    return torch.cat([night for _, night in made], 1)


def _in_strips(
    photo: Pixels,
    night: Pixels,
    fitted: Fitted,
    region: Region,
    iso: float | None,
    seed: int,
    grey: bool,
    progress: Callable[[float], None],
) -> None:
    """Fill ``night`` with that of a region of a photo; both may be the same."""
    height, width = photo.shape
    strips = Strips(region, (width, height), fitted.device)

    def day(rows: slice) -> Tensor:
        return sent(photo.linear(rows), fitted.device).permute(2, 0, 1).contiguous()

    def keep(rows: slice, made: Linear) -> None:
        night.put(rows, in_grey(made) if grey else made)

    if _is_fused(fitted, region):
        for rows in _side_by_side(photo, keep, fitted, strips, iso, seed):
            progress(rows.stop / height)
        return
    for rows, made in landed(_one_by_one(day, fitted, strips, iso, seed)):
        keep(rows, np.moveaxis(made, 0, -1))
        progress(rows.stop / height)


def _is_fused(fitted: Fitted, region: Region) -> bool:
    """Whether the compiled way does it; the photo tells, so that a night has the same bits."""
    possible = fitted.device.type == "cpu" and isinstance(fitted.light, FlashLight)
    return possible and region.of[0] * region.of[1] >= FUSED_PIXELS


def _side_by_side(
    photo: Pixels,
    keep: Callable[[slice, Linear], None],
    fitted: Fitted,
    strips: Strips,
    iso: float | None,
    seed: int,
) -> Iterator[slice]:
    """Have the night of each strip kept, by the compiled way, a strip a core; gives the rows."""
    from nightflash.fullsize.fused import Fused

    fused = Fused.of(fitted, strips.region, strips.size, iso)

    def make(strip: Strip) -> slice:
        noise = None if iso is None else strips.noise(strip, seed).contiguous().numpy()
        keep(strip.rows, fused.night(photo.linear(strip.rows), strip.rows, noise))
        return strip.rows

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        try:
            yield from pool.map(make, strips)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _one_by_one(
    day: Callable[[slice], Tensor], fitted: Fitted, strips: Strips, iso: float | None, seed: int
) -> Iterator[tuple[slice, Tensor]]:
    """The night (3, n, W) of each strip, its rows (3, n, W) given by ``day`` on the device."""
    region, (width, height) = strips.region, strips.size
    wide = fitted.widened(region.centres(1, width), region.of[0])
    places = region.centres(0, height)
    for strip in strips:
        planes = stretched(wide, 1, places[strip.rows], region.of[1])
        night = fitted.night(day(strip.rows), planes)
        if iso is not None:
            night = add_grain(night, iso, strips.noise(strip, seed))
        yield strip.rows, night
