"""Brighter ground along a mask's edge is not the object."""

from __future__ import annotations

import torch
from nightflash.scene.fringe import without_fringe
from torch import Tensor

H, W = 120, 160
DARK, BRIGHT = 0.3, 0.8  # encoded


def scene(own: float, ground: float) -> tuple[Tensor, Tensor, Tensor]:
    """Encoded picture of an object, its true mask, and one that is two pixels too wide."""
    true, wide = torch.zeros(H, W), torch.zeros(H, W)
    true[30:90, 50:110] = 1
    wide[28:92, 48:112] = 1
    return (ground + (own - ground) * true).expand(3, H, W), true, wide


def test_bright_ground_within_a_mask_that_is_too_wide_is_taken_away() -> None:
    encoded, true, wide = scene(DARK, BRIGHT)
    assert torch.allclose(without_fringe(wide, encoded), true, atol=0.05)


def test_a_mask_that_fits_is_left_alone() -> None:
    encoded, true, _ = scene(DARK, BRIGHT)
    assert torch.allclose(without_fringe(true, encoded), true, atol=0.05)


def test_darker_ground_and_ground_as_bright_change_nothing() -> None:
    for own, ground in ((BRIGHT, DARK), (DARK, DARK + 0.03)):
        encoded, _, wide = scene(own, ground)
        assert torch.equal(without_fringe(wide, encoded), wide)


def test_mixed_pixels_keep_their_share() -> None:
    encoded, true, _ = scene(DARK, BRIGHT)
    soft = true.clone()
    soft[30:90, 49] = 0.5
    encoded = encoded.clone()
    encoded[:, 30:90, 49] = 0.5  # between both
    edge = without_fringe(soft, encoded)[40:80, 49]
    assert 0.2 < float(edge.mean()) <= 0.5


def test_all_object_no_object_and_thin_ones_are_left_alone() -> None:
    encoded = torch.rand(3, H, W, generator=torch.Generator().manual_seed(0))
    for mask in (torch.ones(H, W), torch.zeros(H, W), torch.full((H, W), 0.5)):
        assert torch.equal(without_fringe(mask, encoded), mask)
    line = torch.zeros(H, W)
    line[:, 80:83] = 1
    assert torch.equal(without_fringe(line, encoded), line)
