"""From the working size to every pixel: light maps and affine colour maps, strip by strip.

Sources: "Fast Guided Filter" (He & Sun 2015) and "Transform Recipes" / local affine colour
transfer (Gharbi et al. 2015): what happened to the picture at a small size is fitted as local
affine maps of the photo's own colours and replayed at the full size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nightflash.fullsize.grain import add_grain, drawn_noise
from nightflash.fullsize.region import Region, stretched
from nightflash.imaging.dilation import dilated
from nightflash.imaging.guided_filter import AffineMaps, GuidedFilter
from nightflash.light import Light

STRIP_ROWS = 64  # as many as the caches of a processor hold
STRIP_ROWS_GPU = 256  # fewer and larger pieces of work
EDGE_EPS = 4e-4  # variance of the square-root-encoded photo below which an edge is none
CHANGE_EPS = 2e-5  # the same for what refinement changed: even faint texture can go soft


def transfer(
    photo: npt.NDArray[np.float32],
    working_photo: Tensor,
    light: Light,
    refined: Tensor | None,
    *,
    iso: float | None = None,
    seed: int = 0,
    progress: Callable[[float], None] = lambda fraction: None,
) -> npt.NDArray[np.float32]:
    """Make the full-size night picture.

    Args:
        photo: (H, W, 3) linear.
        working_photo: (3, h, w) linear, the same photo at the working size.
        light: What falls on the scene, at the working size.
        refined: (3, h, w) linear, the refined night at the working size; None for the light alone.
        iso: Sensitivity whose grain is added; None adds none.
        seed: Of the grain.
        progress: Called with the fraction done, 0..1; an exception it raises stops the work.

    Returns:
        (H, W, 3) float32 linear.
    """
    fitted = _Fitted(working_photo, light, refined)
    return _in_strips(photo, fitted, Region.whole(photo), iso, seed, progress)


def close_up(
    photo: npt.NDArray[np.float32],
    region: Region,
    working_photo: Tensor,
    light: Light,
    *,
    iso: float | None = None,
    seed: int = 0,
    progress: Callable[[float], None] = lambda fraction: None,
) -> npt.NDArray[np.float32]:
    """Make a region of the full-size night picture, without refinement.

    Args:
        photo: (h', w', 3) linear, the region of the photo. At full size the result has the very
            pixels of `transfer`; on a photo of another size the light falls as it is, with as
            much grain as scaling leaves.
        region: Where it lies in the photo.
        working_photo, light, iso, seed, progress: As for `transfer`.

    Returns:
        (h', w', 3) float32 linear.
    """
    fitted = _Fitted(working_photo, light, None)
    return _in_strips(photo, fitted, region, iso, seed, progress)


def transfer_tensor(
    photo: Tensor,
    working_photo: Tensor,
    light: Light,
    *,
    iso: float | None = None,
    seed: int = 0,
) -> Tensor:
    """What `transfer` gives, without refinement, of a photo (3, H, W) that is on the device."""
    fitted = _Fitted(working_photo, light, None)
    height, width = photo.shape[1:]
    region = Region(0, 0, width, height, (width, height))
    strips = _strips(lambda rows: photo[:, rows], fitted, region, region.of, iso, seed)
    return torch.cat([night for _, night in strips], 1)


def _in_strips(
    photo: npt.NDArray[np.float32],
    fitted: _Fitted,
    region: Region,
    iso: float | None,
    seed: int,
    progress: Callable[[float], None],
) -> npt.NDArray[np.float32]:
    """The night of a region of a photo that is not on the device."""
    height, width = photo.shape[:2]
    night = np.empty_like(photo)

    def day(rows: slice) -> Tensor:
        return torch.from_numpy(photo[rows]).to(fitted.device).permute(2, 0, 1).contiguous()

    for rows, result in _strips(day, fitted, region, (width, height), iso, seed):
        night[rows] = result.permute(1, 2, 0).cpu().numpy()
        progress(rows.stop / height)
    return night


def _strips(
    day: Callable[[slice], Tensor],
    fitted: _Fitted,
    region: Region,
    size: tuple[int, int],
    iso: float | None,
    seed: int,
) -> Iterator[tuple[slice, Tensor]]:
    """The night of a region: at full size in the strips of the whole photo, whose grain it has.

    Args:
        day: Gives rows of the region (3, n, W) on the device.
        size: (width, height) of the region's pixels.
        fitted, region, iso, seed: As above.
    """
    width, height = size
    at_full_size = (width, height) == (region.width, region.height)
    left, top = (region.x, region.y) if at_full_size else (0, 0)
    whole = region.of if at_full_size else (width, height)
    strength = 1 / math.sqrt(region.averaged((width, height)))
    fitted = fitted.widen(region.centres(1, width), region.of[0])
    places = region.centres(0, height)
    device = fitted.device
    step = STRIP_ROWS if device.type == "cpu" else STRIP_ROWS_GPU
    for number in range(top // step, -(-(top + height) // step)):
        first, last = number * step, min((number + 1) * step, whole[1])
        rows = slice(max(first - top, 0), min(last - top, height))
        result = fitted.apply(day(rows), places[rows], region.of[1])
        if iso is not None:
            noise = strength * drawn_noise(last - first, whole[0], (seed, number), device)
            begin = rows.start + top - first
            here = noise[:, begin : begin + result.shape[1], left : left + width]
            result = add_grain(result, iso, here)
        yield rows, result


def perceptual_guide(linear: Tensor) -> Tensor:
    """Square root of linear light: edges in the dark and in the light count alike, and cheap."""
    return linear.clamp(0.0, 4.0).sqrt()


class _Fitted:
    """Light maps and, after refinement, the change it made, as affine maps of the photo."""

    def __init__(self, photo: Tensor, light: Light, refined: Tensor | None) -> None:
        self._light = light
        guide = perceptual_guide(photo)
        radius = max(2, round(math.hypot(*photo.shape[1:]) / 180))
        fits = [GuidedFilter(guide, radius, EDGE_EPS).fit(light.maps)]
        small = [light.maps]
        if refined is not None:
            small.append(refined - light.shine(photo, light.maps))
            fits.append(GuidedFilter(guide, radius, CHANGE_EPS).fit(small[1]))
        self._maps, self._bands = len(light.maps), sum(map(len, small))
        slope = torch.cat([fit.slope for fit in fits]).flatten(0, 1)
        offset = torch.cat([fit.offset for fit in fits])
        self._planes = torch.cat((slope, offset, *_local_range(torch.cat(small), 2 * radius)))

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return self._planes.device

    def widen(self, places: npt.NDArray[np.float32], width: int) -> _Fitted:
        """Interpolate along rows once; what is left per strip is one blend of two rows."""
        self._planes = stretched(self._planes, 2, places, width)
        return self

    def apply(self, photo: Tensor, places: npt.NDArray[np.float32], height: int) -> Tensor:
        """Night picture of the strip ``photo`` (3, n, W), its rows at ``places`` of ``height``."""
        planes = stretched(self._planes, 1, places, height)
        n, k = self._bands, self._maps
        slope = planes[: 3 * n].reshape(n, 3, *photo.shape[1:])
        values = AffineMaps(slope, planes[3 * n : 4 * n]).apply(perceptual_guide(photo))
        values = torch.minimum(torch.maximum(values, planes[4 * n : 5 * n]), planes[5 * n :])
        night = self._light.shine(photo, values[:k])
        return (night + values[k:]).maximum(night.clamp(max=0)) if n > k else night


def _local_range(maps: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """Least and greatest value of (K, h, w) in square windows of ``2 * radius + 1`` pixels."""
    if not len(maps):
        return maps, maps
    return -dilated(-maps, radius), dilated(maps, radius)
