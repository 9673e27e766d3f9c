"""Pictures of what happened in between, for the curious."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from nightflash.engine.night import Night
from nightflash.imaging.colour import decode
from nightflash.photo import Photo, write_photo


def views(night: Night) -> dict[str, npt.NDArray[np.float32]]:
    """Depth, mask, target and, after refinement, refined picture: name to (h, w, 3) linear."""
    scene = night.scene
    pictures = {
        "depth": decode(scene.inverse_depth.clamp(0, 1)).expand(3, -1, -1),
        "mask": decode(scene.subject).expand(3, -1, -1),
        "target": night.light.target,
    }
    if night.refined is not None:
        pictures["refined"] = night.refined
    return {name: _rows(picture) for name, picture in pictures.items()}


def write_debug(files: Mapping[str, Path], night: Night) -> None:
    """Write each of ``views`` to the file of its name."""
    for name, picture in views(night).items():
        write_photo(files[name], Photo.from_linear(picture), keep="nothing")


def _rows(picture: Tensor) -> npt.NDArray[np.float32]:
    rows: npt.NDArray[np.float32] = np.ascontiguousarray(picture.permute(1, 2, 0).cpu().numpy())
    return rows
