"""How well a scene network does on photos it does not learn from, to know when to stop."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import cv2
import numpy as np
import torch
from nightflash.models.resize import network_size
from numpy.typing import NDArray
from torch import Tensor

from training.figures import iou, spearman
from training.photos import Example

AT_ONCE = 8  # pictures

Array = NDArray[np.float32]
See = Callable[[Tensor], tuple[Tensor, Tensor]]


def judged(
    see: See, examples: Iterable[Example], device: torch.device, short_side: int, multiple_of: int
) -> dict[str, float]:
    """Figures of a network by what is known of photos, each a mean over those that tell it.

    Args:
        see: From (N, 3, H, W) encoded, 0..1, gives relative inverse depth and how likely each place
            is the main object, 0..1, both (N, h, w).
        examples: The photos.
        device: Where the network is.
        short_side, multiple_of: Of the pictures' sides, as the network shall see them.

    Returns:
        ``iou``, intersection over union of masks cut at a half, where there is an object; ``mae``,
        mean absolute error of masks, 0..1; ``spearman``, rank correlation of depth; ``score``, by
        which one network is better than another: ``iou - mae + spearman``. Where no photo tells a
        figure, it is 0.
    """

    def size(example: Example) -> tuple[int, int]:
        height, width = example.rgb.shape[:2]
        return network_size(height, width, short_side, multiple_of)

    found: dict[str, list[float]] = {"iou": [], "mae": [], "spearman": []}
    for at_size, alike in groupby(sorted(examples, key=size), key=size):
        for some in _in_parts(list(alike)):
            pictures = np.stack([_resized(example.rgb, at_size) for example in some])
            rgb = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2) / 255
            with torch.no_grad():
                depths, masks = (maps.float().cpu().numpy() for maps in see(rgb))
            for example, depth, mask in zip(some, depths, masks, strict=True):
                for name, figure in _figures(example, depth, mask):
                    found[name].append(figure)
    means = {name: statistics.fmean(values) if values else 0.0 for name, values in found.items()}
    return means | {"score": means["iou"] - means["mae"] + means["spearman"]}


def _figures(example: Example, depth: Array, mask: Array) -> Iterator[tuple[str, float]]:
    """What one photo tells of the depth and the mask (h, w) that a network gives it."""
    if example.inverse_depth is not None:
        yield "spearman", spearman(depth, _resized(example.inverse_depth, depth.shape))
    if example.mask is not None:
        truth = _resized(example.mask, mask.shape) / np.float32(255)
        if example.sure is not None:
            sure = _resized(example.sure, mask.shape) > 127
            mask, truth = mask[sure], truth[sure]
        yield "mae", float(np.abs(mask - truth).mean())
        if (truth > 0.5).any():
            yield "iou", iou(mask, truth)


def _in_parts(examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
    return (examples[i : i + AT_ONCE] for i in range(0, len(examples), AT_ONCE))


def _resized(plane: NDArray[Any], size: tuple[int, ...]) -> Array:
    smaller = size[0] * size[1] < plane.shape[0] * plane.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    result: Array = cv2.resize(plane.astype(np.float32), size[1::-1], interpolation=how)
    return result
