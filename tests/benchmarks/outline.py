"""Rims: how far the light around the subject departs from its trend farther out.

    python -m tests.benchmarks.outline PHOTO... [--networks auto] [--weights DIR] [--set KEY=VALUE]
    python -m tests.benchmarks.outline --scenes 12 --first 301 ...

A row for each photo: median and worst tenth of the departure in a band of 2 % of the diagonal
outside of the subject, in stops, and its sign (a bright rim is positive). Of rendered scenes, with
their true mask as the aim, also the true night's.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from nightflash import Aim, Engine, Photo, Settings
from nightflash.photo import read_photo
from training.families import scene_of

from tests.quality import Picture, at_most, luminance

LARGEST = 1.0  # megapixels
BAND, RING = 0.02, 0.06  # of the diagonal: what is judged, and up to where the trend is taken
SPREAD = 0.025  # of the diagonal: standard deviation of the window in which a trend is a plane
DARKEST = 1e-3  # linear luminance by day under which a gain is none
OUTSIDE = 0.05  # of the mask
CALM = 1e-4  # ridge of the fit


@dataclass(frozen=True)
class Rim:
    """Departure of the gain (log2 of night / day luminance) from its trend in the band, stops.

    Attributes:
        median, worst: Of the magnitude: its median and its ninth decile.
        signed: Median with its sign.
    """

    median: float
    worst: float
    signed: float


def rim(day: Picture, night: Picture, mask: Picture) -> Rim:
    """Measure the band around a subject.

    The trend is the plane that fits the gain best in a Gaussian window of the ring beyond the band.

    Args:
        day, night: (H, W, 3) linear.
        mask: (H, W), 0..1.
    """
    y = luminance(day)
    gain = np.log2(np.maximum(luminance(night), 1e-6) / np.maximum(y, 1e-6)).astype(np.float32)
    diagonal = math.hypot(*mask.shape)
    away = cv2.distanceTransform((mask <= OUTSIDE).astype(np.uint8), cv2.DIST_L2, 5) / diagonal
    seen = (y > DARKEST) & (day.max(2) < 0.97)
    band = seen & (away > 0) & (away <= BAND)
    departure = np.abs(off := (gain - _trend(gain, seen & (away > BAND) & (away <= RING)))[band])
    return Rim(*(float(v) for v in (*np.quantile(departure, (0.5, 0.9)), np.median(off))))


def _trend(values: Picture, where: np.typing.NDArray[np.bool_]) -> Picture:
    """Planes fitted to values (H, W) where they count, each at its own pixel (H, W)."""
    sigma = SPREAD * math.hypot(*values.shape)
    rows, columns = np.mgrid[: values.shape[0], : values.shape[1]].astype(np.float32) / sigma
    ones = np.ones_like(values)
    terms = (ones, rows, columns)
    weight = where.astype(np.float32)

    def around(plane: Picture) -> Picture:
        smooth: Picture = cv2.GaussianBlur((plane * weight).astype(np.float64), (0, 0), sigma)
        return smooth

    moments = np.stack([np.stack([around(a * b) for b in terms], -1) for a in terms], -2)
    sums = np.stack([around(a * values) for a in terms], -1)
    total = moments[..., 0, 0]
    mean = moments[..., 0, 1:] / np.maximum(total, 1e-12)[..., None]
    level = sums[..., 0] / np.maximum(total, 1e-12)
    spread = moments[..., 1:, 1:] - total[..., None, None] * mean[..., None] * mean[..., None, :]
    spread += (CALM + 0.05 * total)[..., None, None] * np.eye(2)
    lean = sums[..., 1:] - level[..., None] * moments[..., 0, 1:]
    slope = np.linalg.solve(spread, lean[..., None])[..., 0]
    result: Picture = level + slope[..., 0] * (rows - mean[..., 0])
    return result + slope[..., 1] * (columns - mean[..., 1])


def nights(options: argparse.Namespace) -> Iterator[tuple[str, list[Rim]]]:
    """Every picture's name, its rim, and for a rendered scene the true night's."""
    engine = Engine(options.networks, options.weights)
    words = dict(pair.split("=", 1) for pair in options.set)
    settings = Settings.from_words({"quality": "fast", "grain": "off", **words})
    for path in options.photos:
        day = at_most(read_photo(path), LARGEST)
        night = engine.render(day, settings)
        subject = night.scene.subject.cpu().numpy()
        mask = cv2.resize(subject, (day.width, day.height), interpolation=cv2.INTER_LINEAR)
        yield path.stem, [rim(day.rgb, night.photo.rgb, mask)]
    for seed in range(options.first, options.first + options.scenes):
        scene = scene_of("plausible", seed, 640, 480)
        night = engine.render(Photo.from_linear(scene.day), settings, Aim(mask=scene.mask))
        lit = [night.photo.rgb, scene.night]
        yield f"scene {seed}", [rim(scene.day, picture, scene.mask) for picture in lit]


def main() -> None:
    """Print a row for each picture, and the median and the worst tenth over all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--networks", default="auto")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--scenes", type=int, default=0)
    parser.add_argument("--first", type=int, default=301)
    options = parser.parse_args()
    medians = []
    for name, rims in nights(options):
        medians.append(rims[0].median)
        columns = "   truth ".join(f"{r.median:.2f} {r.worst:.2f} {r.signed:+.2f}" for r in rims)
        print(f"{name:32} {columns}", flush=True)
    print(f"all: {np.quantile(medians, 0.5):.2f} in the median, {np.quantile(medians, 0.9):.2f}")


if __name__ == "__main__":
    main()
