"""A region of a photo, and the pixels that it is looked at with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nightflash.errors import NightFlashError


@dataclass(frozen=True)
class Region:
    """An upright rectangle of whole pixels of a photo.

    Attributes:
        x, y, width, height: In pixels of the photo.
        of: (width, height) of the photo.

    Raises:
        NightFlashError: ``bad_request`` where it is not inside the photo.
    """

    x: int
    y: int
    width: int
    height: int
    of: tuple[int, int]

    def __post_init__(self) -> None:
        inside = 0 <= self.x < self.x + self.width <= self.of[0]
        if not inside or not 0 <= self.y < self.y + self.height <= self.of[1]:
            raise NightFlashError(
                f"The region {self.x},{self.y},{self.width},{self.height} does not lie in the"
                f" photo, which is {self.of[0]} x {self.of[1]} pixels.",
                code="bad_request",
            )

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def centres(self, axis: int, count: int) -> npt.NDArray[np.float32]:
        """Middles of ``count`` pixels that it is shown with, down (0) or across (1), in its own."""
        start, length = ((self.y, self.height), (self.x, self.width))[axis]
        places = (np.arange(count, dtype=np.float64) + 0.5) * (length / count)
        return (start + places).astype(np.float32)

    def averaged(self, size: tuple[int, int]) -> float:
        """How many of its pixels make one where it is shown at ``size`` (width, height)."""
        return max(1.0, math.prod((self.width, self.height)) / math.prod(size))

    def part_of(self, planes: Tensor, size: tuple[int, int]) -> Tensor:
        """What it shows of planes (K, h, w) of the whole photo, at ``size`` (width, height)."""
        down = stretched(planes, 1, self.centres(0, size[1]), self.of[1])
        return stretched(down, 2, self.centres(1, size[0]), self.of[0])


def stretched(planes: Tensor, axis: int, places: npt.NDArray[np.float32], size: int) -> Tensor:
    """Linear interpolation of (K, h, w) along ``axis``, which is ``size`` long, to ``places``."""
    n = planes.shape[axis]
    found = neighbours(places, n, size)
    before, blend = (torch.from_numpy(values).to(planes.device) for values in found)
    after = (before + 1).clamp(max=n - 1)
    blend = blend[:, None] if axis == 1 else blend
    return torch.lerp(planes.index_select(axis, before), planes.index_select(axis, after), blend)


def neighbours(
    places: npt.NDArray[np.float32], n: int, size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Of each place along ``size``, the last of ``n`` samples before it, and how far it lies on.

    Returns:
        Numbers of samples, the next of which is meant to be blended in; shares 0..1 of that.
    """
    at = (places * np.float32(n / size) - np.float32(0.5)).clip(0, n - 1)
    before = np.minimum(np.floor(at).astype(np.int64), max(n - 2, 0))
    return before, (at - before).astype(np.float32)
