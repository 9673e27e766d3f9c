"""How near a night comes to the true one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]


def _encoded(linear: Picture) -> NDArray[np.float64]:
    x = np.clip(linear.astype(np.float64), 0.0, 1.0)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)


def psnr(candidate: Picture, truth: Picture) -> float:
    """PSNR in dB of sRGB-encoded values, both pictures (H, W, 3) linear."""
    error = float(np.mean((_encoded(candidate) - _encoded(truth)) ** 2))
    return -10 * math.log10(max(error, 1e-12))


def fitted_psnr(candidate: Picture, truth: Picture) -> float:
    """Best PSNR over one exposure factor for the whole candidate."""
    thin_c, thin_t = candidate[::2, ::2], truth[::2, ::2]
    stops = np.linspace(-9, 4, 53)
    best = stops[int(np.argmax([psnr(thin_c * 2**s, thin_t) for s in stops]))]
    fine = best + np.linspace(-0.25, 0.25, 11)
    best = fine[int(np.argmax([psnr(thin_c * 2**s, thin_t) for s in fine]))]
    return psnr(candidate * np.float32(2**best), truth)
