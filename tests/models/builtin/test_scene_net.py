"""The scene network: its maps, and that it learns."""

from __future__ import annotations

import pytest
import torch
from nightflash.models.builtin.scene_net import SceneNet


@pytest.mark.parametrize(("height", "width"), [(64, 96), (320, 416), (32, 32)])
def test_two_maps_of_half_the_sides(height: int, width: int) -> None:
    torch.manual_seed(1)
    network = SceneNet().eval()
    with torch.no_grad():
        depth, logits = network(torch.rand(2, 3, height, width))
    assert depth.shape == logits.shape == (2, height // 2, width // 2)
    assert depth.min() >= 0


def test_while_it_learns_coarser_maps_come_too_finest_first() -> None:
    maps = SceneNet().train()(torch.rand(2, 3, 64, 96))
    assert [tuple(m.shape[1:]) for m in maps] == [(32, 48), (32, 48)] + [
        (64 // n, 96 // n) for n in (4, 8, 16, 32)
    ]


def test_every_place_of_the_mask_depends_on_every_place_of_the_picture() -> None:
    torch.manual_seed(1)
    network = SceneNet().eval()
    rgb = torch.rand(1, 3, 128, 256, requires_grad=True)
    network(rgb)[1][0, 0, 0].backward()
    assert rgb.grad is not None
    assert bool((rgb.grad.abs().amax((0, 1))[-32:, -32:] > 0).any())


def test_it_is_small() -> None:
    assert sum(p.numel() for p in SceneNet().parameters()) <= 1_500_000
