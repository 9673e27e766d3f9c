"""Rendered scenes kept on disk: exact inverse depth, exact masks of the main object."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from nightflash.photo import srgb_encode
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from training.scenes.composition import compose
from training.scenes.render import RenderedScene, render
from training.wild import wild_scene

LONG, SHORT = 288, 216
PLAUSIBLE_FROM, WILD_FROM = 10_000, 100_000  # first seeds; tests use those below 1,000
NEAREST = 0.3  # metres: what is nearer counts as being there


@dataclass(frozen=True)
class Rendered:
    """A rendered scene.

    Attributes:
        rgb: (3, h, w) uint8, encoded sRGB.
        inverse_depth: (h, w) float16, 1 / metres, 0 for the sky.
        mask: (h, w) uint8, 255 on the main object.
    """

    rgb: Tensor
    inverse_depth: Tensor
    mask: Tensor


def rendered(
    folder: Path, wild: int, plausible: int, photos: Sequence[NDArray[np.uint8]]
) -> list[Rendered]:
    """Read the scenes in ``folder``, rendering those that are not there yet.

    Args:
        folder: Is made where it is not there.
        wild: How many scenes of wide variety.
        plausible: How many of the kind that the tests render, from other seeds.
        photos: (h, w, 3) encoded pictures from which the wild ones' surfaces are cut.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [WILD_FROM + i for i in range(wild)]
    seeds += [PLAUSIBLE_FROM + i for i in range(plausible)]
    missing = [seed for seed in seeds if not _file(folder, seed).exists()]
    if missing:
        with multiprocessing.Pool(os.cpu_count(), _Renderer.set, (folder, photos)) as pool:
            work = pool.imap_unordered(_Renderer.render, missing, chunksize=4)
            for _ in tqdm(work, "rendering scenes", len(missing), unit="scene", mininterval=10):
                pass
    return [_read(_file(folder, seed)) for seed in seeds]


def _file(folder: Path, seed: int) -> Path:
    return folder / f"{seed}.npz"


class _Renderer:
    """What each process of the pool knows: sent once, not with every scene."""

    folder: Path
    photos: Sequence[NDArray[np.uint8]]

    @classmethod
    def set(cls, folder: Path, photos: Sequence[NDArray[np.uint8]]) -> None:
        cls.folder, cls.photos = folder, photos

    @classmethod
    def render(cls, seed: int) -> None:
        width, height = (LONG, SHORT) if seed % 4 else (SHORT, LONG)
        day = (
            wild_scene(seed, width, height, cls.photos)
            if seed >= WILD_FROM
            else render(compose(seed, LONG / SHORT), LONG, SHORT, seed=seed)
        )
        keep(day, _file(cls.folder, seed))


def keep(day: RenderedScene, path: Path) -> None:
    """Write a scene beside ``path`` and rename it, so that no half file is ever read."""
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            rgb=np.round(srgb_encode(day.day) * 255).astype(np.uint8),
            inverse_depth=(1 / np.maximum(day.distance, NEAREST)).astype(np.float16),
            mask=np.round(day.mask * 255).astype(np.uint8),
        )
    beside.replace(path)


def _read(path: Path) -> Rendered:
    with np.load(path) as parts:
        return Rendered(
            rgb=torch.from_numpy(parts["rgb"]).permute(2, 0, 1).contiguous(),
            inverse_depth=torch.from_numpy(parts["inverse_depth"]),
            mask=torch.from_numpy(parts["mask"]),
        )
