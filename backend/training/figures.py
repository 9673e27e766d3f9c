"""What the scene network can do: the figures in its model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from nightflash.models.builtin.scene_net import SceneNet
from nightflash.models.descriptor import DepthNetwork
from nightflash.photo import read_photo, srgb_encode
from numpy.typing import NDArray
from torch import Tensor

from training.photos import held_apart, small
from training.scenes import render_scene

UNSEEN_SEEDS = tuple(range(101, 113)) + tuple(range(901, 913))
SIDE = 384  # short side at which photos are given to the networks


def spearman(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Spearman's rank correlation of two maps of one shape; equal values share a rank."""
    return float(np.corrcoef(_ranks(a.ravel()), _ranks(b.ravel()))[0, 1])


def _ranks(x: NDArray[np.floating]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def iou(mask: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Intersection over union of two soft masks, both cut at a half."""
    a, b = mask > 0.5, truth > 0.5
    return float((a & b).sum() / max((a | b).sum(), 1))


def as_input(encoded: NDArray[np.uint8]) -> Tensor:
    """(3, h, w) float 0..1 of (h, w, 3) bytes."""
    return torch.from_numpy(encoded).permute(2, 0, 1).float() / 255


def depth_on_photos(
    network: DepthNetwork, teacher: DepthNetwork, photos: Path, names: Sequence[str] | None = None
) -> list[float]:
    """Rank correlation with the teacher on photos that were not trained on."""
    result = []
    for name in held_apart() if names is None else names:
        rgb = as_input(small(read_photo(photos / name), SIDE, longest=4.0))
        theirs = teacher.inverse_depth(rgb).numpy()
        ours = _at(network.inverse_depth(rgb).numpy(), theirs.shape)
        result.append(spearman(ours, theirs))
    return result


def depth_on_scenes(network: DepthNetwork, seeds: Sequence[int] = UNSEEN_SEEDS) -> list[float]:
    """Rank correlation with the exact inverse depth of rendered scenes."""
    result = []
    for seed in seeds:
        scene = render_scene(seed)
        truth = (1 / scene.distance).astype(np.float32)
        ours = network.inverse_depth(as_input(_encoded(scene.day))).numpy()
        result.append(spearman(_at(ours, truth.shape), truth))
    return result


def masks_on_scenes(network: SceneNet, seeds: Sequence[int] = UNSEEN_SEEDS) -> list[float]:
    """Intersection over union with exact masks of rendered scenes, as the network gives them."""
    result = []
    for seed in seeds:
        scene = render_scene(seed)
        mask = network.main_object(as_input(_encoded(scene.day))).mask.numpy()
        result.append(iou(_at(mask, scene.mask.shape), scene.mask))
    return result


def _encoded(day: NDArray[np.float32]) -> NDArray[np.uint8]:
    result: NDArray[np.uint8] = np.round(srgb_encode(day) * 255).astype(np.uint8)
    return result


def _at(values: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    wide: NDArray[np.float32] = cv2.resize(values, size[1::-1], interpolation=cv2.INTER_LINEAR)
    return wide
