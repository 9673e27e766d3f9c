"""The picture as MiDaS's networks take it: its size, the way there, and the colours.

The authors' transforms resize by cubic interpolation without a filter against aliasing (OpenCV's
INTER_CUBIC; PyTorch's plain bicubic is the same function within 1e-4) and do not clip what
overshoots. The networks were trained on such pictures, so a better resize would serve them worse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

MULTIPLE_OF = 32
LONGEST = 4  # a side is at most this often the network's own size

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Framing:
    """How a network sees a picture.

    Attributes:
        net: The network's own size in pixels.
        rule: ``within``: the picture fits into the square of that size (the authors' upper_bound);
            ``near``: the side that needs less change gets that size, the other follows (minimal);
            ``square``: both sides get it, whatever the aspect.
        mean: Of red, green and blue, encoded sRGB 0..1; subtracted.
        std: Likewise; divided by.
    """

    net: int
    rule: Literal["within", "near", "square"]
    mean: Triple
    std: Triple

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) at which a picture of this size is seen.

        As in the authors' code, but each side is kept within 32 and four times ``net``: there a
        very narrow picture becomes 0 pixels wide, and a very long one takes all memory.
        """
        down, across = self.net / height, self.net / width
        if self.rule == "within":
            down = across = min(down, across)
        elif self.rule == "near":
            down = across = across if abs(1 - across) < abs(1 - down) else down
        return self._side(down * height), self._side(across * width)

    def _side(self, wanted: float) -> int:
        """The multiple of 32 next to ``wanted``; half-way between two, the even multiple."""
        side = round(wanted / MULTIPLE_OF) * MULTIPLE_OF
        if self.rule == "within" and side > self.net:
            side = math.floor(wanted / MULTIPLE_OF) * MULTIPLE_OF
        return min(max(side, MULTIPLE_OF), LONGEST * self.net)

    def prepare(self, rgb: Tensor) -> Tensor:
        """Bring (3, H, W) or (N, 3, H, W), encoded sRGB 0..1, to the (N, 3, h, w) that goes in."""
        size = self.size(*rgb.shape[-2:])
        several = rgb if rgb.ndim == 4 else rgb[None]
        picture = F.interpolate(several, size, mode="bicubic", align_corners=False, antialias=False)
        return normalised(picture, self.mean, self.std)


def normalised(picture: Tensor, mean: Triple, std: Triple) -> Tensor:
    """Subtract ``mean`` from a (1, 3, h, w) picture and divide it by ``std``."""
    return (picture - _colour(mean, picture)) / _colour(std, picture)


def _colour(values: Triple, like: Tensor) -> Tensor:
    return like.new_tensor(values).view(1, 3, 1, 1)


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
HALVES = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}

FRAMINGS = {
    "midas_v21_small_256": Framing(256, "within", **IMAGENET),
    "midas_v21_384": Framing(384, "within", **IMAGENET),
    "dpt_hybrid_384": Framing(384, "near", **HALVES),
    "dpt_large_384": Framing(384, "near", **HALVES),
    "dpt_swin2_tiny_256": Framing(256, "square", **HALVES),
}
