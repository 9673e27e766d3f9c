from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from training.losses import depth_loss, mask_loss


def depth(seed: int, n: int = 2) -> Tensor:
    """Smooth inverse depth from far to near with an object in it."""
    g = torch.Generator().manual_seed(seed)
    ramp = torch.linspace(0.1, 1.0, 48)[None, :, None].expand(n, 48, 64).clone()
    ramp[:, 10:30, 20:40] += torch.rand(n, 1, 1, generator=g)
    return ramp


@given(scale=st.floats(0.01, 100), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_the_scale_of_depth_does_not_matter(scale: float, seed: int) -> None:
    truth = depth(seed)
    exact = float(depth_loss(truth, truth))
    assert float(depth_loss(truth * scale, truth)) == pytest.approx(exact, abs=0.02)


def test_depth_that_is_wrong_costs_more_the_more_it_is_wrong() -> None:
    truth = depth(1)
    noise = torch.rand(truth.shape, generator=torch.Generator().manual_seed(2))
    costs = [float(depth_loss(truth + k * noise, truth)) for k in (0.0, 0.1, 0.4)]
    costs.append(float(depth_loss(1.2 - truth.clamp(max=1.2), truth)))
    assert costs == sorted(costs)
    assert costs[0] < 0.05 < costs[1]


def test_zero_is_held_at_infinity() -> None:
    truth = depth(3)
    assert float(depth_loss(truth + 0.5, truth)) > float(depth_loss(truth, truth)) + 0.1


def test_masks_are_judged_by_what_they_share() -> None:
    truth = torch.zeros(2, 32, 32)
    truth[0, 8:24, 8:24] = 1  # the second picture shows no object
    right = torch.where(truth > 0.5, 8.0, -8.0)
    shifted = torch.roll(right, 8, 2)
    everywhere = torch.full_like(right, 8.0)
    costs = [
        float(mask_loss(x, truth, torch.ones_like(truth))) for x in (right, shifted, everywhere)
    ]
    assert costs == sorted(costs)
    assert costs[0] < 0.01


def test_no_object_anywhere_is_a_loss_too() -> None:
    nothing, sure = torch.zeros(1, 16, 16), torch.ones(1, 16, 16)
    assert float(mask_loss(torch.full((1, 16, 16), 5.0), nothing, sure)) > 4
    assert float(mask_loss(torch.full((1, 16, 16), -9.0), nothing, sure)) < 0.01


def test_where_the_mask_is_not_sure_it_costs_nothing() -> None:
    g = torch.Generator().manual_seed(5)
    logits, target = torch.randn(2, 16, 16, generator=g), torch.zeros(2, 16, 16)
    target[:, 4:12] = 1
    sure = torch.ones(2, 16, 16)
    sure[:, :, 9:] = 0
    sure[1] = 0  # of the second picture nothing is known
    logits.requires_grad_()
    mask_loss(logits, target, sure).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert (logits.grad[sure == 0] == 0).all()
    assert (logits.grad[sure == 1] != 0).all()
    logits = logits.detach()
    alone = mask_loss(logits[:1, :, :9], target[:1, :, :9], sure[:1, :, :9])
    assert float(mask_loss(logits, target, sure)) == pytest.approx(float(alone), rel=1e-5)
    assert float(mask_loss(logits, target, sure * 0)) == 0
