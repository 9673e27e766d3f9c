"""Other views of a picture: cut, turned, mirrored; another light, another camera.

All in NumPy and OpenCV, which do without Python's lock: threads can work side by side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
TURN = 4.0  # degrees, standard deviation


@dataclass(frozen=True)
class View:
    """A part of a picture, turned a little and perhaps mirrored.

    Attributes:
        size: (height, width) of what is seen.
        matrix: (2, 3), from places in what is seen to those in the picture; both are x, y in shares
            of the sides, 0..1.
    """

    size: tuple[int, int]
    matrix: NDArray[np.float64]

    @classmethod
    def draw(
        cls, picture: tuple[int, ...], size: tuple[int, int], least: float, rng: Generator
    ) -> Self:
        """Draw a part at random.

        Args:
            picture: (height, width, ...) of the picture.
            size: (height, width) of what is seen.
            least: Of the largest part that fits, the least side length that is cut.
            rng: Source of randomness.
        """
        h, w = picture[:2]
        aspect = size[1] / size[0] * math.exp(rng.uniform(-0.2, 0.2))
        tall = min(h, w / aspect) * least ** rng.uniform()
        wide = tall * aspect
        x, y = rng.uniform(wide / 2, w - wide / 2), rng.uniform(tall / 2, h - tall / 2)
        turn = math.radians(rng.normal(0, TURN))
        mirror = -1.0 if rng.uniform() < 0.5 else 1.0
        cos, sin = math.cos(turn), math.sin(turn)
        across = np.array([[wide * cos * mirror, -tall * sin], [wide * sin * mirror, tall * cos]])
        start = np.array([x, y]) - across.sum(1) / 2
        return cls(size, np.column_stack([across, start]) / [[w], [h]])

    def of(self, plane: NDArray[Any]) -> NDArray[Any]:
        """What is seen of a picture (h, w) or (h, w, C), of bytes, 16 bits or float32.

        Maps of one picture may differ in size: the same view of each shows the same.
        """
        h, w = plane.shape[:2]
        tall, wide = self.size
        turned = self.matrix[:, :2] * [[w], [h]] / [wide, tall]
        start = self.matrix[:, 2] * [w, h] + turned.sum(1) / 2 - 0.5  # of the first pixel's centre
        seen: NDArray[Any] = cv2.warpAffine(
            plane,
            np.column_stack([turned, start]),
            (wide, tall),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        return seen


def other_light(rgb: Bytes, rng: Generator) -> Bytes:
    """Change exposure, contrast, white balance and saturation; blur and noise now and then.

    Args:
        rgb: (h, w, 3) encoded.
        rng: Source of randomness.
    """
    curve = np.linspace(0, 1, 256) ** math.exp(rng.normal(0, 0.25))
    gains = 255 * math.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.08, 3))
    light: NDArray[np.float32] = cv2.LUT(rgb, (curve[:, None] * gains).astype(np.float32)[None])
    colour = 0.0 if rng.uniform() < 0.06 else math.exp(rng.normal(0, 0.3))
    contrast = math.exp(rng.normal(0, 0.2))
    middle = float(np.mean(cv2.mean(light)[:3]))
    mixed = contrast * (colour * np.eye(3) + (1 - colour) / 3)
    light = cv2.transform(light, np.column_stack([mixed, np.full(3, middle * (1 - contrast))]))
    if rng.uniform() < 0.15:
        light = cv2.blur(light, (3, 3), borderType=cv2.BORDER_REFLECT)
    if rng.uniform() < 0.3:
        cv2.setRNGSeed(int(rng.integers(2**31)))  # of this thread; three times as quick as NumPy's
        light = light + cv2.randn(np.empty_like(light), 0, abs(rng.normal(0, 0.03 * 255)))
    result: Bytes = cv2.add(light, np.zeros(4), dtype=cv2.CV_8U)  # rounds and clips
    return result
