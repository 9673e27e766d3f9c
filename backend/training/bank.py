"""Rendered scenes kept on disk: all that is exactly known of them, in few bytes."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nightflash.photo import srgb_encode
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from training.families import FAMILIES, scene_of
from training.scenes.photo_texture import Photos
from training.scenes.render import RenderedScene

LONG, SHORT = 288, 216
NEAREST = 0.3  # metres: what is nearer counts as being there
DARKEST = -16.0  # stops: what is darker counts as being so


@dataclass(frozen=True)
class Rendered:
    """A rendered scene: depth and the main object.

    Attributes:
        rgb: (3, h, w) uint8, encoded sRGB.
        inverse_depth: (h, w) float16, 1 / metres, 0 for the sky.
        mask: (h, w) uint8, 255 on the main object.
    """

    rgb: Tensor
    inverse_depth: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Exact(Rendered):
    """A rendered scene with its light; stops are log2 of linear light.

    Attributes:
        night: (3, h, w) uint8, encoded sRGB.
        albedo: (3, h, w) uint8, encoded sRGB; 0 for the sky.
        normal: (3, h, w) int8, 127 times the unit normal.
        things: (h, w) uint8, 0 the sky, 1 the surroundings, from 2 on the objects.
        sun: (h, w) uint8, 255 where the sun shines.
        day_stops: (3, h, w) float16, exposed light of the day on the surfaces.
        flash_stops: (h, w) float16, white light straight from the flash, before exposure.
        bounce_stops: (3, h, w) float16, light of the flash by way of other surfaces, likewise.
        main: Number of the main object in ``things``, 0 where there is none.
        flash_gain: Exposure of the flash's light.
        subject_distance: Of the main object in metres, inf where there is none.
        fov: Horizontal field of view in degrees.
    """

    night: Tensor
    albedo: Tensor
    normal: Tensor
    things: Tensor
    sun: Tensor
    day_stops: Tensor
    flash_stops: Tensor
    bounce_stops: Tensor
    main: int
    flash_gain: float
    subject_distance: float
    fov: float


def rendered(
    folder: Path, wild: int, plausible: int, photos: Photos, rooms: int = 0, figures: int = 0
) -> list[Rendered]:
    """Read the scenes in ``folder``, rendering those that are not there yet.

    Args:
        folder: Is made where it is not there.
        wild: How many scenes of wide variety.
        plausible: How many of the kind that the tests render, from other seeds.
        photos: (h, w, 3) encoded pictures from which surfaces are cut.
        rooms: How many rooms.
        figures: How many scenes of people, vehicles and statues outdoors.
    """
    counts = {"wild": wild, "plausible": plausible, "rooms": rooms, "figures": figures}
    return [read(path) for path in filled(folder, counts, photos)]


def filled(folder: Path, counts: dict[str, int], photos: Photos) -> list[Path]:
    """Files of the first scenes for training of each family, rendered where they are missing.

    Args:
        folder: Is made where it is not there.
        counts: How many of which family.
        photos: (h, w, 3) encoded pictures from which surfaces are cut.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scenes = [(f, seed) for f, n in counts.items() for seed in FAMILIES[f].training[:n]]
    missing = [(f, seed) for f, seed in scenes if not file_of(folder, f, seed).exists()]
    if missing:
        with multiprocessing.Pool(os.cpu_count(), _Renderer.set, (folder, photos)) as pool:
            work = pool.imap_unordered(_Renderer.render, missing, chunksize=4)
            for _ in tqdm(work, "rendering scenes", len(missing), unit="scene", mininterval=10):
                pass
    return [file_of(folder, family, seed) for family, seed in scenes]


def file_of(folder: Path, family: str, seed: int) -> Path:
    """Where a scene is kept."""
    return folder / f"{family}-{seed}.npz"


class _Renderer:
    """What each process of the pool knows: sent once, not with every scene."""

    folder: Path
    photos: Photos

    @classmethod
    def set(cls, folder: Path, photos: Photos) -> None:
        cls.folder, cls.photos = folder, photos

    @classmethod
    def render(cls, scene: tuple[str, int]) -> None:
        family, seed = scene
        upright = family != "plausible" and seed % 4 == 0
        size = (SHORT, LONG) if upright else (LONG, SHORT)
        keep(scene_of(family, seed, *size, cls.photos), file_of(cls.folder, family, seed))


def keep(scene: RenderedScene, path: Path) -> None:
    """Write a scene beside ``path`` and rename it, so that no half file is ever read."""
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            rgb=_bytes(srgb_encode(scene.day)),
            inverse_depth=(1 / np.maximum(scene.distance, NEAREST)).astype(np.float16),
            mask=_bytes(scene.mask),
            night=_bytes(srgb_encode(scene.night)),
            albedo=_bytes(srgb_encode(scene.albedo)),
            normal=np.round(scene.normal * 127).astype(np.int8),
            things=scene.things,
            sun=_bytes(scene.sun),
            day_stops=_stops(scene.day_shading),
            flash_stops=_stops(scene.flash_shading[..., 0]),
            bounce_stops=_stops(scene.flash_bounce),
            main=scene.main,
            flash_gain=scene.flash_gain,
            subject_distance=scene.subject_distance,
            fov=scene.fov,
        )
    beside.replace(path)


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    result: NDArray[np.uint8] = np.round(values * 255).astype(np.uint8)
    return result


def _stops(light: NDArray[np.float32]) -> NDArray[np.float16]:
    result: NDArray[np.float16] = np.log2(np.maximum(light, 2.0**DARKEST)).astype(np.float16)
    return result


def read(path: Path) -> Rendered:
    """Depth and the main object of a scene that is kept."""
    with np.load(path) as parts:
        return Rendered(**{f.name: _tensor(parts[f.name]) for f in fields(Rendered)})


def read_exact(path: Path) -> Exact:
    """All of a scene that is kept."""
    with np.load(path) as parts:
        known: dict[str, Any] = {f.name: parts[f.name] for f in fields(Exact)}
    for name, value in known.items():
        known[name] = _tensor(value) if value.ndim else value.item()
    return Exact(**known)


def _tensor(values: NDArray[np.generic]) -> Tensor:
    """Maps as they are, pictures with their channels first."""
    tensor = torch.from_numpy(values)
    return tensor.permute(2, 0, 1).contiguous() if values.ndim == 3 else tensor
