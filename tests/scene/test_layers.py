"""The subject's silhouette in the depth."""

from __future__ import annotations

import torch
from nightflash.scene.depth import layered
from torch import Tensor

H, W = 120, 160


def scene() -> tuple[Tensor, Tensor]:
    """Inverse depth of sloping ground, and the soft mask of an object of unsure outline on it."""
    slope = (torch.linspace(0.2, 1.0, H)[:, None] + torch.linspace(0, 0.2, W)[None]).expand(H, W)
    mask = torch.zeros(H, W)
    mask[30:100, 40:120] = 0.5
    mask[50:60, 60:80] = 1.0
    return slope.clone(), mask


def test_what_is_filled_in_has_no_steps() -> None:
    depth, mask = scene()
    inside = layered(depth, mask)[31:99, 41:119]
    within = mask[31:99, 41:119] == 0.5
    across = (inside[:, 1:] - inside[:, :-1]).abs()[within[:, 1:] & within[:, :-1]]
    down = (inside[1:] - inside[:-1]).abs()[within[1:] & within[:-1]]
    step = float(depth.diff(dim=0).max())
    assert float(torch.cat([across, down]).max()) < 3 * step


def test_depth_away_from_the_outline_is_left_as_it_is() -> None:
    depth, mask = scene()
    assert torch.equal(layered(depth, mask)[:20], depth[:20])


def test_a_mask_that_is_nowhere_sure_leaves_depth_whole() -> None:
    depth, _ = scene()
    assert layered(depth, torch.full((H, W), 0.5)).isfinite().all()
