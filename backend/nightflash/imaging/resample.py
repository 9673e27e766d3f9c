"""Exact area resampling of arrays of any size."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

LEAST_SIDE = 32
GREATEST_SIDE = 4096


def area(picture: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Resample (H, W, 1 to 4) to ``size`` (width, height) by pixel area; enlarging is bilinear.

    The mean is kept, so linear light stays the same light. Sides of over 32767 pixels work.
    """
    h, w, c = picture.shape
    width, height = size
    # OpenCV's INTER_AREA averages only where no side grows.
    least = min(width, w), min(height, h)
    small: npt.NDArray[np.float32] = cv2.resize(picture, least, interpolation=cv2.INTER_AREA)
    if least != size:
        small = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    return small.reshape(height, width, c)


def working_dimensions(width: int, height: int, megapixels: float) -> tuple[int, int]:
    """Width and height of the working picture: the photo's aspect at most ``megapixels`` large.

    Small photos keep their size; no side is shorter than 32 pixels, so that extreme shapes are
    squeezed and tiny ones enlarged.
    """
    scale = min(1.0, math.sqrt(megapixels * 1e6 / (width * height)))
    w, h = (min(max(LEAST_SIDE, round(n * scale)), GREATEST_SIDE) for n in (width, height))
    return w, h
