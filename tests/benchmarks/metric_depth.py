"""Nights with metric depth against nights with relative depth, on rendered scenes.

    python -m tests.benchmarks.metric_depth FAMILY:FIRST-LAST... [--night 1]

Both depths are the true ones as a network would hand them over. Relative depth is exact, under an
unknown scale and shift. Metric depth lies along the optical axis, ends at 20 m in rooms and 80 m
outdoors, has an error of 10 % that varies smoothly over the picture, and is shifted by 5 % of the
subject's. A row for each scene, in dB over the best uniformly darkened picture, and sums for rooms
and for the open.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from nightflash.light import light_scene
from nightflash.light.incidence import Incidence
from nightflash.scene.depth import by_the_nearest, scaled
from nightflash.scene.scene import Scene
from nightflash.settings import Settings
from torch import Tensor
from training.families import scene_of
from training.scenes import RenderedScene, relative_inverse_depth
from training.scenes.score import fitted_psnr

Picture = npt.NDArray[np.float32]
SIZE = 480, 320
FARTHEST = {"rooms": 20.0, "outdoors": 80.0}
ERROR, SHIFT = 0.1, 0.05
CELLS = 6  # of the error, over the picture's width
KINDS = ("relative", "metric, exact", "metric", "metric, shifted the other way")


def depth_along_axis(rendered: RenderedScene) -> Picture:
    """(H, W) metres, inf for the sky."""
    h, w = rendered.distance.shape
    focal = w / 2 / math.tan(math.radians(rendered.fov) / 2)
    y, x = np.mgrid[:h, :w] + 0.5
    longer = np.sqrt(1 + ((x - w / 2) ** 2 + (y - h / 2) ** 2) / focal**2)
    return np.asarray(rendered.distance / longer, np.float32)


def as_a_metric_network(rendered: RenderedScene, farthest: float, shift: float = 0.0) -> Tensor:
    """1 / metres (H, W) with the errors named above where ``shift`` is not 0.

    Args:
        rendered: The scene.
        farthest: Metres that the network ends at.
        shift: Added to the depth, in shares of the subject's.
    """
    metres = depth_along_axis(rendered)
    h, w = metres.shape
    if shift:
        draw = np.random.default_rng(rendered.seed)
        cells = draw.standard_normal((CELLS * h // w + 1, CELLS + 1)).astype(np.float32)
        error = cv2.resize(cells, (w, h), interpolation=cv2.INTER_CUBIC)
        metres = metres * (1 + ERROR * error / error.std())
        metres = metres + shift * np.median(metres[rendered.mask > 0.5])
    return torch.from_numpy(1 / metres.clip(0.01, farthest).astype(np.float32))


def scenes(rendered: RenderedScene, farthest: float) -> Iterator[tuple[str, Scene]]:
    """The scene with each kind of depth, all else true."""
    raw = torch.from_numpy(relative_inverse_depth(rendered, np.random.default_rng(rendered.seed)))
    sky = torch.from_numpy(np.isinf(rendered.distance).astype(np.float32))
    yield KINDS[0], _scene(rendered, scaled(raw, sky), None)
    for kind, shift in zip(KINDS[1:], (0.0, SHIFT, -SHIFT), strict=True):
        near, metres = by_the_nearest(as_a_metric_network(rendered, farthest, shift))
        yield kind, _scene(rendered, near * (1 - sky), metres)


def _scene(rendered: RenderedScene, inverse_depth: Tensor, metres: float | None) -> Scene:
    height, width = rendered.mask.shape
    x, y, w, h = (float(v) for v in rendered.box)
    return Scene(
        photo=torch.from_numpy(rendered.day.copy()).permute(2, 0, 1).contiguous(),
        inverse_depth=inverse_depth,
        subject=torch.from_numpy(rendered.mask.copy()),
        box=(x, y, w, h),
        size=(width, height),
        depth_from="truth",
        subject_from="truth",
        metres=metres,
    )


def night_of(scene: Scene, settings: Settings, known: Incidence | None = None) -> Picture:
    """(H, W, 3) linear, lit at the scene's size; ``known`` as `light_scene` has it."""
    light = light_scene(scene, settings, known)
    night: Picture = light.shine(scene.photo, light.maps).permute(1, 2, 0).numpy()
    return night


@dataclass(frozen=True)
class Sum:
    """Figures of several scenes in a line."""

    values: npt.NDArray[np.float64]

    def __str__(self) -> str:
        v = self.values
        return (
            f"median {np.median(v):5.2f}, mean {v.mean():5.2f}, worst {v.min():5.2f},"
            f" {(v < 0).sum()} of {v.size} below 0"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="+", metavar="FAMILY:FIRST-LAST")
    parser.add_argument("--night", type=float, default=0.0)
    options = parser.parse_args()
    settings = Settings(night=options.night)
    rows: dict[str, list[list[float]]] = {where: [] for where in FARTHEST}
    for words in options.seeds:
        family, _, seeds = words.partition(":")
        first, last = (int(seed) for seed in seeds.split("-"))
        where = "rooms" if family == "rooms" else "outdoors"
        for seed in range(first, last + 1):
            rendered = scene_of(family, seed, *SIZE)
            darkened = fitted_psnr(rendered.day, rendered.night)
            kinds = scenes(rendered, FARTHEST[where])
            row = [
                fitted_psnr(night_of(scene, settings), rendered.night) - darkened
                for _, scene in kinds
            ]
            rows[where].append(row)
            print(f"{family} {seed}: " + ", ".join(f"{v:.2f}" for v in row), flush=True)
    for where, found in rows.items():
        for kind, values in zip(KINDS, np.array(found).T, strict=False):
            print(f"{where}, {kind}: {Sum(values)}")


if __name__ == "__main__":
    main()
