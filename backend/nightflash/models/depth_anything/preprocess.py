"""The picture as Depth Anything takes it: its size, the way there, and the colours.

The authors resize as MiDaS's do (see ``midas.preprocess``), until the shorter side has the
network's own size. A picture of more than four times that length is padded beside its long sides
instead: the longer side stays bounded, and nothing is squeezed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from nightflash.models.midas.preprocess import IMAGENET, LONGEST, normalised

MULTIPLE_OF = 14
OWN_SIDE = 518  # what the network was trained and published at
SMALL_SIDE = 252  # a quarter of the work, for CPUs; on published weights nobody has measured it


@dataclass(frozen=True)
class Framing:
    """How the network sees a picture.

    Attributes:
        net: Pixels of the shorter side, a multiple of 14.
    """

    net: int = OWN_SIDE

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) to which a picture of this size is resized.

        Multiples of 14 with the shorter side ``net``, as in the authors' code; where a picture is
        more than four times as long as wide, the longer side is four times ``net`` and the shorter
        one what follows, 1 pixel or more.
        """
        if max(height, width) > LONGEST * min(height, width):
            scale = LONGEST * self.net / max(height, width)
            return max(round(scale * height), 1), max(round(scale * width), 1)
        scale = max(self.net / height, self.net / width)
        return _side(scale * height), _side(scale * width)

    def prepare(self, rgb: Tensor) -> Tensor:
        """Bring (3, H, W) or (N, 3, H, W), encoded sRGB 0..1, to the (N, 3, h, w) that goes in."""
        size = self.size(*rgb.shape[-2:])
        several = rgb if rgb.ndim == 4 else rgb[None]
        picture = F.interpolate(several, size, mode="bicubic", align_corners=False, antialias=False)
        above, below = self._padding(size[0])
        left, right = self._padding(size[1])
        padded = F.pad(picture, (left, right, above, below), mode="replicate")
        return normalised(padded, **IMAGENET)

    def seen(self, depth: Tensor, height: int, width: int) -> Tensor:
        """Cut off of (..., h, w) maps what ``prepare`` padded a picture of this size with."""
        rows, columns = self.size(height, width)
        top, left = self._padding(rows)[0], self._padding(columns)[0]
        return depth[..., top : top + rows, left : left + columns]

    def _padding(self, side: int) -> tuple[int, int]:
        missing = max(self.net - side, 0)
        return missing // 2, missing - missing // 2


def _side(wanted: float) -> int:
    """The multiple of 14 next to ``wanted``; half-way between two, the even multiple."""
    return round(wanted / MULTIPLE_OF) * MULTIPLE_OF
