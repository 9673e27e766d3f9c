"""The strips in which full size is made, each with its own draw of the grain."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nightflash.fullsize.grain import drawn_noise
from nightflash.fullsize.region import Region

STRIP_ROWS = 64  # as many as the caches of a processor hold
STRIP_ROWS_GPU = 256  # fewer and larger pieces of work


@dataclass(frozen=True)
class Strip:
    """Rows of a region.

    Attributes:
        number: Of the strip of the whole picture that they lie in.
        rows: Of the region's pixels.
    """

    number: int
    rows: slice


@dataclass(frozen=True)
class Strips:
    """A region in strips: at full size in those of the whole picture, whose grain it has.

    Attributes:
        region: Of the photo.
        size: (width, height) of the pixels that it is shown with.
        device: Where it is made.
    """

    region: Region
    size: tuple[int, int]
    device: torch.device

    def __iter__(self) -> Iterator[Strip]:
        top, height, step = self._corner[1], self.size[1], self._step
        for number in range(top // step, -(-(top + height) // step)):
            first, last = number * step, (number + 1) * step
            yield Strip(number, slice(max(first - top, 0), min(last - top, height)))

    def noise(self, strip: Strip, seed: int) -> Tensor:
        """Of a strip's pixels (3, n, W), of deviation 1 or as much as scaling leaves of it."""
        left, top = self._corner
        first = strip.number * self._step
        whole = min(self._step, self._whole[1] - first), self._whole[0]
        drawn = drawn_noise(*whole, (seed, strip.number), self.device)
        begin, count = strip.rows.start + top - first, strip.rows.stop - strip.rows.start
        part = drawn[:, begin : begin + count, left : left + self.size[0]]
        strength = 1 / math.sqrt(self.region.averaged(self.size))
        return part if strength == 1 else strength * part

    @property
    def _at_full_size(self) -> bool:
        return self.size == (self.region.width, self.region.height)

    @property
    def _corner(self) -> tuple[int, int]:
        """Left and top of what is shown within what the strips divide."""
        return (self.region.x, self.region.y) if self._at_full_size else (0, 0)

    @property
    def _whole(self) -> tuple[int, int]:
        return self.region.of if self._at_full_size else self.size

    @property
    def _step(self) -> int:
        return STRIP_ROWS if self.device.type == "cpu" else STRIP_ROWS_GPU
