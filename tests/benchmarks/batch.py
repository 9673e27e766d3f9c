"""How ``nightflash batch`` keeps what it promises: rate and memory, kills, and many small photos.

Run from the checkout, with ``PYTHONPATH=backend``::

    python -m tests.benchmarks.batch rate SHARED FOLDER
    python -m tests.benchmarks.batch kills SHARED FOLDER
    python -m tests.benchmarks.batch many FOLDER

FOLDER keeps the pictures, and what is made of them, between the runs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SMALL, LARGE, ROUNDS = 200, 40, 4
SIZES = (12, 16, 20, 24)  # megapixels
OPTIONS = ("--strip-all", "--networks", "builtin")
FAST = ("--quality", "fast", *OPTIONS)


def photos(shared: Path, folder: Path) -> list[Path]:
    """200 small photos and 40 large ones, mixed in a steady order, all with names of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    small = sorted((shared / "photos/training/open").glob("*.jpg"))
    chosen = random.Random(1).sample(small, SMALL)
    days = sorted((shared / "photos/daylight").glob("*.jpg"))
    for number in range(LARGE):
        made = folder / f"large{number:02}.jpg"
        if not made.exists():
            day = cv2.imread(str(days[number % len(days)]))
            scale = (SIZES[number % len(SIZES)] * 1e6 / (day.shape[0] * day.shape[1])) ** 0.5
            cv2.imwrite(str(made), cv2.resize(day, None, fx=scale, fy=scale))
        chosen.append(made)
    random.Random(2).shuffle(chosen)
    return chosen


def rate(shared: Path, folder: Path) -> None:
    """Photos a minute of ``batch`` and of ``render``, side by side, on a slice of the list each."""
    chosen = photos(shared, folder / "large")
    ratios, peaks = [], []
    for number in range(ROUNDS):
        part = [str(path) for path in chosen[number::ROUNDS]]
        listed = folder / f"part{number}.txt"
        listed.write_text("\n".join(part))
        ways = {
            "render": [*part, f"{folder}/render/"],
            "batch": [str(listed), f"{folder}/batch{number}"],
        }
        seconds = {}
        for way in sorted(ways, reverse=bool(number % 2)):
            seconds[way], peak = _run(way, [*ways[way], *FAST])
            print(
                f"{way}: {60 * len(part) / seconds[way]:.1f} a minute, {peak:.2f} GiB", flush=True
            )
            if way == "batch":
                peaks.append(peak)
        ratios.append(seconds["render"] / seconds["batch"])
    print(f"ratios {ratios}, median {statistics.median(ratios):.2f}; peak {max(peaks):.2f} GiB")


def kills(shared: Path, folder: Path, times: int = 10) -> None:
    """Kill ``batch`` at random moments and go on: the results are those of one that was not."""
    small = [path for path in photos(shared, folder / "large") if path.parent.name == "open"]
    listed = folder / "small.txt"
    listed.write_text("\n".join(map(str, small)))
    _run("batch", [str(listed), f"{folder}/whole", *FAST])
    draw, killed, out = random.Random(3), 0, folder / "killed"
    command = _command("batch", [str(listed), str(out), *FAST])
    while killed < times:
        process = subprocess.Popen(command)
        before = _lines(out)
        share = draw.uniform(0, (SMALL - before) / (times + 1 - killed))
        while process.poll() is None and _lines(out) < before + share:
            time.sleep(0.05)
        time.sleep(draw.uniform(0, 1))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        print(f"killed with {_lines(out)} done", flush=True)
    subprocess.run(command, check=True)
    entries = [json.loads(line) for line in (out / "report.jsonl").read_text().splitlines()]
    nights = sorted(path for path in out.rglob("*.jpg"))
    assert len({entry["out"] for entry in entries}) == len(entries) == len(nights) == SMALL
    for night in nights:
        assert night.read_bytes() == (folder / "whole" / night.relative_to(out)).read_bytes()
    print(f"killed {killed} times: {len(nights)} nights, the same bytes, each once in the report")


def many(folder: Path, count: int, more: Sequence[str] = ()) -> None:
    """Make nights of many small pictures: neither memory nor time of one grows."""
    days, out = folder / "days", folder / ("ray" if more else "nights")
    days.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = days / f"{number:05}.png"
        if not path.exists():
            draw = np.random.default_rng(number)
            picture = cv2.resize(draw.integers(0, 255, (4, 4, 3), np.uint8), (64, 64))
            cv2.imwrite(str(path), picture)
    quick = ["--quality", "preview", *OPTIONS, "--overwrite"]
    process = subprocess.Popen(_command("batch", [str(days), str(out), *quick, *more]))
    start, marks = time.monotonic(), list[tuple[int, float, float, float]]()
    while process.poll() is None:
        time.sleep(2)
        marks.append((_lines(out), time.monotonic() - start, *_used(process.pid)))
    tenth = count // 10
    spans = [(0.02 * count, 0.1 * count + 0.02 * count), (count - tenth - 1, count - 1)]
    done, clock, memory, busy = np.array(marks).T
    busy = np.maximum.accumulate(busy)  # who has ended is counted no more
    seconds, processor = (
        [round(float(np.diff(np.interp(span, done, values))[0]), 1) for span in spans]
        for values in (clock, busy)
    )
    early, late = (np.median(memory[(first <= done) & (done <= last)]) for first, last in spans)
    print(
        f"exit code {process.returncode}; the first and the last tenth: {seconds} s by the clock,"
    )
    print(f"{processor} s of the processors, which other programs disturb less;")
    print(f"memory {early:.2f} and {late:.2f} GiB, at most {memory.max():.2f}")


def _run(way: str, arguments: Sequence[str]) -> tuple[float, float]:
    """Seconds that a command took, and the most GiB that it and its children had."""
    start, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(_command(way, arguments), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, _memory(process.pid))
        time.sleep(0.2)
    assert process.returncode == 0
    return time.perf_counter() - start, peak


def _command(way: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-P", "-m", "nightflash", way, *arguments]


def _lines(out: Path) -> int:
    report = out / "report.jsonl"
    return report.read_bytes().count(b"\n") if report.exists() else 0


def _memory(pid: int) -> float:
    """GiB of a process and those below it, what they share counted once."""
    return _used(pid)[0]


def _used(pid: int) -> tuple[float, float]:
    """GiB of a process and those below it, and seconds that they have computed."""
    memory = seconds = 0.0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            memory += int(line.split()[1]) / 2**20 if line.startswith("Pss:") else 0
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        seconds += sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                below = _used(int(child))
                memory, seconds = memory + below[0], seconds + below[1]
    except OSError:  # it has ended
        pass
    return memory, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("rate", "kills"):
        command = commands.add_parser(name)
        command.add_argument("shared", type=Path)
        command.add_argument("folder", type=Path)
    command = commands.add_parser("many")
    command.add_argument("folder", type=Path)
    command.add_argument("--count", type=int, default=10_000)
    command.add_argument("more", nargs="*", help="options of batch, after --")
    options = vars(parser.parse_args())
    os.environ.pop("NIGHTFLASH_WEIGHTS", None)
    {"rate": rate, "kills": kills, "many": many}[options.pop("command")](**options)


if __name__ == "__main__":
    main()
