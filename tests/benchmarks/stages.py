"""Seconds per stage and peak memory at 2, 12 and 24 MP, array to array, networks loaded.

    python -m tests.benchmarks.stages PHOTO --weights DIR [--networks lite] [--bits 8]
        [--megapixels 2,12,24]

Each size and quality runs in a process of its own: one warm-up, then the median of three.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

QUALITIES = ("preview", "fast", "best")


def measure(
    photo: Path, weights: Path | None, networks: str, bits: int, megapixels: float, quality: str
) -> None:
    """Print one JSON object for one size and quality."""
    import cv2
    from nightflash import Engine, Photo, Settings
    from nightflash.photo import read_photo

    rgb = read_photo(photo).rgb
    scale = math.sqrt(megapixels * 1e6 / (rgb.shape[0] * rgb.shape[1]))
    rgb = cv2.resize(
        rgb,
        None,
        fx=scale,
        fy=scale,
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )
    day = Photo.from_linear(rgb.clip(0, 1))
    if bits == 8:
        day = Photo.from_encoded(day.to_encoded(8))
    engine = Engine(networks, weights)
    settings = Settings(quality=quality)
    engine.render(Photo.from_linear(day.rgb[::16, ::16].copy()), settings)  # networks warm
    before = _resident()
    runs, stages = [], []
    for _ in range(4):
        start = time.perf_counter()
        night = engine.render(day, settings)
        runs.append(time.perf_counter() - start)
        stages.append(night.report.seconds)
        del night
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        json.dumps(
            {
                "seconds": statistics.median(runs[1:]),
                "stages": {k: statistics.median(s[k] for s in stages[1:]) for k in stages[0]},
                "peak_gib": peak - before,
            }
        )
    )


def _resident() -> float:
    """GiB of memory resident now; the peak of loading is above it, so the difference is safe."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--networks", default="auto")
    parser.add_argument("--megapixels", default="2,12,24")
    parser.add_argument("--bits", type=int, choices=(8, 32), default=32, help="of the photo")
    parser.add_argument("--one", nargs=2, metavar=("MP", "QUALITY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        megapixels, quality = options.one
        given = options.photo, options.weights, options.networks, options.bits
        measure(*given, float(megapixels), quality)
        return
    print(f"{'MP':>4} {'quality':8} {'seconds':>8} {'peak GiB above':>15}  stages")
    for megapixels in options.megapixels.split(","):
        for quality in QUALITIES:
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.stages",
                *sys.argv[1:],
                "--one",
                megapixels,
                quality,
            ]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            row = json.loads(answer.splitlines()[-1])
            stages = ", ".join(f"{k} {v:.2f}" for k, v in row["stages"].items())
            print(
                f"{megapixels:>4} {quality:8} {row['seconds']:8.2f}"
                f" {row['peak_gib']:15.2f}  {stages}",
                flush=True,
            )


if __name__ == "__main__":
    main()
