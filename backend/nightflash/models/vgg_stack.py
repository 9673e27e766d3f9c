"""The first three scales of a VGG network: what turns a picture into features.

Simonyan, Zisserman 2014; average instead of max pooling after Gatys et al. 2016.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

POOL_BEFORE = (2, 4)  # indices of the convolutions that a pooling precedes
LEAST_SIDE = 4


class VGGStack(nn.Module):
    """Five 3x3 convolutions, each with a ReLU, on three scales: a ``FeatureNetwork``.

    The colour normalisation in front of a VGG is linear, so its matrix is part of the first
    convolution's weights and only ``mean``, the colour that it maps to zero, is subtracted; padding
    with zeros thereby pads with that colour, as in the original.

    The weights are not set: whoever builds one fills them in.

    Args:
        name: The descriptor's name.
        content_scale: See ``FeatureNetwork``.
        widths: Channels after each convolution.
        pooling: ``average`` as the method wants, or ``max`` as VGG was trained.
        padding: ``zeros`` as VGG was trained, or ``reflect``.
    """

    mean: Tensor

    def __init__(
        self,
        name: str,
        content_scale: float,
        widths: Sequence[int],
        pooling: Literal["average", "max"] = "average",
        padding: Literal["zeros", "reflect"] = "zeros",
    ) -> None:
        super().__init__()
        self.name = name
        self.content_scale = content_scale
        self.pooling = pooling
        self.convolutions = nn.ModuleList(
            empty_convolution(cin, cout, 3, padding=1, padding_mode=padding)
            for cin, cout in zip((3, *widths), widths, strict=False)
        )
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    def forward(self, rgb: Tensor, checkpoint: Callable[[], None] | None = None) -> Tensor:
        """Map (N, 3, H, W) encoded sRGB 0..1 to (N, C, H // 4, W // 4)."""
        x = (rgb - self.mean).to(self.mean.dtype, memory_format=torch.channels_last)
        for i, convolution in enumerate(self.convolutions):
            if i in POOL_BEFORE:
                x = self._pool(x)
            x = F.relu_(convolution(x))
            if checkpoint is not None:
                checkpoint()
                if x.requires_grad:
                    x.register_hook(_before_backward(checkpoint))  # type: ignore[no-untyped-call]
        return x

    def features(self, rgb: Tensor, checkpoint: Callable[[], None] | None = None) -> Tensor:
        """See ``FeatureNetwork``; all features are at least 0."""
        down, right = (max(0, LEAST_SIDE - side) for side in rgb.shape[2:])
        if down or right:
            rgb = F.pad(rgb, (0, right, 0, down), mode="replicate")
        result: Tensor = self(rgb, checkpoint)
        return result.float()

    def in_precision(self, dtype: torch.dtype) -> Self:
        """See ``FeatureNetwork``."""
        return copy.deepcopy(self).to(dtype)

    def _pool(self, x: Tensor) -> Tensor:
        if self.pooling == "average":
            return F.avg_pool2d(x, 2)
        return F.max_pool2d(x, 2, ceil_mode=True)


def empty_convolution(channels: int, out: int, side: int, **options: Any) -> nn.Conv2d:
    """A convolution on the CPU whose weights are to be filled in: none are drawn at random.

    `Module.to_empty` would do, but it imports SymPy, which takes a third as long as PyTorch.

    Args:
        channels, out: How many come in and go out.
        side: Of the kernel, in pixels.
        options: Others of `torch.nn.Conv2d`.
    """
    with torch.device("meta"):
        convolution = nn.Conv2d(channels, out, side, **options)
    for name, parameter in list(convolution.named_parameters()):
        setattr(convolution, name, nn.Parameter(torch.empty(parameter.shape), requires_grad=False))
    return convolution


def _before_backward(checkpoint: Callable[[], None]) -> Callable[[Tensor], None]:
    """A hook that calls ``checkpoint`` when a layer's gradient is about to go through it."""

    def hook(gradient: Tensor) -> None:
        checkpoint()

    return hook
