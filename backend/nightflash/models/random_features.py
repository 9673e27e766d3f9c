"""Builtin features: a narrow VGG of fixed random filters, for machines without any weights.

Random convolutions of VGG's shape keep enough of a picture to restore it and to compare it with
another (Ustyuzhaninov et al. 2016, He, Wang, Hopcroft 2016).
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nightflash.models.descriptor import FeatureNetwork, NetworkDescriptor

CHANNELS = ((3, 24), (24, 24), (24, 48), (48, 48), (48, 96))
POOL_BEFORE = (2, 4)
LEAST_SIDE = 4
SEED = 20260
CONTENT_SCALE = 1.0


class RandomFeatures(nn.Module):
    """VGG19's first five convolutions, narrower and never trained, a ``FeatureNetwork``."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.name = "random_vgg"
        self.content_scale = CONTENT_SCALE
        self.convolutions = nn.ModuleList(
            nn.Conv2d(cin, cout, 3, padding=1) for cin, cout in CHANNELS
        )
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1))
        generator = torch.Generator().manual_seed(SEED)
        for layer in self.convolutions:
            nn.init.orthogonal_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
        self.eval().requires_grad_(False)

    def forward(self, rgb: Tensor) -> Tensor:
        """Map (N, 3, H, W) encoded sRGB 0..1 to (N, 96, H // 4, W // 4)."""
        x = (rgb - self.mean).to(self.mean.dtype, memory_format=torch.channels_last)
        for i, convolution in enumerate(self.convolutions):
            if i in POOL_BEFORE:
                x = F.avg_pool2d(x, 2)
            x = F.relu_(convolution(x))
        return x

    def features(self, rgb: Tensor) -> Tensor:
        """See ``FeatureNetwork``."""
        down, right = (max(0, LEAST_SIDE - side) for side in rgb.shape[2:])
        if down or right:
            rgb = F.pad(rgb, (0, right, 0, down), mode="replicate")
        result: Tensor = self(rgb)
        return result.float()

    def in_precision(self, dtype: torch.dtype) -> Self:
        """See ``FeatureNetwork``."""
        return copy.deepcopy(self).to(dtype)


def load(path: Path | None, device: torch.device) -> RandomFeatures:
    """Return the network, the same on every machine."""
    return RandomFeatures().to(device, memory_format=torch.channels_last)


DESCRIPTOR: NetworkDescriptor[FeatureNetwork] = NetworkDescriptor(
    name="random_vgg",
    role="features",
    network_set="builtin",
    title="Random filters in the shape of VGG19 up to conv3_1",
    licence="MIT",
    source="generated from a fixed seed",
    load=load,
)
