"""Nights by a flash beside the lens in rendered rooms, with the subject's own shadow and without.

    python -m tests.benchmarks.own_shadow FIRST-LAST

Each room is rendered with the flash to the right of the lens by the arm of ``light/bracket.py``. In
dB over the best uniformly darkened picture: lit as from the camera, as from the right but without
the shadow, and as from the right; with true depth and mask, then with the built-in networks.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from nightflash import Engine, Photo, Settings
from nightflash.light.bracket import ARM, PLACES
from nightflash.light.incidence import incidence
from nightflash.scene import Scene
from training.scenes import RenderedScene
from training.scenes.geometry import vector
from training.scenes.render import render
from training.scenes.rooms import compose_room
from training.scenes.score import fitted_psnr

from tests.benchmarks.metric_depth import Picture, night_of, scenes

SIZE = 360, 240
PHYSICS = Settings(night=0.0, flash_from="right")
WAYS = ("as from the camera", "from the right, no shadow", "from the right")


def lit_from_the_right(seed: int, width: int, height: int) -> RenderedScene:
    """A room whose flash stands beside the lens, an ``ARM`` of the subject's distance away."""
    room = compose_room(seed, width / height)
    by_the_lens = render(room, width, height, seed=seed)
    away = float(np.median(by_the_lens.distance[by_the_lens.mask > 0.5]))
    place = room.camera.position + vector(ARM * away, 0, 0)
    beside = replace(room, flash=replace(room.flash, position=place))
    return render(beside, width, height, seed=seed)


def nights(scene: Scene) -> list[Picture]:
    """``WAYS`` to light a scene: (H, W, 3) linear."""
    right = incidence(scene, PLACES["right"])
    return [
        night_of(scene, replace(PHYSICS, flash_from="camera")),
        night_of(scene, PHYSICS, replace(right, shadow=None)),
        night_of(scene, PHYSICS, right),
    ]


def gains(rendered: RenderedScene, scene: Scene) -> npt.NDArray[np.float64]:
    """dB of ``WAYS`` over the best uniformly darkened picture."""
    darkened = fitted_psnr(rendered.day, rendered.night)
    return np.array([fitted_psnr(night, rendered.night) - darkened for night in nights(scene)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", metavar="FIRST-LAST")
    first, last = (int(seed) for seed in parser.parse_args().seeds.split("-"))
    engine = Engine("builtin", None, "cpu")
    rows = []
    for seed in range(first, last + 1):
        rendered = lit_from_the_right(seed, *SIZE)
        _, true = next(scenes(rendered, 20.0))
        seen = engine.analyse(Photo.from_linear(rendered.day), Settings())
        rows.append([gains(rendered, true), gains(rendered, seen)])
        print(f"{seed}: {np.round(rows[-1], 2).tolist()}", flush=True)
    for depth, found in zip(("true depth", "built-in"), np.stack(rows, axis=1), strict=True):
        for way, values in zip(WAYS, found.T, strict=True):
            print(f"{depth}, {way}: median {np.median(values):.2f}, mean {values.mean():.2f}")
        gained = found[:, 2] - found[:, 1]
        print(f"{depth}: the shadow brings {np.median(gained):.2f}, {(gained < 0).sum()} below 0")


if __name__ == "__main__":
    main()
