"""The style transfer."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from nightflash.models.random_features import load
from nightflash.refine.losses import (
    content_loss,
    content_weight,
    pixel_precision,
    style_loss,
    style_weight,
)
from nightflash.refine.optimise import _converged, refine, start
from torch import Tensor

NETWORK = load(None, torch.device("cpu"))


def picture(seed: int, h: int = 48, w: int = 64) -> Tensor:
    """Something with structure at several scales, encoded 0..1."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, h // 8, w // 8, generator=generator)
    fine = torch.rand(3, h, w, generator=generator)
    wide = torch.nn.functional.interpolate(coarse, size=(h, w), mode="bicubic")[0]
    return (0.8 * wide + 0.2 * fine).clamp(0, 1)


def total(x: Tensor, photo: Tensor, target: Tensor) -> float:
    content = content_loss(NETWORK.features(x[None]), NETWORK.features(photo[None]))
    return float(NETWORK.content_scale * content + style_loss(x, target, pixel_precision(target)))


def test_style_weight_is_the_published_one() -> None:
    target = picture(3)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    style = np.stack([(target[c].numpy() - mean[c]) / std[c] for c in range(3)])
    top, span = style.max(), style.max() - style.min()
    expected = math.sqrt(1.5) * np.exp((top - style) / span) ** 1.5
    assert np.allclose(style_weight(target).numpy(), expected, rtol=1e-4)


def test_dark_pixels_count_up_to_twenty_times_a_bright_one() -> None:
    target = torch.zeros(3, 4, 4)
    target[:, 2:] = 1
    squared = style_weight(target) ** 2
    assert float(squared.max() / squared.min()) == pytest.approx(math.exp(3), rel=1e-3)


def test_style_loss_is_the_mse_of_weighted_normalised_pictures() -> None:
    x, target = picture(1), picture(2)
    std = torch.tensor((0.229, 0.224, 0.225))[:, None, None]
    weight = style_weight(target)
    expected = ((weight * x / std - weight * target / std) ** 2).mean()
    assert float(style_loss(x, target, pixel_precision(target))) == pytest.approx(float(expected))


def test_refinement_lowers_the_total_loss_below_target_and_photo() -> None:
    photo, target = picture(1), 0.3 * picture(2)
    done = refine(photo, target, NETWORK)
    reached = total(done.picture, photo, target)
    assert reached < 0.97 * total(target, photo, target)
    assert reached < total(photo, photo, target)
    assert len(done.losses) <= 16


def test_it_comes_near_what_five_hundred_steps_from_noise_reach() -> None:
    photo, target = picture(1), 0.3 * picture(2)
    x = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    adam = torch.optim.Adam([x], lr=0.02)
    features, precision = NETWORK.features(photo[None]), pixel_precision(target)
    for _ in range(500):
        adam.zero_grad()
        loss = NETWORK.content_scale * content_loss(NETWORK.features(x[None]), features)
        (loss + style_loss(x, target, precision)).backward()
        adam.step()
    published = total(x.detach(), photo, target)
    ours = total(refine(photo, target, NETWORK).picture, photo, target)
    assert ours < 1.01 * published


def test_it_starts_with_detail_of_the_photo_where_the_content_counts() -> None:
    photo, target = picture(1), torch.full((3, 48, 64), 0.2)
    begun = start(photo, target)
    detail = photo - photo.mean((1, 2), keepdim=True)
    assert float(((begun - target) * detail).mean()) > 1e-4
    assert begun.mean() == pytest.approx(float(target.mean()), abs=2e-3)
    left = torch.zeros(12, 16)
    left[:, :8] = 1
    there = (start(photo, target, left) - target).abs().mean(0)
    assert float(there[:, :28].mean()) > 0.002
    assert float(there[:, 36:].max()) == 0


def test_losses_that_rise_and_come_back_are_no_end() -> None:
    assert not _converged([1.0, 1.1, 1.05, 0.9999])
    assert not _converged([1.0, 0.9995, 0.999])
    assert _converged([2.0, 1.0, 0.9999, 0.9998, 0.9997])


def test_a_target_that_is_the_photo_is_left_alone() -> None:
    photo = picture(4)
    done = refine(photo, photo, NETWORK)
    assert torch.equal(done.picture, photo)
    assert len(done.losses) == 1


def test_the_dark_keeps_to_the_target_and_the_lit_keeps_the_content() -> None:
    photo = picture(5)
    target = photo.mean((1, 2), keepdim=True).expand_as(photo).clone()
    target[:, :, :32] *= 0.05
    done = refine(photo, target, NETWORK, by_brightness=True, steps=40)
    change = (done.picture - target).abs().mean(0)
    assert float(change[:, :26].mean()) < 0.25 * float(change[:, 38:].mean())


def test_content_weight_follows_brightness() -> None:
    target = torch.zeros(3, 16, 16)
    target[:, :, 8:] = 0.8
    weight = content_weight(target, (4, 4))
    assert torch.allclose(weight[:, 2:], torch.ones(4, 2))
    assert float(weight[:, :2].max()) == pytest.approx(0.01)


def test_the_photos_content_is_computed_once() -> None:
    calls = []

    class Counting:
        name, content_scale = NETWORK.name, NETWORK.content_scale

        def features(self, rgb: Tensor, checkpoint: Callable[[], None] | None = None) -> Tensor:
            calls.append(torch.is_grad_enabled())
            return NETWORK.features(rgb)

        def in_precision(self, dtype: torch.dtype) -> Counting:
            return self

    refine(picture(1), 0.5 * picture(2), Counting(), steps=6)
    assert calls.count(False) == 1
    assert calls.count(True) <= 6


def test_cancelling_stops_before_the_next_step() -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        refine(picture(1), picture(2), NETWORK, progress=stop)


def test_same_input_same_bytes() -> None:
    runs = [refine(picture(1), 0.5 * picture(2), NETWORK).picture for _ in range(2)]
    assert torch.equal(*runs)
