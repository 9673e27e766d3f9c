"""Bringing a picture to the size a network wants."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def network_size(
    height: int, width: int, short_side: int, multiple_of: int, longest_aspect: float = 4.0
) -> tuple[int, int]:
    """Return the (height, width) at which a network sees a picture of this size.

    The shorter side becomes ``short_side``, the longer keeps the aspect up to ``longest_aspect``
    (beyond that the picture is squeezed); both are rounded to multiples of ``multiple_of``.
    """
    scale = short_side / min(height, width)

    def side(pixels: int) -> int:
        wanted = min(pixels * scale, longest_aspect * short_side)
        return max(1, round(wanted / multiple_of)) * multiple_of

    return side(height), side(width)


def resize(rgb: Tensor, height: int, width: int) -> Tensor:
    """Resize (3, H, W) or (N, 3, H, W), antialiased bicubic, clipped to 0..1."""
    if rgb.shape[-2:] == (height, width):
        return rgb
    several = rgb if rgb.ndim == 4 else rgb[None]
    resized = F.interpolate(
        several, size=(height, width), mode="bicubic", align_corners=False, antialias=True
    ).clamp(0.0, 1.0)
    return resized if rgb.ndim == 4 else resized[0]
