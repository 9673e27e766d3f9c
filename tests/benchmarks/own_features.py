"""How much of the refinement by real VGG19 features ContentNet gives, and in which time.

    python -m tests.benchmarks.own_features PHOTOS --weights DIR [--megapixels 1]

Depth and main object come from the set `lite` on both sides. Per photo: the difference between the
two refined nights, as a part of what refinement with VGG19 changes (root mean squares of encoded
values); and the time of the refinement against VGG19's, each the median of three taken in turn.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import numpy as np
import numpy.typing as npt
from nightflash import Engine, Photo, Settings
from nightflash.photo import read_photo, srgb_encode

from tests.quality import at_most

ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--networks", default="lite,content_net", help="compared with lite")
    parser.add_argument("--megapixels", type=float, default=1.0)
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo")
    options = parser.parse_args()
    theirs, ours = (Engine(n, options.weights, "cpu") for n in ("lite", options.networks))
    left, times = [], []
    for path in sorted(options.folder.glob("*.jpg"))[:: options.every]:
        photo = at_most(read_photo(path), options.megapixels)
        fast, _ = night(theirs, photo, "fast")
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            real, t = night(theirs, photo, "best")
            seconds[0].append(t)
            own, t = night(ours, photo, "best")
            seconds[1].append(t)
        left.append(rms(own - real) / max(rms(real - fast), 1e-9))
        times.append(statistics.median(seconds[1]) / statistics.median(seconds[0]))
        print(f"{path.name[:40]:40s} left {left[-1]:.2f}  time {times[-1]:.2f}", flush=True)
    print(f"median: left {statistics.median(left):.3f}, time {statistics.median(times):.3f}")


def night(engine: Engine, photo: Photo, quality: str) -> tuple[npt.NDArray[np.float32], float]:
    """The encoded night and the seconds that its refinement took."""
    done = engine.render(photo, Settings.from_words({"quality": quality, "grain": "off"}))
    return srgb_encode(done.photo.rgb.clip(0, 1)), done.report.seconds.get("refine", 0.0)


def rms(difference: npt.NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(difference.astype(np.float64) ** 2)))


if __name__ == "__main__":
    main()
