"""Figures of the official networks: warm requests through the socket, memory, nearness to the CPU.

    python -m tests.benchmarks.gpu [--device cuda] [--depth dpt_large_384] [--megapixels 24]

The weights are made up (the time does not depend on them); DPT-Large, Mask R-CNN and VGG19 work on
a new float RGBA layer each time. Prints medians of `fast` and `best` from the first byte sent to
the last received, the stages of the last of them, the networks' and the work's peak memory on the
GPU, and how far the same request lies from what the CPU gives.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
import torch
from nightflash import Engine, Photo, Settings
from nightflash.client.client import Client
from training.scenes import render_scene

from tests.models.official import write_official
from tests.server.backend import a_place, pixels

TURNS = 5
Quality = Literal["fast", "best"]


def layer(megapixels: float, turn: int) -> npt.NDArray[np.float32]:
    """A rendered scene by day as a linear RGBA layer (H, W, 4), another one in every turn."""
    day = render_scene(1).day
    height = round((megapixels * 1e6 / 1.5) ** 0.5) - turn
    rgb = cv2.resize(day, (height * 3 // 2, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return np.dstack([rgb, np.ones_like(rgb[..., :1])])


def through_the_socket(client: Client, megapixels: float, quality: Quality) -> None:
    seconds = []
    for turn in range(TURNS + 1):
        fresh = pixels(layer(megapixels, turn))
        start = time.perf_counter()
        answer = client.work("render", fresh, settings={"quality": quality})
        seconds.append(time.perf_counter() - start)
        client.forget(fresh)
    warm = seconds[1:]
    print(
        f"{quality}, {megapixels:g} MP float RGBA: median {statistics.median(warm):.2f} s,"
        f" longest {max(warm):.2f} s (the first of all {seconds[0]:.2f} s);"
        f" stages {answer.header['seconds']}, networks {answer.header['networks']}",
        flush=True,
    )


def peak_memory(weights: Path, device: str, megapixels: float) -> None:
    engine = Engine("official", weights, device)
    day = Photo.from_linear(layer(megapixels, 0)[..., :3])
    engine.load()
    held = torch.cuda.memory_allocated()
    engine.render(day, Settings(quality="best"))
    peak = torch.cuda.max_memory_reserved()
    print(f"GPU memory: networks {held / 1e9:.2f} GB, peak {peak / 1e9:.2f} GB", flush=True)


def nearness(weights: Path, device: str) -> None:
    day = Photo.from_linear(layer(1, 0)[..., :3])
    for quality in ("fast", "best"):
        settings = Settings(quality=quality, grain=None)
        nights = [
            Engine("official", weights, where).render(day, settings).photo.to_encoded(8)
            for where in ("cpu", device)
        ]
        apart = np.abs(nights[0].astype(float) - nights[1]).mean()
        print(f"{quality}: {device} and CPU differ by {apart:.3f}/255 on average", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--depth", default="dpt_large_384")
    parser.add_argument("--megapixels", type=float, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weights = write_official(Path(folder), options.depth)
        serve = ("--networks", "official", "--weights", folder, "--device", options.device)
        with a_place(*serve) as place, place.client() as client:
            for quality in ("fast", "best"):
                through_the_socket(client, options.megapixels, quality)
        if options.device == "cuda":
            print(torch.cuda.get_device_name(), torch.__version__)
            peak_memory(weights, options.device, options.megapixels)
        nearness(weights, options.device)


if __name__ == "__main__":
    main()
