"""The decoder of all networks of this make: four feature maps in, one inverse depth map out.

Fusion of features from coarse to fine after RefineNet (Lin et al. 2017), as used by Ranftl et al.
2020 ("Towards Robust Monocular Depth Estimation") and 2021 ("Vision Transformers for Dense
Prediction").

Levels are numbered as in the published weights: "1" is the finest (stride 4), "4" the coarsest
(stride 32).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

HEAD_WIDTH = 32


@dataclass(frozen=True)
class DecoderPlan:
    """What differs between the networks' decoders.

    Attributes:
        features: Channels of the backbone's four maps, finest first.
        narrowed: Channels that they are brought to.
        fused: Channels of the path as it leaves each level.
        out_conv: Whether a 1x1 convolution ends each level; without, ``fused`` is ``narrowed``.
        rectified_skip: Whether a unit adds its input after the ReLU (in the v2.1 network that ReLU
            works in place) instead of the input itself.
        align_corners: In the head's upsampling; in the levels' it is always so.
    """

    features: tuple[int, int, int, int]
    narrowed: tuple[int, int, int, int] = (256, 256, 256, 256)
    fused: tuple[int, int, int, int] = (256, 256, 256, 256)
    out_conv: bool = True
    rectified_skip: bool = False
    align_corners: bool = True


class ResidualUnit(nn.Module):
    """Two 3x3 convolutions, a ReLU before each, and a way past them."""

    def __init__(self, channels: int, rectified_skip: bool) -> None:
        super().__init__()
        self.rectified_skip = rectified_skip
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        rectified = F.relu(x)
        change: Tensor = self.conv2(F.relu(self.conv1(rectified)))
        return change + (rectified if self.rectified_skip else x)


class Fusion(nn.Module):
    """One level: the path from below joins the features of the level.

    Args:
        plan: The decoder's.
        level: 0 for the finest to 3 for the coarsest, which has no path from below.
    """

    def __init__(self, plan: DecoderPlan, level: int) -> None:
        super().__init__()
        cin, cout = plan.narrowed[level], plan.fused[level]
        self.unit1 = ResidualUnit(cin, plan.rectified_skip) if level < 3 else None
        self.unit2 = ResidualUnit(cin, plan.rectified_skip)
        self.out = nn.Conv2d(cin, cout, 1) if plan.out_conv else nn.Identity()

    def forward(self, features: Tensor, path: Tensor | None) -> Tensor:
        """Join two (N, C, H, W) maps to one (N, C', H, W).

        The authors apply ``out`` after the upsampling that follows; the two commute, and here it is
        a quarter of the work.
        """
        x = features
        if self.unit1 is not None and path is not None:
            x = path + self.unit1(features)
        result: Tensor = self.out(self.unit2(x))
        return result


class Levels(nn.Module):
    """The four levels."""

    def __init__(self, plan: DecoderPlan) -> None:
        super().__init__()
        self.narrow = nn.ModuleDict()
        self.fuse = nn.ModuleDict()
        for level, (cin, cout) in enumerate(zip(plan.features, plan.narrowed, strict=True)):
            self.narrow[str(level + 1)] = nn.Conv2d(cin, cout, 3, padding=1, bias=False)
            self.fuse[str(level + 1)] = Fusion(plan, level)

    def fused(self, features: Sequence[Tensor]) -> Tensor:
        """Join the backbone's four maps, finest first, to one of twice the finest one's size."""
        layers = self.narrow.values()
        narrowed = [layer(found) for layer, found in zip(layers, features, strict=True)]
        path: Tensor | None = None
        for level in (4, 3, 2, 1):
            path = self.fuse[str(level)](narrowed[level - 1], path)
            finer = narrowed[max(level - 2, 0)].shape[2:]
            size = finer if level > 1 else (2 * finer[0], 2 * finer[1])
            path = F.interpolate(path, size, mode="bilinear", align_corners=True)
        assert path is not None
        return path


class Decoder(Levels):
    """Four levels and the head."""

    def __init__(self, plan: DecoderPlan) -> None:
        super().__init__(plan)
        width = plan.fused[0]
        self.head = nn.Sequential(
            nn.Conv2d(width, width // 2, 3, padding=1),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=plan.align_corners),
            nn.Conv2d(width // 2, HEAD_WIDTH, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(HEAD_WIDTH, 1, 1),
            nn.ReLU(inplace=True),
        )

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Map (N, C, H / s, W / s) at strides s of 4, 8, 16 and 32 to (N, H, W), 0 or more."""
        result: Tensor = self.head(self.fused(features))
        return result[:, 0]
