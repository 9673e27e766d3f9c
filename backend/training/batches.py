"""What the scene network sees in one step: photos, objects on other photos, rendered scenes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from training.augment import Bytes, View, other_light
from training.photos import Example

T = TypeVar("T")

KINDS = ("any", "known", "pasted", "rendered", "plausible")
SIZES = ((256, 320), (256, 320), (320, 256), (288, 288), (256, 352))
LEAST_PHOTO, LEAST_SCENE = 0.55, 0.7  # of the sides of the largest part that fits
NOTHING = 0.01  # of the picture: a photo with less of a main object is one to put others onto
HALF_KNOWN = 0.3  # of the object's share before: with less of it in view the mask tells nothing


@dataclass(frozen=True)
class Batch:
    """Pictures and what is known of them.

    Attributes:
        rgb: (N, 3, H, W) encoded 0..1, ``channels_last``.
        mask: (N, H/2, W/2), 0..1.
        sure: (N, H/2, W/2), 0..1: how much the mask counts; nothing where it is not known.
        inverse_depth: (N, H/2, W/2), at least 0, relative.
        taught: (N,) whether that is a teacher's.
        exact: (N,) whether it is true; where neither, it is not known.
    """

    rgb: Tensor
    mask: Tensor
    sure: Tensor
    inverse_depth: Tensor
    taught: Tensor
    exact: Tensor


@dataclass(frozen=True)
class Drawn:
    """A batch as it is prepared: in bytes, a quarter of the memory, on the CPU.

    Attributes:
        rgb: (N, H, W, 3) uint8.
        maps: (3, N, H/2, W/2) float32: the mask, how sure it is, inverse depth.
        taught, exact: (N,) of bool.
    """

    rgb: Bytes
    maps: NDArray[np.float32]
    taught: NDArray[np.bool_]
    exact: NDArray[np.bool_]

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        rgb = torch.from_numpy(self.rgb).to(device).permute(0, 3, 1, 2).float() / 255
        maps = torch.from_numpy(self.maps).to(device).unbind()
        flags = (torch.from_numpy(flags).to(device) for flags in (self.taught, self.exact))
        return Batch(rgb, *maps, *flags)


class Batches:
    """Draws batches; the same step gives the same batch. Each thread prepares pictures of it.

    Args:
        photos: Examples to learn from.
        scenes: Rendered ones.
        plausible: Those of them that show what may well be.
        seed: Of the draw.
    """

    def __init__(
        self,
        photos: Sequence[Example],
        scenes: Sequence[Example],
        plausible: Sequence[Example],
        seed: int,
    ) -> None:
        self._seed = seed
        known = [photo for photo in photos if photo.mask is not None]
        self._of = {"any": photos, "known": known, "rendered": scenes, "plausible": plausible}
        self._objects = [photo for photo in known if photo.object_shown]
        self._empty = [photo for photo in known if _share(photo.mask) < NOTHING]
        self._pool = ThreadPoolExecutor(torch.get_num_threads())

    def at(self, step: int, counts: Sequence[int], sizes: Sequence[Sequence[int]] = SIZES) -> Drawn:
        """The batch of a step.

        Args:
            step: The same gives the same batch.
            counts: How many of each of ``KINDS``: photos, photos of known objects, objects on
                other photos, rendered scenes, and plausible ones.
            sizes: (height, width) of pictures, multiples of 32; one is drawn for the batch.
        """
        rng = np.random.default_rng((self._seed, step))
        height, width = sizes[int(rng.integers(len(sizes)))]
        size = height, width
        kinds = np.repeat(np.array(KINDS), counts)
        seen = list(self._pool.map(self._seen, kinds, rng.spawn(len(kinds)), repeat(size)))
        examples, pictures, maps = zip(*seen, strict=True)
        return Drawn(
            rgb=np.stack(pictures),
            maps=np.stack(maps, axis=1),
            taught=np.array([e.inverse_depth is not None and not e.exact for e in examples]),
            exact=np.array([e.exact for e in examples]),
        )

    def _seen(
        self, kind: str, rng: Generator, size: tuple[int, int]
    ) -> tuple[Example, Bytes, NDArray[np.float32]]:
        example = (
            paste(_one(self._objects, rng), _one(self._empty, rng), rng)
            if kind == "pasted"
            else _one(self._of[kind], rng)
        )
        return example, *seen(example, size, rng)


def _share(mask: Bytes | None) -> float:
    """Of the picture, how much is taken for the main object."""
    return 0.0 if mask is None else float((mask > 127).mean())


def _one(of: Sequence[T], rng: Generator) -> T:
    return of[int(rng.integers(len(of)))]


def seen(
    example: Example, size: tuple[int, int], rng: Generator
) -> tuple[Bytes, NDArray[np.float32]]:
    """A view of an example in another light, and its maps (3, H/2, W/2) as in ``Drawn``."""
    least = LEAST_SCENE if example.exact else LEAST_PHOTO
    view = View.draw(example.rgb.shape, size, least, rng)
    half = (size[0] // 2, size[1] // 2)
    maps = np.zeros((3, *half), np.float32)
    if example.mask is not None:
        part = view.of(example.mask)
        before, after = float(example.mask.mean()), float(part.mean())
        if before == 0 or after >= HALF_KNOWN * before:
            maps[0] = _halved(part) / np.float32(255)
            maps[1] = 1 if example.sure is None else _halved(view.of(example.sure)) / 255
    if example.inverse_depth is not None:
        maps[2] = _halved(view.of(example.inverse_depth)) / np.float32(65535)
    return other_light(np.ascontiguousarray(view.of(example.rgb)), rng), maps


def _halved(plane: NDArray[Any]) -> NDArray[Any]:
    h, w = plane.shape
    result: NDArray[Any] = cv2.resize(plane, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    return result


def paste(source: Example, onto: Example, rng: Generator) -> Example:
    """Cut an object out of one photo and put it into another, somewhere about the middle.

    How far off it stands there is not known.
    """
    assert source.mask is not None
    x, y, wide, tall = cv2.boundingRect((source.mask > 32).view(np.uint8))
    box = np.s_[y : y + tall, x : x + wide]
    part = np.dstack([source.rgb[box], source.mask[box]])
    h, w = onto.rgb.shape[:2]
    scale = rng.uniform(0.25, 0.8) * min(h / tall, w / wide)
    tall, wide = (max(8, round(side * scale)) for side in (tall, wide))
    cut = cv2.resize(part, (wide, tall), interpolation=cv2.INTER_AREA).astype(np.float32)
    if rng.uniform() < 0.5:
        cut = cut[:, ::-1]
    top = round(rng.uniform(0.15, 0.95) * (h - tall))
    left = round(rng.uniform(0.05, 0.95) * (w - wide))
    there = np.s_[top : top + tall, left : left + wide]
    ground = onto.rgb[there].astype(np.float32)
    # Half of the way to the brightness of where it stands now.
    gain = (ground.mean() / max(float(cut[..., :3].mean()), 5.0)) ** rng.uniform(0, 0.6)
    alpha = cv2.blur(cut[..., 3], (3, 3), borderType=cv2.BORDER_REFLECT) / np.float32(255)
    lit = np.minimum(cut[..., :3] * np.float32(gain), 255)
    rgb, mask = onto.rgb.copy(), np.zeros((h, w), np.uint8)
    rgb[there] = np.round(ground + (lit - ground) * alpha[..., None]).astype(np.uint8)
    mask[there] = np.round(alpha * 255).astype(np.uint8)
    return Example(f"{source.name} on {onto.name}", rgb, mask)
