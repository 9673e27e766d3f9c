"""Figures of a backend on another machine, over a line that is made slow.

    python -m tests.benchmarks.slow_line PHOTO... [--megabits 20] [--milliseconds 40]

For each photo as a 24 MP layer of 8 bits: the first preview, the render's round trip, and what its
codes need at the line's rate.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from nightflash.client.client import Client
from nightflash.client.coding import encoded, part_count, part_of
from nightflash.client.protocol import Pixels
from nightflash.stages import TRANSFER

from tests.benchmarks.service import MP24, layer
from tests.server.elsewhere import elsewhere
from tests.server.line import Line
from tests.server.test_slow_line import over

FAST = {"quality": "fast"}
WARM = (600, 800)  # pixels of a preview that has the networks at work before


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--megabits", type=float, default=20.0)
    parser.add_argument("--milliseconds", type=float, default=40.0)
    options = parser.parse_args()
    rate, delay = options.megabits * 1e6 / 8, options.milliseconds / 1000
    with elsewhere() as both:
        with both.server.client(starts=False) as local:
            local.work("preview", layer(options.photos[0], WARM, 3))
        for number, path in enumerate(options.photos):
            day = layer(path, MP24, 3)
            with Line(both.port, rate, delay) as line, over(both, line, f"{number}") as client:
                client.connect()
                print(path.name)
                first_preview(client, line, day)
                round_trip(client, day, rate)


def first_preview(client: Client, line: Line, day: Pixels) -> None:
    """Print how soon something is seen."""
    start = time.perf_counter()
    seen = client.work("preview", day, settings=FAST)
    seconds, work = time.perf_counter() - start, seen.header["seconds"]["preview"]
    print(
        f"  first preview {seconds:.2f} s, {work:.2f} s of it work,"
        f" {line.up / 1e6:.2f} MB up and {line.down / 1e6:.2f} down"
    )


def round_trip(client: Client, day: Pixels, rate: float) -> None:
    """Print how long a render takes, and how long its codes would at ``rate`` bytes a second."""
    marks: list[tuple[float, float]] = []

    def mark(stage: str, done: float, words: str) -> None:
        if stage == TRANSFER:
            marks.append((time.perf_counter(), done))

    start = time.perf_counter()
    night = client.work("render", day, settings=FAST, report_progress=mark)
    seconds = time.perf_counter() - start
    turn = next(i for i in range(1, len(marks)) if marks[i][1] < marks[i - 1][1])
    work = marks[turn][0] - marks[turn - 1][0]
    up, down = coded_bytes(day), coded_bytes(night.pictures[0])
    need = (up + down) / rate
    print(
        f"  round trip {seconds:.1f} s, {work:.1f} s of it work; {up / 1e6:.1f} MB up and"
        f" {down / 1e6:.1f} down need {need:.1f} s: transfers {(seconds - work) / need:.2f} times"
        f" that, all {seconds / need:.2f} times"
    )


def coded_bytes(picture: Pixels) -> int:
    """Bytes of all parts of a picture."""
    layout = picture.layout
    return sum(len(encoded(part_of(picture, n), layout)) for n in range(part_count(layout)))


if __name__ == "__main__":
    main()
