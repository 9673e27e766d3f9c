from __future__ import annotations

import pytest
import torch
from nightflash.models.builtin.scene_net import SceneNet
from torch import Tensor, nn
from training.depthwise import DepthwiseConvolution, quicken


def gradients(layer: nn.Conv2d, x: Tensor, slope: Tensor) -> list[Tensor]:
    layer.zero_grad()
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    out = layer(x)
    out.backward(slope)
    assert x.grad is not None
    return [
        out.detach(),
        x.grad,
        *(p.grad.clone() for p in layer.parameters() if p.grad is not None),
    ]


@pytest.mark.parametrize("size", [(5, 5), (7, 7), (3, 5), (5, 9)])
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
def test_values_and_gradients_are_those_of_the_plain_convolution(
    size: tuple[int, int], memory_format: torch.memory_format
) -> None:
    torch.manual_seed(1)
    pad = (size[0] // 2, size[1] // 2)
    layer = nn.Conv2d(12, 12, size, padding=pad, groups=12)
    x = (torch.randn(3, 12, 13, 11) + 0.5).contiguous(memory_format=memory_format)
    slope = (torch.randn(3, 12, 13, 11) + 0.2).contiguous(memory_format=memory_format)
    plain = gradients(layer, x, slope)
    quicken(layer)
    assert isinstance(layer, DepthwiseConvolution)
    for ours, theirs in zip(gradients(layer, x, slope), plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_mixed_precision_gives_the_gradients_of_mixed_precision() -> None:
    torch.manual_seed(2)
    layer = nn.Conv2d(16, 16, 5, padding=2, groups=16, bias=False)
    x = torch.randn(2, 16, 20, 24).contiguous(memory_format=torch.channels_last)
    slope = torch.randn(2, 16, 20, 24).bfloat16().contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        plain = gradients(layer, x, slope)
        quicken(layer)
        quick = gradients(layer, x, slope)
    for ours, theirs in zip(quick, plain, strict=True):
        assert ours.dtype == theirs.dtype
        torch.testing.assert_close(ours, theirs, rtol=0.02, atol=0.02)


def test_only_wide_depthwise_convolutions_change_and_their_weights_stay() -> None:
    network = SceneNet()
    before = network.state_dict()
    others = nn.Sequential(
        nn.Conv2d(8, 8, 5, padding=2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 8, 5, 2, padding=2, groups=8),
        nn.Conv2d(8, 8, 5, groups=8),
    )
    quicken(network)
    quicken(others)
    assert not any(isinstance(layer, DepthwiseConvolution) for layer in others)
    assert sum(isinstance(layer, DepthwiseConvolution) for layer in network.modules()) == 22
    after = network.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[key], after[key]) for key in before)
