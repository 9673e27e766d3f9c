"""The teacher's depth of every photo, computed once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from nightflash.models.descriptor import DepthNetwork
from numpy.typing import NDArray
from tqdm import tqdm

from training.photos import Example, in_16_bits


def with_depth(
    examples: Sequence[Example], teacher: DepthNetwork, device: torch.device, folder: Path
) -> list[Example]:
    """The examples with relative inverse depth as the teacher sees it in the whole photo.

    Args:
        examples: Of names that tell them apart.
        teacher: Sees those photos of which nothing is kept yet.
        device: Where the teacher is.
        folder: Where the depth is kept, a file for each photo; it is made where it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {example.name: folder / f"{example.name.replace('/', '-')}.npy" for example in examples}
    missing = [example for example in examples if not kept[example.name].exists()]
    for example in tqdm(missing, "depth of photos", unit="photo", mininterval=10, disable=None):
        beside = kept[example.name].with_suffix(".part")
        with beside.open("wb") as file:
            np.save(file, _taught(example.rgb, teacher, device), allow_pickle=False)
        beside.replace(kept[example.name])
    return [replace(e, inverse_depth=np.load(kept[e.name])) for e in examples]


def _taught(
    rgb: NDArray[np.uint8], teacher: DepthNetwork, device: torch.device
) -> NDArray[np.uint16]:
    """Inverse depth at half the sides that the teacher gives: its own last step doubles them."""
    picture = torch.from_numpy(rgb).to(device).permute(2, 0, 1).float() / 255
    depth = teacher.inverse_depth(picture).float().cpu().numpy()
    h, w = depth.shape
    return in_16_bits(cv2.resize(depth, (w // 2, h // 2), interpolation=cv2.INTER_AREA))
