"""The published method's light: a grey style image from depth and distance to the object.

Source: the description and formulas of the published day-to-night method (A. Gatys-style
transfer whose style image is built from object detection and MiDaS depth).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nightflash.imaging.colour import decode
from nightflash.scene.scene import Scene


@dataclass(frozen=True)
class StyleLight:
    """A grey picture that replaces the photo's pixels.

    Attributes:
        maps: (1, h, w) encoded grey, 0..1.
        target: (3, h, w) linear, what the refinement's pixels approach.
    """

    maps: Tensor
    target: Tensor

    def shine(self, photo: Tensor, maps: Tensor) -> Tensor:
        """Linear night picture (3, H, W): the style image alone; the photo gives its shape."""
        return decode(maps).clamp(0, 1).expand(3, *photo.shape[1:])

    def unlit(self, photo: Tensor) -> Tensor:
        """Black (3, H, W): all light of the published method is the flash's."""
        return torch.zeros_like(photo)


def style_light(scene: Scene) -> StyleLight:
    """Build the style image of ``scene`` at its working size."""
    m = scene.inverse_depth
    depth = (m - m.min()) / (m.max() - m.min()).clamp(min=1e-12)
    grey = style_image((depth * 255).round(), scene.working_box)
    maps = (grey / 255)[None]
    return StyleLight(maps, decode(maps).expand(3, -1, -1))


def size_factor(box_diagonal: float, image_diagonal: float) -> float:
    """The published size factor ``f = 2.5 / (1 + exp(-1 / (1 - r)))``, from 1.83 to 2.5."""
    r = min(box_diagonal / image_diagonal, 1.0)
    return 2.5 / (1 + math.exp(-1 / (1 - r))) if r < 1 else 2.5


def distance_weight(height: int, width: int, box: tuple[float, float, float, float]) -> Tensor:
    """The published weight ``(1 - d/D)^p`` (height, width), 1 around the box, 0 far from it.

    Args:
        height, width: Of the picture.
        box: Main object (x, y, w, h) in pixels.
    """
    x, y, w, h = box
    diagonal = math.hypot(w, h)
    f = size_factor(diagonal, math.hypot(width, height))
    radius = diagonal / f
    cx, cy = x + w / 2, y + h / 2
    rows = torch.arange(height, dtype=torch.float32)[:, None] - cy
    columns = torch.arange(width, dtype=torch.float32)[None, :] - cx
    d = (torch.hypot(rows, columns) - radius).clamp(min=0)
    corners = d[[0, 0, -1, -1], [0, -1, 0, -1]]
    largest = float(corners.max())
    if largest == 0:
        return torch.ones(height, width)
    return (1 - d / largest).clamp(min=0) ** (0.2 * f + 1)


def style_image(depth: Tensor, box: tuple[float, float, float, float]) -> Tensor:
    """The published style image (h, w), whole numbers 0..255.

    Args:
        depth: (h, w) relative inverse depth as an 8-bit grey picture, 0..255, near is bright.
        box: Main object (x, y, w, h) in pixels.
    """
    h, w = depth.shape
    lit = depth * distance_weight(h, w, box).to(depth)
    return torch.div(lit, lit.mean() / 20 + 1, rounding_mode="floor")
