"""Small made-up photos and scenes to train on."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from training.collection import FOLDER
from training.configuration import CONFIG
from training.photos import LISTS, Example


@cache
def photos() -> tuple[NDArray[np.uint8], ...]:
    rng = np.random.default_rng(1)
    return tuple(rng.integers(0, 255, (64, 80, 3), np.uint8) for _ in range(3))


def examples() -> list[Example]:
    """Two photos of an object, two of nothing, one of which nothing is known."""
    rng = np.random.default_rng(3)
    depth = np.linspace(0, 65535, 120).astype(np.uint16)[:, None].repeat(150, axis=1)
    made = []
    for i in range(5):
        rgb = rng.integers(0, 256, (240, 300, 3), np.uint8)
        mask = np.zeros((240, 300), np.uint8)
        if i < 2:
            mask[60:180, 80:200] = 255
            rgb[60:180, 80:200] //= 4
        made.append(Example(f"{i}", rgb, mask if i < 4 else None, inverse_depth=depth))
    return made


def scenes() -> list[Example]:
    rng = np.random.default_rng(4)
    depth = np.linspace(0, 65535, 216).astype(np.uint16)[:, None].repeat(288, axis=1)
    mask = np.zeros((216, 288), np.uint8)
    mask[80:140, 100:180] = 255
    return [
        Example(f"{i}", rng.integers(0, 256, (216, 288, 3), np.uint8), mask, None, depth, True)
        for i in range(3)
    ]


def whole_recipe(folder: Path) -> list[str]:
    """Options with which either network is trained on next to nothing, into ``folder``."""
    known = tomllib.loads((LISTS / "subjects.toml").read_text(encoding="utf-8"))
    for i, name in enumerate((next(iter(known["drawn"])), known["none"][0], "unlabelled/001.jpg")):
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photos()[i]).resize((320, 256)).save(path)
    for kind, mode, suffix in (("open", "RGB", "jpg"), ("masks", "L", "png")):
        (folder / "photos" / FOLDER / kind).mkdir(parents=True)
        made = Image.fromarray(photos()[0]).resize((200, 150)).convert(mode)
        made.save(folder / "photos" / FOLDER / kind / f"one.{suffix}")
    config = CONFIG.read_text(encoding="utf-8")
    for name, value in {
        "steps": "2",
        "horizon": "2",
        "warm_up": "1",
        "photo_side": "256",
        r"\w+_scenes": "1",
        "batch": "[1, 1, 1, 1, 1]",
    }.items():
        config = re.sub(rf"^({name}) = [^#\n]*", rf"\1 = {value}", config, flags=re.MULTILINE)
    (folder / "config.toml").write_text(config, encoding="utf-8")
    (folder / "out").mkdir()
    places = {"photos": "photos", "work": "work", "config": "config.toml", "out": "out"}
    return [f"--{option}={folder / name}" for option, name in places.items()] + ["--device=cpu"]
