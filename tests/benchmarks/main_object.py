"""How well the main object is found, against masks made by people.

    python -m tests.benchmarks.main_object PHOTOS MASKS [--networks auto] [--weights DIR]

MASKS has a PNG of the photo's name for each photo of PHOTOS that counts: 0 background, 255 object,
128 uncertain, which is left out. The masks are those of the whole product, at its working size.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from nightflash import Engine, Settings
from nightflash.photo import read_photo
from numpy.typing import NDArray
from PIL import Image

GOOD = 0.7  # intersection over union


def truth_of(mask: Path) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where a mask by people says object, and where it is certain (h, w)."""
    with Image.open(mask) as picture:
        grey = np.asarray(picture.convert("L"))
    return grey > 128, grey != 128


def with_mask(photos: Path, masks: Path, begin: str = "") -> list[Path]:
    """Photos of a folder that have a mask and whose names begin so."""
    named = sorted(photos.glob(f"{begin}*"))
    return [photo for photo in named if (masks / f"{photo.stem}.png").exists()]


def figures(found: NDArray[np.float32], mask: Path) -> tuple[float, float]:
    """Mean absolute error, and intersection over union at a half, of a mask (h, w) 0..1."""
    truth, known = truth_of(mask)
    wide = cv2.resize(found, truth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    inside = wide > 0.5
    both, either = (inside & truth & known).sum(), ((inside | truth) & known).sum()
    return float(np.abs(wide - truth)[known].mean()), float(both / max(either, 1))


def main() -> None:
    """Print the figures of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("--networks", default="auto")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    engine = Engine(options.networks, options.weights, "cpu")
    measured, clear = [], 0
    for photo in with_mask(options.photos, options.masks)[: options.limit]:
        scene = engine.analyse(read_photo(photo), Settings())
        measured.append(figures(scene.subject.cpu().numpy(), options.masks / f"{photo.stem}.png"))
        clear += not scene.note
    errors, overlaps = np.array(measured).T
    print(
        f"{len(measured)} photos, {engine.networks['subject']}, {clear} said to have a clear object"
    )
    print(f"MAE {errors.mean():.3f}, IoU {overlaps.mean():.3f} (median {np.median(overlaps):.3f})")
    print(f"IoU of {GOOD} or more: {(overlaps >= GOOD).mean():.0%}")


if __name__ == "__main__":
    main()
