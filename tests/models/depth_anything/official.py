"""The published networks' layouts and results, and the made-up weights that gave the results.

``data`` holds the names and shapes in the authors' file of weights and in transformers', what the
authors' own code (DepthAnything/Depth-Anything-V2 at the commit named there) puts out on the
weights and pictures made up by the rules below, and sizes and sampled values of its transforms.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

DATA = Path(__file__).parent / "data"
LAST_WEIGHT = "depth_head.scratch.output_conv2.2.weight"
FINAL_BIAS = "depth_head.scratch.output_conv2.2.bias"


@cache
def figures(name: str) -> Any:
    """The figures in ``data`` of that name."""
    return json.loads((DATA / f"{name}.json").read_text())


def made_up_weights(which: str = "relative") -> dict[str, Tensor]:
    """Weights for the authors' names, drawn by the name alone; big values neither grow nor die.

    Relative and metric ones differ in the last layer: negative values would vanish in the ReLU.
    """
    relative = which == "relative"
    return {key: _tensor(key, shape, relative) for key, shape in figures("layout")["official"]}


def _tensor(key: str, shape: list[int], relative: bool) -> Tensor:
    draw = np.random.default_rng(zlib.crc32(key.encode()))
    value = draw.standard_normal(shape).astype(np.float32)
    if key.endswith(("pos_embed", "cls_token")):
        value *= np.float32(0.5)
    elif len(shape) > 1:
        value *= np.float32(math.sqrt(1.2 / math.prod(shape[1:])))
        if key == LAST_WEIGHT and relative:
            value = np.abs(value)
    else:
        value *= np.float32(0.1)
        if key.endswith((".weight", ".gamma")):
            value += np.float32(1.0)
    return torch.from_numpy(value)


def in_transformers_layout(official: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights under the names of the safetensors files, by the table in ``data``."""
    state = {}
    for key, name, rows in figures("layout")["transformers"]:
        tensor = official[name]
        state[key] = tensor if rows is None else tensor[rows[0] : rows[1]].clone()
    return state


def write_own(path: Path, state: dict[str, Tensor]) -> Path:
    """Write a file in the layout of its ending, and the note that makes its hash known."""
    if path.suffix == ".safetensors":
        save_file(in_transformers_layout(state), path)
    else:
        torch.save(state, path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
    return path


def made_up_input(height: int, width: int) -> Tensor:
    """What goes into a network: (1, 3, height, width) float32, normalised."""
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([0.5 + 0.5 * np.sin(0.07 * (c + 1) * y + 0.11 * x + 0.5 * c) for c in range(3)])
    mean, std = (np.array(figures("relative")[key]).reshape(3, 1, 1) for key in ("mean", "std"))
    return torch.from_numpy(((rgb - mean) / std).astype(np.float32))[None]
