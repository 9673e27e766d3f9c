"""Light maps and what refinement changed, fitted to the photo's colours at the working size.

Sources: "Fast Guided Filter" (He & Sun 2015) and "Transform Recipes" / local affine colour
transfer (Gharbi et al. 2015): what happened to the picture at a small size is fitted as local
affine maps of the photo's own colours and replayed at the full size.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nightflash.fullsize.region import stretched
from nightflash.imaging.dilation import dilated
from nightflash.imaging.guided_filter import AffineMaps, GuidedFilter
from nightflash.light import Light

EDGE_EPS = 4e-4  # variance of the square-root-encoded photo below which an edge is none
CHANGE_EPS = 2e-5  # the same for what refinement changed: even faint texture can go soft


def perceptual_guide(linear: Tensor) -> Tensor:
    """Square root of linear light: edges in the dark and in the light count alike, and cheap."""
    return linear.clamp(0.0, 4.0).sqrt()


class Fitted:
    """Light maps and, after refinement, the change it made, as affine maps of the photo.

    Args:
        photo: (3, h, w) linear, at the working size.
        light: What falls on it.
        refined: (3, h, w) linear, the refined night; None for the light alone.

    Attributes:
        light: As given.
        maps: How many bands are maps of the light; what else there is is the change, red, green
            and blue.
        bands: How many there are.
        planes: (6 bands, h, w): for all bands the slopes by red, green and blue, then the offsets,
            the least and the greatest values.
    """

    def __init__(self, photo: Tensor, light: Light, refined: Tensor | None) -> None:
        self.light = light
        guide = perceptual_guide(photo)
        radius = max(2, round(math.hypot(*photo.shape[1:]) / 180))
        fits = [GuidedFilter(guide, radius, EDGE_EPS).fit(light.maps)]
        small = [light.maps]
        if refined is not None:
            small.append(refined - light.shine(photo, light.maps))
            fits.append(GuidedFilter(guide, radius, CHANGE_EPS).fit(small[1]))
        self.maps, self.bands = len(light.maps), sum(map(len, small))
        slope = torch.cat([fit.slope for fit in fits]).transpose(0, 1).flatten(0, 1)
        offset = torch.cat([fit.offset for fit in fits])
        self.planes = torch.cat((slope, offset, *_local_range(torch.cat(small), 2 * radius)))

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return self.planes.device

    def widened(self, places: npt.NDArray[np.float32], width: int) -> Tensor:
        """The planes (6 bands, h, W) at ``places`` across; what is left per strip is one blend."""
        return stretched(self.planes, 2, places, width)

    def night(self, photo: Tensor, planes: Tensor) -> Tensor:
        """Night (3, n, W) of the strip ``photo`` (3, n, W), linear, with its planes, as large."""
        n, k = self.bands, self.maps
        slope = planes[: 3 * n].view(3, n, *photo.shape[1:]).transpose(0, 1)
        values = AffineMaps(slope, planes[3 * n : 4 * n]).apply(perceptual_guide(photo))
        values = torch.minimum(torch.maximum(values, planes[4 * n : 5 * n]), planes[5 * n :])
        night = self.light.shine(photo, values[:k])
        return (night + values[k:]).maximum(night.clamp(max=0)) if n > k else night


def _local_range(maps: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """Least and greatest value of (K, h, w) in square windows of ``2 * radius + 1`` pixels."""
    if not len(maps):
        return maps, maps
    return -dilated(-maps, radius), dilated(maps, radius)
