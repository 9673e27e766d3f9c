"""Grey dilation: the highest value around each pixel."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def dilated(planes: Tensor, radius: int) -> Tensor:
    """The maximum in a square window, by its rows and then its columns.

    Args:
        planes: (c, h, w), any values.
        radius: Pixels from the middle of the window to its sides, at least 0; the window is cut off
            at the border.

    Returns:
        (c, h, w).
    """
    side = 2 * radius + 1
    if planes.device.type == "cpu":
        window = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
        highest = np.empty(planes.shape, np.float32)
        for plane, result in zip(planes.numpy(), highest, strict=True):
            cv2.dilate(
                plane,
                window,
                result,
                borderType=cv2.BORDER_CONSTANT,
                borderValue=-math.inf,
            )
        return torch.from_numpy(highest)
    rows = F.max_pool2d(planes[None], (1, side), 1, (0, radius))
    return F.max_pool2d(rows, (side, 1), 1, (radius, 0))[0]
