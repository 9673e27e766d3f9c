"""The photos to learn from, small, with what is known of their main objects."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from nightflash import Engine, NightFlashError, Photo, Settings
from nightflash.imaging.resample import area
from nightflash.photo import read_photo, srgb_encode
from numpy.typing import NDArray

LISTS = Path(__file__).parent / "lists"
FOLDERS = ("daylight", "unlabelled")


@dataclass(frozen=True)
class Example:
    """A picture at training size with what is known of it; maps may differ in size.

    Attributes:
        name: Folder and file name.
        rgb: (h, w, 3) uint8, encoded sRGB.
        mask: (h, w) uint8, 255 on the main object, zero everywhere where there is none; None where
            nothing is known of it.
        sure: (h, w) uint8, 255 where the mask is right, 0 where nobody can tell; None where it is
            right everywhere.
        inverse_depth: (h, w) uint16, relative; None where it is not known.
        exact: Whether it is true, and its zero infinitely far; else it is a teacher's.
    """

    name: str
    rgb: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None = None
    sure: NDArray[np.uint8] | None = None
    inverse_depth: NDArray[np.uint16] | None = None
    exact: bool = False

    @property
    def object_shown(self) -> bool:
        """Whether it is known that there is a main object."""
        return self.mask is not None and int(self.mask.max()) > 127


def in_16_bits(inverse_depth: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Relative inverse depth (h, w), at least 0, with the nearest at 65535."""
    nearest = max(float(inverse_depth.max()), 1e-6)
    result: NDArray[np.uint16] = np.round(
        inverse_depth.astype(np.float32) * (65535 / nearest)
    ).astype(np.uint16)
    return result


def held_apart() -> list[str]:
    """Names of the photos that are never trained on."""
    return _names(LISTS / "held_apart.txt")


def clear_object() -> list[str]:
    """Names of the photos with one clear main object, by which masks are judged."""
    return _names(LISTS / "clear_object.txt")


def no_object() -> list[str]:
    """File names of the photos of the collection by which it is judged whether a network says that
    there is no main object; they are never trained on."""
    return _names(LISTS / "no_object.txt")


def _names(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def training_names(photos: Path) -> list[str]:
    """Names of all photos in ``photos`` that may be trained on.

    Photos that lie in both folders are never in the list of those held apart.
    """
    apart = set(held_apart())
    found = [f"{f}/{p.name}" for f in FOLDERS for p in sorted((photos / f).glob("*.jpg"))]
    return [name for name in found if name not in apart]


def small(photo: Photo, short_side: int, longest: float = 1.8) -> NDArray[np.uint8]:
    """The photo (h, w, 3), encoded, reduced to ``short_side`` pixels.

    Panoramas are cut to ``longest`` times that in their middle.
    """
    scale = short_side / min(photo.width, photo.height)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    encoded = srgb_encode(area(photo.rgb, size).clip(0, 1))
    keep = round(short_side * longest)
    y, x = (max(0, (side - keep) // 2) for side in encoded.shape[:2])
    cut = encoded[y : y + keep, x : x + keep]
    result: NDArray[np.uint8] = np.round(cut * 255).astype(np.uint8)
    return result


def read(photos: Path, weights: Path, short_side: int, cache: Path) -> list[Example]:
    """Read all training photos and find the masks that ``lists/subjects.toml`` speaks of.

    Args:
        photos: Folder with the folders of photos.
        weights: Folder of the weights of the set ``lite``, which finds some of the masks.
        short_side: Pixels.
        cache: Folder in which the small photos are kept for the next time.
    """
    cache.mkdir(parents=True, exist_ok=True)
    known = tomllib.loads((LISTS / "subjects.toml").read_text(encoding="utf-8"))
    by_lite, none = set(known["lite"]), set(known["none"])
    drawn: dict[str, list[list[float]]] = known["drawn"]
    engine: Engine | None = None
    examples = []
    for name in training_names(photos):
        kept = cache / f"{name.replace('/', '-')}-{short_side}.npz"
        if not kept.exists():
            try:
                photo = read_photo(photos / name)
            except NightFlashError:
                continue
            rgb = small(photo, short_side)
            parts = {"rgb": rgb}
            if name in by_lite:
                engine = engine or Engine("lite", weights, "cpu")
                parts["mask"] = _found(engine, rgb)
            elif name in drawn:
                parts["mask"] = outlined(drawn[name], rgb.shape[:2])
            elif name in none:
                parts["mask"] = np.zeros(rgb.shape[:2], np.uint8)
            with kept.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, **parts)
        with np.load(kept) as parts_read:
            examples.append(Example(name, parts_read["rgb"], parts_read.get("mask")))
    return examples


def _found(engine: Engine, encoded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask (h, w) that the engine's networks find by themselves."""
    photo = Photo.from_encoded(encoded)
    subject = engine.analyse(photo, Settings()).subject.cpu().numpy()
    wide = cv2.resize(subject, encoded.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    mask: NDArray[np.uint8] = np.round(wide * 255).astype(np.uint8)
    return mask


def outlined(polygons: Iterable[list[float]], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Fill polygons x, y, x, y ... given in per cent of a picture of ``size`` (h, w)."""
    h, w = size[:2]
    mask = np.zeros((h, w), np.uint8)
    for polygon in polygons:
        corners = np.array(polygon, np.float32).reshape(-1, 2) * np.array(
            [w / 100, h / 100], np.float32
        )
        shape = [np.round(corners * 16).astype(np.int32)]
        cv2.fillPoly(mask, shape, 255, lineType=cv2.LINE_AA, shift=4)
    return mask
