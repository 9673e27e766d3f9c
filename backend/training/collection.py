"""The collection of small free photos with masks of a teacher and of people.

    open/NAME.jpg         photos to learn from
    true_masks/NAME.png   masks by people: 0 background, 255 object, 128 uncertain
    masks/NAME.png        soft masks by the teacher

``apart``, the photos that are for judging alone, is never read here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.photos import Example, no_object

FOLDER = "training"  # in the folder of the folders of photos
STOPPING = 200
UNCERTAIN = 128


def collected(folder: Path, more_masks: Path) -> list[Example]:
    """Decode the photos in ``folder/open`` with what is known of their main objects.

    Those of ``lists/no_object.txt`` are for judging, and left out.

    All of them take a few seconds, so nothing is kept for the next time.

    Args:
        folder: Of the collection; it need not be there.
        more_masks: Folder of masks of the teacher besides those of the collection.
    """
    masks = (folder / "masks", more_masks)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        read = partial(_read, by_people=folder / "true_masks", by_teacher=masks)
        judged_by = set(no_object())
        photos = [p for p in sorted((folder / "open").glob("*.jpg")) if p.name not in judged_by]
        return list(pool.map(read, photos))


def for_stopping(examples: Iterable[Example]) -> list[Example]:
    """Those that tell when to stop, and are never trained on.

    The rule: of the names of the files, the 200 with the least SHA-256.
    """

    def digest(example: Example) -> str:
        return hashlib.sha256(example.name.rpartition("/")[2].encode()).hexdigest()

    return sorted(examples, key=digest)[:STOPPING]


def _read(path: Path, by_people: Path, by_teacher: Iterable[Path]) -> Example:
    name, mask_name = f"open/{path.name}", f"{path.stem}.png"
    rgb: NDArray[np.uint8] = cv2.cvtColor(_decoded(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    if (by_people / mask_name).is_file():
        mask = _decoded(by_people / mask_name, cv2.IMREAD_GRAYSCALE)
        uncertain = mask == UNCERTAIN
        sure = np.where(uncertain, np.uint8(0), np.uint8(255)) if uncertain.any() else None
        return Example(name, rgb, np.where(mask > UNCERTAIN, np.uint8(255), np.uint8(0)), sure)
    for folder in by_teacher:
        if (folder / mask_name).is_file():
            return Example(name, rgb, _decoded(folder / mask_name, cv2.IMREAD_GRAYSCALE))
    return Example(name, rgb)


def _decoded(path: Path, how: int) -> NDArray[np.uint8]:
    """Read (h, w, 3) or (h, w).

    Raises:
        ValueError: The file is no picture.
    """
    picture: NDArray[np.uint8] | None = cv2.imdecode(np.fromfile(path, np.uint8), how)
    if picture is None:
        raise ValueError(f"{path} is no picture.")
    return picture
