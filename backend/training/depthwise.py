"""Gradients of wide depthwise convolutions, quickly on a CPU.

oneDNN (3.12) has fast kernels for the gradient of depthwise weights up to three columns wide; for
wider ones it falls back to one for grouped convolutions, ten times slower and more: half of a step
goes there. The gradient's columns do not know of each other: each is the correlation of what comes
back with the input moved sideways. So the middle three are asked for at once, others one by one.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable


class DepthwiseConvolution(nn.Conv2d):
    """A depthwise ``Conv2d`` of stride 1 and odd width whose gradient is quick; the same values."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # as in the base class
        """See ``Conv2d``."""
        kind = input.device.type
        mixed = torch.is_autocast_enabled(kind)
        dtype = torch.get_autocast_dtype(kind) if mixed else self.weight.dtype
        out: Tensor = _Convolution.apply(input.to(dtype), self.weight.to(dtype))
        return out if self.bias is None else out + self.bias.to(dtype)[:, None, None]


def quicken(network: nn.Module) -> None:
    """Let every depthwise convolution wider than three columns be a quick one, in place."""
    for layer in network.modules():
        if (
            type(layer) is nn.Conv2d
            and layer.groups == layer.in_channels == layer.out_channels
            and layer.kernel_size[1] > 3
            and layer.stride == layer.dilation == (1, 1)
            and layer.padding == tuple(side // 2 for side in layer.kernel_size)
            and layer.padding_mode == "zeros"
        ):
            layer.__class__ = DepthwiseConvolution


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=_padding(weight), groups=x.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        to_x = _gradient(slope, x, weight, of_weight=False) if ctx.needs_input_grad[0] else None
        to_weight = _of_columns(slope, x, weight) if ctx.needs_input_grad[1] else None
        return to_x, to_weight


def _padding(weight: Tensor) -> list[int]:
    return [side // 2 for side in weight.shape[2:]]


def _of_columns(slope: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    middle = weight.shape[3] // 2
    result = torch.empty_like(weight)
    inner = slice(middle - 1, middle + 2)
    result[..., inner] = _gradient(slope, x, weight[..., inner], of_weight=True)
    for column in range(weight.shape[3]):
        if abs(by := column - middle) > 1:
            moved = F.pad(x, (-by, by)).contiguous(memory_format=torch.channels_last)
            one = slice(column, column + 1)
            result[..., one] = _gradient(slope, moved, weight[..., one], of_weight=True)
    return result


def _gradient(slope: Tensor, x: Tensor, weight: Tensor, of_weight: bool) -> Tensor:
    gradients: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        slope, x, weight, None, [1, 1], _padding(weight), [1, 1], False, [0, 0], x.shape[1],
        [not of_weight, of_weight, False],
    )  # fmt: skip
    return gradients[1 if of_weight else 0]
