"""Colour: the sRGB transfer function, luminance, OKLab, light of a temperature.

RGB tensors are (3, ...) and arrays (H, W, 3), with Rec.709/sRGB primaries and white D65.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_LUMINANCE = (0.2126, 0.7152, 0.0722)


def encode(linear: Tensor) -> Tensor:
    """Linear light to sRGB-encoded values (IEC 61966-2-1), odd-symmetric below 0."""
    size = linear.abs()
    curved = 1.055 * size.clamp(min=0.0031308).pow(1 / 2.4) - 0.055
    return torch.where(size <= 0.0031308, 12.92 * linear, curved.copysign(linear))


def decode(encoded: Tensor) -> Tensor:
    """sRGB-encoded values to linear light (IEC 61966-2-1), odd-symmetric below 0."""
    size = encoded.abs()
    curved = ((size.clamp(min=0.04045) + 0.055) / 1.055).pow(2.4)
    return torch.where(size <= 0.04045, encoded / 12.92, curved.copysign(encoded))


def luminance(linear: Tensor) -> Tensor:
    """Relative luminance (...) of linear RGB (3, ...)."""
    r, g, b = _LUMINANCE
    return r * linear[0] + g * linear[1] + b * linear[2]


def in_grey(linear: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The luminance of linear RGB (H, W, 3) in every channel; what is grey stays to the bit."""
    red, green, blue = np.moveaxis(linear, -1, 0)
    r, _, b = map(np.float32, _LUMINANCE)
    grey = green + r * (red - green) + b * (blue - green)
    return np.repeat(grey[..., None], 3, axis=-1)


def oklab(linear: Tensor) -> Tensor:
    """OKLab (L, a, b) of linear RGB (3, ...). Source: B. Ottosson, "OKLab", 2020."""
    lms = torch.tensor(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ],
        dtype=linear.dtype,
        device=linear.device,
    )
    lab = torch.tensor(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ],
        dtype=linear.dtype,
        device=linear.device,
    )
    cones = torch.tensordot(lms, linear, 1)
    result: Tensor = torch.tensordot(lab, cones.sign() * cones.abs().pow(1 / 3), 1)
    return result


def light_of_temperature(kelvin: float, neutral: float = 5400.0) -> tuple[float, float, float]:
    """Linear RGB of black-body light, luminance 1, such that ``neutral`` kelvin is (1, 1, 1).

    Source: B. Kim et al., cubic approximation of the Planckian locus (2002), 1667 to 25000 K.
    """
    light, white = _planckian_rgb(kelvin), _planckian_rgb(neutral)
    ratio = [max(a / b, 0.0) for a, b in zip(light, white, strict=True)]
    y = sum(k * v for k, v in zip(_LUMINANCE, ratio, strict=True))
    return ratio[0] / y, ratio[1] / y, ratio[2] / y


def _planckian_rgb(kelvin: float) -> tuple[float, float, float]:
    t = 1000.0 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    big_x, big_z = x / y, (1 - x - y) / y
    return (
        3.2404542 * big_x - 1.5371385 - 0.4985314 * big_z,
        -0.9692660 * big_x + 1.8760108 + 0.0415560 * big_z,
        0.0556434 * big_x - 0.2040259 + 1.0572252 * big_z,
    )
