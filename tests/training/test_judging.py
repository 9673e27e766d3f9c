from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from training.judging import judged

from tests.training.made_up import examples

CPU = torch.device("cpu")


def perfect(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """What the first example shows, whatever is seen."""
    example = examples()[0]
    assert example.mask is not None
    assert example.inverse_depth is not None
    size = (rgb.shape[2] // 2, rgb.shape[3] // 2)
    maps = [
        F.interpolate(torch.from_numpy(m.astype(np.float32))[None, None], size, mode="area")[:, 0]
        for m in (example.inverse_depth, example.mask)
    ]
    depth, mask = (m.expand(len(rgb), -1, -1) for m in maps)
    return depth / 65535, mask / 255


def nothing(rgb: Tensor) -> tuple[Tensor, Tensor]:
    n, _, h, w = rgb.shape
    return 1 - perfect(rgb)[0], torch.zeros(n, h // 2, w // 2)


def test_what_is_right_scores_best() -> None:
    best = judged(perfect, examples()[:2], CPU, 224, 32)
    assert best["iou"] > 0.97
    assert best["mae"] < 0.01
    assert best["spearman"] > 0.99
    worst = judged(nothing, examples()[:2], CPU, 224, 32)
    assert worst["iou"] == 0
    assert worst["mae"] == pytest.approx(120 * 120 / (240 * 300), abs=0.01)
    assert worst["spearman"] < -0.99
    assert best["score"] == pytest.approx(best["iou"] - best["mae"] + best["spearman"])


def test_photos_without_an_object_tell_no_intersection() -> None:
    figures = judged(nothing, examples()[2:4], CPU, 224, 32)
    assert figures["iou"] == figures["mae"] == 0  # none tells; nothing is right


def test_what_nobody_can_tell_does_not_count() -> None:
    example = examples()[0]
    assert example.mask is not None
    sure = np.where(example.mask > 0, np.uint8(0), np.uint8(255))
    figures = judged(nothing, [replace(example, sure=sure)], CPU, 224, 32)
    assert figures["mae"] < 0.01


def test_photos_of_any_shape_are_seen_whole() -> None:
    tall = replace(examples()[4], rgb=examples()[4].rgb.transpose(1, 0, 2).copy())
    sizes = []

    def see(rgb: Tensor) -> tuple[Tensor, Tensor]:
        sizes.append(tuple(rgb.shape))
        return nothing(rgb)

    judged(see, [examples()[4], tall, examples()[4]], CPU, 224, 32)
    assert sorted(sizes) == [(1, 3, 288, 224), (2, 3, 224, 288)]
