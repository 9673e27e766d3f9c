"""The published procedure as written against ours, at the same objective, in one run.

    python -m tests.benchmarks.published PHOTO --weights DIR [--box X,Y,W,H] [--steps 500]

As written: 400 x 600 pixels, start from Gaussian noise, Adam 0.02 for 500 steps, all 37 layers of
VGG19 run for each. Ours: start at the style image, VGG19 ends at conv3_1. Total losses are
compared in float32. Both use the same features; the layers behind conv3_1 change no result, only
the time, so they need no trained weights.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
import torchvision
from nightflash.aim import Aim
from nightflash.engine.engine import Engine
from nightflash.imaging.colour import encode
from nightflash.imaging.resample import area
from nightflash.light.published import style_light
from nightflash.models.choice import Choice, choose
from nightflash.models.descriptor import FeatureNetwork
from nightflash.models.registry import load
from nightflash.photo import Photo, read_photo
from nightflash.refine.losses import content_loss, pixel_precision, style_loss
from nightflash.refine.optimise import refine
from nightflash.settings import Settings
from torch import Tensor, nn

HEIGHT, WIDTH = 400, 600


class AsWritten:
    """Content and style loss with every layer of VGG19 run, as the published code does."""

    def __init__(self, network: FeatureNetwork, photo: Tensor, target: Tensor) -> None:
        layers = torchvision.models.vgg19(weights=None).features[12:]
        pools = [nn.AvgPool2d(2) if isinstance(m, nn.MaxPool2d) else m for m in layers]
        self.rest = nn.Sequential(*pools).requires_grad_(False)
        self.network, self.target, self.precision = network, target, pixel_precision(target)
        self.features = network.features(photo[None]).detach()

    def __call__(self, picture: Tensor, *, rest: bool = True) -> Tensor:
        features = self.network.features(picture[None])
        if rest:
            self.rest(features)
        content = content_loss(features, self.features)
        return self.network.content_scale * content + style_loss(
            picture, self.target, self.precision
        )

    def total(self, picture: Tensor) -> float:
        """Total loss of a finished picture."""
        with torch.no_grad():
            return float(self(picture, rest=False))


def as_written(objective: AsWritten, steps: int) -> tuple[Tensor, float]:
    """Adam from noise; gives the picture and the seconds."""
    picture = torch.randn(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    picture.requires_grad_()
    adam = torch.optim.Adam([picture], lr=0.02)
    start = time.perf_counter()
    for _ in range(steps):
        adam.zero_grad()
        objective(picture).backward()
        adam.step()
    return picture.detach(), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--box")
    parser.add_argument("--steps", type=int, default=500)
    options = parser.parse_args()
    engine = Engine("auto", options.weights, "cpu")
    descriptor = choose("features", Choice.of("auto"), options.weights)
    network = load(descriptor, options.weights, torch.device("cpu"))
    small = Photo.from_linear(area(read_photo(options.photo).rgb, (WIDTH, HEIGHT)))
    numbers = [float(n) for n in options.box.split(",")] if options.box else None
    aim = Aim(box=(numbers[0], numbers[1], numbers[2], numbers[3])) if numbers else Aim()
    scene = engine.analyse(small, Settings(), aim)
    photo = encode(scene.photo.clamp(0, 1))
    target = encode(style_light(scene).target)
    objective = AsWritten(network, photo, target)
    print(f"photo {options.photo.name}, {descriptor.name}, {torch.get_num_threads()} threads")

    ours: dict[str, list[float]] = {}
    losses: dict[str, float] = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        features = network if dtype == torch.float32 else network.in_precision(dtype)
        for _ in range(3):
            start = time.perf_counter()
            done = refine(photo, target, features)
            ours.setdefault(name, []).append(time.perf_counter() - start)
        losses[name] = objective.total(done.picture)
        print(
            f"ours {name}: {statistics.median(ours[name]):.1f} s, {len(done.losses)} steps,"
            f" total loss {losses[name]:.5f}",
            flush=True,
        )
    picture, seconds = as_written(objective, options.steps)
    total = objective.total(picture)
    print(f"as written: {seconds:.1f} s, {options.steps} steps, total loss {total:.5f}")
    for name, times in ours.items():
        ratio, excess = seconds / statistics.median(times), losses[name] / total - 1
        print(f"{name}: 1/{ratio:.1f} of the time, total loss {100 * excess:+.2f} %")


if __name__ == "__main__":
    main()
