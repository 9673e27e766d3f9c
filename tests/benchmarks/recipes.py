"""The presets beside the recipes by which people turn day into night, on a contact sheet.

    python -m tests.benchmarks.recipes OUT.png [PHOTO...] [--networks auto] [--weights DIR]

Without photos, six rendered scenes. Below each picture: median of encoded luma at its edge, and
share of it that is dark, as in real photos with flash 0.06 and 0.50.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from nightflash import Engine, Photo, Settings
from nightflash.photo import read_photo, srgb_decode, srgb_encode
from nightflash.presets import PRESETS, settings_of
from PIL import Image
from training.families import scene_of

from tests.quality import Picture, at_most, contact_sheet, luminance, thumb

LARGEST = 0.5  # megapixels
SCENES = (("plausible", 3), ("plausible", 7), ("figures", 2003), ("figures", 2005))
ROOMS = (("rooms", 1002), ("rooms", 1004))
DARK = 0.15  # encoded


def curve(encoded: Picture) -> Picture:
    """Exposure pulled down by a curve, contrast raised."""
    dark: Picture = (0.45 * encoded**1.8).astype(np.float32)
    return dark


def blue_filter(encoded: Picture) -> Picture:
    """Day for night of old films: two stops under, through a blue filter."""
    grey = encoded.mean(2, keepdims=True)
    pale = 0.5 * encoded + 0.5 * grey
    blue: Picture = (pale * np.float32([0.30, 0.42, 0.72])).astype(np.float32)
    return blue


def night_vision(encoded: Picture) -> Picture:
    """Green of an image intensifier."""
    grey = encoded @ np.float32([0.3, 0.59, 0.11])
    green: Picture = grey[..., None] * np.float32([0.15, 0.85, 0.2])
    return green


def vignette(encoded: Picture) -> Picture:
    """The curve with dark corners and a bright middle, wherever the subject is."""
    h, w = encoded.shape[:2]
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    middle = np.exp(-((x / 0.7) ** 2 + (y / 0.7) ** 2)).astype(np.float32)[..., None]
    lit: Picture = encoded * middle + 0.3 * curve(encoded) * (1 - middle)
    return lit


RECIPES: tuple[Callable[[Picture], Picture], ...] = (curve, blue_filter, night_vision, vignette)


def nightness(encoded: Picture) -> tuple[float, float]:
    """Median luma of the outer eighth at the top and the sides; share of dark luma."""
    luma = luminance(encoded)
    h, w = luma.shape
    edge = (luma[: h // 8], luma[:, : w // 8], luma[:, -(w // 8) :])
    return float(np.median(np.concatenate([e.ravel() for e in edge]))), float((luma < DARK).mean())


def shown(linear: Picture, name: str) -> Image.Image:
    """A tile with the picture, its name and how far it reads as night."""
    edge, dark = nightness(srgb_encode(linear.clip(0, 1)))
    return thumb(linear, f"{name}   edge {edge:.2f} dark {dark:.2f}")


def photos(paths: list[Path]) -> Iterator[tuple[str, Photo]]:
    """The photos named, or the rendered scenes, at most LARGEST."""
    for path in paths:
        yield path.stem, at_most(read_photo(path), LARGEST)
    for family, seed in () if paths else SCENES + ROOMS:
        yield f"{family} {seed}", Photo.from_linear(scene_of(family, seed, 640, 480).day)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--networks", default="auto")
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    engine = Engine(options.networks, options.weights)
    rows = []
    for name, day in photos(options.photos):
        encoded = srgb_encode(day.rgb.clip(0, 1))
        row = [shown(day.rgb, name)]
        row += [shown(srgb_decode(recipe(encoded)), recipe.__name__) for recipe in RECIPES]
        for preset in PRESETS:
            settings = Settings.from_values({"quality": "fast"}, settings_of(preset))
            row.append(shown(engine.render(day, settings).photo.rgb, preset))
        rows.append(row)
    contact_sheet(rows).save(options.out)


if __name__ == "__main__":
    main()
