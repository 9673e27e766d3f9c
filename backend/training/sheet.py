"""A contact sheet of rendered scenes, to be looked at.

    python -m training.sheet OUT.png [--family rooms] [--count 12] [--first SEED]
        [--photos FOLDER] [--all]

from the folder ``backend``. Each scene by day, at night and its inverse depth; with ``--all`` also
albedo, the light by day and of the flash in stops, and the objects.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.families import FAMILIES, scene_of
from training.scenes.example import encoded
from training.scenes.render import RenderedScene

GAP = 4  # pixels between scenes


def pictures(scene: RenderedScene, everything: bool = False) -> list[NDArray[np.uint8]]:
    """What a sheet shows of a scene, each (H, W, 3)."""
    shown = [encoded(scene.day), encoded(scene.night), _grey(scene.inverse_depth)]
    if everything:
        shown.append(encoded(scene.albedo))
        for stops in (scene.log_day_shading, scene.log_flash_shading):
            shown.append(_grey(np.maximum(stops, stops.max() - 10)))
        colours = np.random.default_rng(3).integers(40, 255, (256, 3), np.uint8)
        colours[0], colours[1] = 0, 90
        colours[scene.main] = 255
        shown.append(colours[scene.things])
    return shown


def _grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(np.percentile(values, 99.5))
    level = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    return np.repeat((level * 255).astype(np.uint8)[..., None], 3, axis=2)


def sheet(rows: Sequence[Sequence[NDArray[np.uint8]]], columns: int = 2) -> NDArray[np.uint8]:
    """Scenes as strips of pictures, `columns` of them side by side."""
    strips = [np.concatenate(row, axis=1) for row in rows]
    strips += [np.zeros_like(strips[0])] * (-len(strips) % columns)
    framed = [np.pad(s, ((0, GAP), (0, GAP), (0, 0))) for s in strips]
    lines = [
        np.concatenate(framed[k : k + columns], axis=1) for k in range(0, len(framed), columns)
    ]
    return np.concatenate(lines)


def main() -> None:
    """Read the command line and write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m training.sheet", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--family", choices=tuple(FAMILIES), default="rooms")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--first", type=int, help="the first seed; else the first for training")
    parser.add_argument("--photos", type=Path, help="folder of photos for the surfaces")
    parser.add_argument("--width", type=int, default=288)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    names = sorted(options.photos.glob("*.jpg"))[::25] if options.photos else []
    photos = [np.asarray(Image.open(name).convert("RGB")) for name in names]
    first = FAMILIES[options.family].training.start if options.first is None else options.first
    height = options.width * 3 // 4
    rows = []
    for seed in range(first, first + options.count):
        scene = scene_of(options.family, seed, options.width, height, photos)
        rows.append(pictures(scene, options.all))
        print(seed, scene.name)
    Image.fromarray(sheet(rows, 1 if options.all else 2)).save(options.out)


if __name__ == "__main__":
    main()
