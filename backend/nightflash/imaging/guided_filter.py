"""Guided filter, its guide in grey or colour: local affine models, fitted once, used at any size.

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

PAIRS = {1: ((0, 0),), 3: ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))}
"""Entries of the symmetric matrix of a guide's bands."""


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
    side = 2 * radius + 1
    means = np.empty(x.shape, np.float32)
    for band, mean in zip(x.numpy(), means, strict=True):
        cv2.boxFilter(band, -1, (side, side), mean, normalize=False, borderType=cv2.BORDER_CONSTANT)
    down, across = (_within(n, radius) for n in x.shape[1:])
    means /= down[:, None] * across
    return torch.from_numpy(means)


def _within(n: int, radius: int) -> npt.NDArray[np.float32]:
    """How many of ``n`` pixels in a row lie in the window around each."""
    places = np.arange(n)
    count = np.minimum(places + radius, n - 1) - np.maximum(places - radius, 0) + 1
    return count.astype(np.float32)


def _averaging(n: int, radius: int, like: Tensor) -> Tensor:
    """Banded matrix (n, n) that averages neighbours: as one product it takes any radius alike."""
    places = torch.arange(n, device=like.device)
    band = ((places[:, None] - places[None, :]).abs() <= radius).to(like.dtype)
    return band / band.sum(1, keepdim=True)


@dataclass(frozen=True)
class AffineMaps:
    """One affine map per pixel of a guide of G bands: ``out_c = slope[c] . guide + offset[c]``.

    Attributes:
        slope: (C, G, h, w).
        offset: (C, h, w).
    """

    slope: Tensor
    offset: Tensor

    def apply(self, guide: Tensor) -> Tensor:
        """Apply to a guide (G, h, w) of the maps' own size; gives (C, h, w)."""
        result = self.offset.clone()
        for slope, band in zip(self.slope.unbind(1), guide, strict=True):
            result.addcmul_(slope, band)
        return result


class GuidedFilter:
    """Local linear regression of pictures on a guide.

    Args:
        guide: (1 or 3, h, w), about 0..1, any encoding; perceptual encodings treat dark and bright
            edges alike.
        radius: Window radius in pixels.
        eps: Ridge added to the guide's variance; edges weaker than sqrt(eps) are smoothed over.
    """

    def __init__(self, guide: Tensor, radius: int, eps: float) -> None:
        self.guide = guide
        self.radius = radius
        self._mean = box_mean(guide, radius)
        self._pairs = PAIRS[len(guide)]
        products = guide.new_empty(len(self._pairs), *guide.shape[1:])
        for (i, j), product in zip(self._pairs, products, strict=True):
            torch.mul(guide[i], guide[j], out=product)
        variance = box_mean(products, radius)
        for (i, j), value in zip(self._pairs, variance, strict=True):
            value.addcmul_(self._mean[i], self._mean[j], value=-1)
            if i == j:
                value.add_(eps)
        self._inverse = (1 / variance[0],) if len(guide) == 1 else _inverse_symmetric(*variance)

    def fit(self, picture: Tensor) -> AffineMaps:
        """Fit ``picture`` (C, h, w); the coefficients are averaged over the window as published."""
        mean = box_mean(picture, self.radius)
        g, (c, h, w) = len(self.guide), picture.shape
        products = (picture[:, None] * self.guide).view(c * g, h, w)
        covariance = box_mean(products, self.radius).view(c, g, h, w)
        covariance.addcmul_(mean[:, None], self._mean, value=-1)
        maps = picture.new_zeros(g + 1, c, h, w)  # slopes, then the offset
        for (i, j), inverse in zip(self._pairs, self._inverse, strict=True):
            maps[i].addcmul_(inverse, covariance[:, j])
            if i != j:
                maps[j].addcmul_(inverse, covariance[:, i])
        maps[g] = mean
        for slope, band in zip(maps[:g], self._mean, strict=True):
            maps[g].addcmul_(slope, band, value=-1)
        maps = box_mean(maps.view((g + 1) * c, h, w), self.radius).view(g + 1, c, h, w)
        return AffineMaps(maps[:g].transpose(0, 1), maps[g])

    def filter(self, picture: Tensor) -> Tensor:
        """Smooth ``picture`` (C, h, w) along the edges of the guide."""
        return self.fit(picture).apply(self.guide)


def _inverse_symmetric(
    a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor, f: Tensor
) -> tuple[Tensor, ...]:
    """Inverse of the matrices [[a b c] [b d e] [c e f]], each entry (h, w), in the same order."""
    aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
    scale = 1 / (a * aa + b * bb + c * cc)
    return tuple(entry.mul_(scale) for entry in (aa, bb, cc, dd, ee, ff))
