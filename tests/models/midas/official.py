"""The published networks' layouts and results, and the made-up weights that gave the results.

``data`` holds, for each of the five networks, the names, shapes and types in the authors' file of
weights, and what their own code (isl-org/MiDaS at the commit named there, timm 0.6.12) puts out on
the weights and pictures made up by the rules below. ``data/preprocess.json`` holds the sizes and
sampled values of their transforms.
"""

from __future__ import annotations

import json
import math
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

DATA = Path(__file__).parent / "data"
NAMES = (
    "midas_v21_small_256",
    "midas_v21_384",
    "dpt_hybrid_384",
    "dpt_large_384",
    "dpt_swin2_tiny_256",
)
FINAL_BIAS = "scratch.output_conv.4.bias"


@cache
def figures(name: str) -> Any:
    """The figures in ``data`` of a network, or of ``preprocess``."""
    return json.loads((DATA / f"{name}.json").read_text())


def made_up_weights(name: str) -> dict[str, Tensor]:
    """Weights for the authors' names, drawn by the name alone; big values neither grow nor die."""
    return {key: _tensor(key, shape, dtype) for key, shape, dtype in figures(name)["keys"]}


def _tensor(key: str, shape: list[int], dtype: str) -> Tensor:
    if dtype != "float32" or key.endswith("attn_mask"):
        return torch.zeros(shape, dtype=getattr(torch, dtype))
    draw = np.random.default_rng(zlib.crc32(key.encode()))
    value = draw.standard_normal(shape).astype(np.float32)
    if key.endswith(("pos_embed", "cls_token")):
        value *= np.float32(0.5)
    elif len(shape) > 1:
        value *= np.float32(math.sqrt(1.2 / math.prod(shape[1:])))
        if key == "scratch.output_conv.4.weight":
            value = np.abs(value)
    else:
        value = np.float32(0.1) * (np.abs(value) if key.endswith("running_var") else value)
        if key.endswith((".weight", ".running_var")):
            value += np.float32(1.0)
    return torch.from_numpy(value)


def made_up_input(name: str, height: int, width: int) -> Tensor:
    """What goes into a network: (1, 3, height, width) float32, normalised."""
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([0.5 + 0.5 * np.sin(0.07 * (c + 1) * y + 0.11 * x + 0.5 * c) for c in range(3)])
    mean, std = (np.array(figures(name)[key]).reshape(3, 1, 1) for key in ("mean", "std"))
    return torch.from_numpy(((rgb - mean) / std).astype(np.float32))[None]
