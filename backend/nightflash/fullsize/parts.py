"""The night taken apart: what light is there anyway, and the flash; linear, they add up to it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from nightflash.fullsize.strips import STRIP_ROWS
from nightflash.light import Light

Linear = npt.NDArray[np.float32]


def parts(photo: Linear, night: Linear, light: Light) -> tuple[Linear, Linear]:
    """Take the night apart.

    Args:
        photo: (H, W, 3) linear, by day.
        night: (H, W, 3) linear, the finished night.
        light: What the night was made with.

    Returns:
        The light that is there without the flash, nowhere more than the night has, and the light
        of the flash, nowhere below 0; both (H, W, 3) linear.
    """
    ambient, flash = np.empty_like(night), np.empty_like(night)
    device = light.maps.device
    for top in range(0, len(photo), STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        day = torch.from_numpy(photo[rows]).to(device).permute(2, 0, 1)
        unlit = light.unlit(day).permute(1, 2, 0).cpu().numpy()
        np.minimum(unlit, night[rows], out=ambient[rows])
        np.subtract(night[rows], ambient[rows], out=flash[rows])
    return ambient, flash
