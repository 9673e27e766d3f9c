"""Guided filter with a colour guide: local affine models, fitted once, applied at any size.

Source: K. He, J. Sun, X. Tang, "Guided Image Filtering", 2013, and K. He, J. Sun, "Fast Guided
Filter", 2015 (fit at a small size, interpolate the coefficients, apply at the full size).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def box_mean(x: Tensor, radius: int) -> Tensor:
    """Mean over a square window of ``2 * radius + 1`` pixels, cut off at the borders.

    Args:
        x: (C, H, W).
        radius: Pixels; 0 returns ``x``.
    """
    if radius == 0 or not len(x):
        return x
    if x.device.type == "cpu":
        return _running_mean(x, radius)
    rows, columns = (_averaging(n, radius, x) for n in x.shape[1:])
    return rows @ x @ columns.T


def _running_mean(x: Tensor, radius: int) -> Tensor:
    size = (2 * radius + 1, 2 * radius + 1)

    def total(band: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        sums: npt.NDArray[np.float32] = cv2.boxFilter(
            band, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT
        )
        return sums

    share = total(np.ones(x.shape[1:], np.float32))
    return torch.from_numpy(np.stack([total(band) / share for band in x.numpy()]))


def _averaging(n: int, radius: int, like: Tensor) -> Tensor:
    """Banded matrix (n, n) that averages neighbours: as one product it takes any radius alike."""
    places = torch.arange(n, device=like.device)
    band = ((places[:, None] - places[None, :]).abs() <= radius).to(like.dtype)
    return band / band.sum(1, keepdim=True)


@dataclass(frozen=True)
class AffineMaps:
    """One affine colour map per pixel: ``out_c = slope[c] . guide + offset[c]``.

    Attributes:
        slope: (C, 3, h, w).
        offset: (C, h, w).
    """

    slope: Tensor
    offset: Tensor

    def apply(self, guide: Tensor) -> Tensor:
        """Apply to a guide (3, h, w) of the maps' own size; gives (C, h, w)."""
        return (self.slope * guide).sum(1) + self.offset


class GuidedFilter:
    """Local linear regression of pictures on a colour guide.

    Args:
        guide: (3, h, w), about 0..1, any encoding; perceptual encodings treat dark and bright
            edges alike.
        radius: Window radius in pixels.
        eps: Ridge added to the guide's variance; edges weaker than sqrt(eps) are smoothed over.
    """

    def __init__(self, guide: Tensor, radius: int, eps: float) -> None:
        self.guide = guide
        self.radius = radius
        self._mean = box_mean(guide, radius)
        r, g, b = guide
        products = torch.stack((r * r, r * g, r * b, g * g, g * b, b * b))
        mr, mg, mb = self._mean
        moments = torch.stack((mr * mr, mr * mg, mr * mb, mg * mg, mg * mb, mb * mb))
        rr, rg, rb, gg, gb, bb = box_mean(products, radius) - moments
        self._inverse = _inverse_symmetric(rr + eps, rg, rb, gg + eps, gb, bb + eps)

    def fit(self, picture: Tensor) -> AffineMaps:
        """Fit ``picture`` (C, h, w); the coefficients are averaged over the window as published."""
        mean = box_mean(picture, self.radius)
        c, h, w = picture.shape
        products = (picture[:, None] * self.guide).reshape(c * 3, h, w)
        covariance = box_mean(products, self.radius).reshape(c, 3, h, w)
        covariance = covariance - mean[:, None] * self._mean
        slope = torch.einsum("ijhw,cjhw->cihw", self._inverse, covariance)
        offset = mean - (slope * self._mean).sum(1)
        slope = box_mean(slope.reshape(c * 3, h, w), self.radius).reshape(c, 3, h, w)
        return AffineMaps(slope, box_mean(offset, self.radius))

    def filter(self, picture: Tensor) -> Tensor:
        """Smooth ``picture`` (C, h, w) along the edges of the guide."""
        return self.fit(picture).apply(self.guide)


def _inverse_symmetric(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor, f: Tensor) -> Tensor:
    """Inverse of the matrices [[a b c] [b d e] [c e f]], each entry (h, w); gives (3, 3, h, w)."""
    aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * aa + b * bb + c * cc
    rows = torch.stack((aa, bb, cc, bb, dd, ee, cc, ee, ff)) / determinant
    return rows.reshape(3, 3, *a.shape)
