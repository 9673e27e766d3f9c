"""Test photos as the networks take them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

CPU = torch.device("cpu")


def picture(path: Path, size: tuple[int, int] | None = None) -> Tensor:
    """Read a photo, resized to (width, height) if given: (3, H, W) encoded sRGB 0..1."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    if size is not None:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255.0
