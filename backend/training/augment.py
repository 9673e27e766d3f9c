"""Other views of a picture: cut, turned, mirrored; another light, another camera."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def uniform(low: float, high: float, g: Generator) -> float:
    """One number from a uniform distribution."""
    return low + (high - low) * float(torch.rand((), generator=g))


def view(picture: Tensor, size: tuple[int, int], least: float, g: Generator) -> Tensor:
    """Cut a random part out of a picture and bring it to ``size``.

    Args:
        picture: (C, h, w) float.
        size: (height, width) of the result.
        least: Of the largest part that fits, the least side length that is cut.
        g: Source of randomness.
    """
    h, w = picture.shape[1:]
    aspect = size[1] / size[0] * math.exp(uniform(-0.2, 0.2, g))
    tall = min(h, w / aspect)
    share = least ** uniform(0, 1, g)
    half_h, half_w = tall * share / 2, tall * aspect * share / 2
    x, y = uniform(half_w, w - half_w, g), uniform(half_h, h - half_h, g)
    turn = math.radians(4 * float(torch.randn((), generator=g)))
    mirror = -1.0 if uniform(0, 1, g) < 0.5 else 1.0
    cos, sin = math.cos(turn), math.sin(turn)
    theta = torch.tensor(
        [
            [2 * half_w * cos * mirror / w, -2 * half_h * sin / w, 2 * x / w - 1],
            [2 * half_w * sin * mirror / h, 2 * half_h * cos / h, 2 * y / h - 1],
        ]
    )
    grid = F.affine_grid(theta[None], [1, 1, *size], align_corners=False)
    return F.grid_sample(
        picture[None], grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )[0]


def other_light(rgb: Tensor, g: Generator) -> Tensor:
    """Change exposure, contrast, white balance and saturation; blur and noise now and then.

    Args:
        rgb: (N, 3, h, w) encoded, 0..1; every picture is changed in its own way.
        g: Source of randomness.
    """
    n = len(rgb)

    def draw(spread: float, channels: int = 1) -> Tensor:
        return torch.randn(n, channels, 1, 1, generator=g) * spread

    x = rgb.clamp(0, 1) ** draw(0.25).exp()
    x = x * draw(0.15).exp() * draw(0.08, 3).exp()
    grey = x.mean(1, keepdim=True)
    colour = torch.where(torch.rand(n, 1, 1, 1, generator=g) < 0.06, 0.0, draw(0.3).exp())
    x = grey + (x - grey) * colour
    middle = x.mean((1, 2, 3), keepdim=True)
    x = middle + (x - middle) * draw(0.2).exp()
    soft = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    x = torch.where(torch.rand(n, 1, 1, 1, generator=g) < 0.15, soft, x)
    noisy = torch.rand(n, 1, 1, 1, generator=g) < 0.3
    noise = torch.randn(x.shape, generator=g) * draw(0.03).abs()
    return torch.where(noisy, x + noise, x).clamp(0, 1)
