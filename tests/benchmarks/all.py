"""Everything that a user waits for, in one command, beside another commit.

    python -m tests.benchmarks.all [--against COMMIT] [--rounds 5] [--photo PHOTO] [--only NAME ...]

Each figure is taken by a process of its own, this checkout and the other commit in turn, so that a
machine that gets slower does so for both; the table has medians and their ratio. Networks are those
that ship, and what is called is what users call, so any commit since the first can be compared.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = CHECKOUT / "backend/nightflash/data/example.jpg"
SMALL, LARGE, HUGE = 0.4, 24.0, 200.0  # megapixels
SIZES = (SMALL, 2.0, LARGE, HUGE)

Figures = dict[str, float]
Environment = dict[str, str]


def cold(environment: Environment, folder: Path) -> Figures:
    """A small picture by the command line, all included, and what of it is PyTorch's import."""
    picture, out = folder / f"{SMALL}.jpg", folder / "night.jpg"
    torch, _, _ = outside(environment, "-c", "import torch")
    wall, processor, memory = outside(
        environment, *render("--networks", "builtin", "--quality", "fast"), picture, out
    )
    return {
        "cold start, s": wall,
        "cold start less import torch, s": wall - torch,
        "cold start, processor s": processor,
        "cold start, memory MB": memory,
    }


def large(environment: Environment, folder: Path) -> Figures:
    """A large JPEG by the command line: most memory, and processor time of all that is done."""
    picture, out = folder / f"{LARGE}.jpg", folder / "night.jpg"
    wall, processor, memory = outside(
        environment, *render("--networks", "builtin", "--quality", "fast"), picture, out
    )
    return {
        "24 MP file to file, s": wall,
        "24 MP file to file, processor s": processor,
        "24 MP file to file, memory MB": memory,
    }


def growth(environment: Environment, folder: Path) -> Figures:
    """What a pixel more costs by the command line, from size to size, and memory of the largest."""
    command = render("--networks", "builtin", "--quality", "fast")
    took = [
        outside(environment, *command, folder / f"{megapixels}.jpg", folder / "night.jpg")
        for megapixels in SIZES
    ]
    figures = {
        f"{small:g} to {large:g} MP, processor ns a pixel": (
            1e3 * (took[n + 1][1] - took[n][1]) / (large - small)
        )
        for n, (small, large) in enumerate(pairwise(SIZES))
    }
    return figures | {f"{HUGE:g} MP file to file, memory MB": took[-1][2]}


def client(environment: Environment, folder: Path) -> Figures:
    """A client whose backend knows the photo already."""
    picture, out = folder / f"{SMALL}.jpg", folder / "night.jpg"
    with tempfile.TemporaryDirectory() as place:
        apart = environment | {"XDG_RUNTIME_DIR": place, "XDG_STATE_HOME": place, "HOME": place}
        command = [sys.executable, "-m", "nightflash", "serve", "--networks", "builtin"]
        with subprocess.Popen(
            command, env=apart, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as backend:
            ask = render("--via-backend", "--quality", "fast")
            outside(apart, *ask, picture, out)
            wall, processor, memory = outside(apart, *ask, picture, out)
            backend.terminate()
    return {"client, s": wall, "client, processor s": processor, "client, memory MB": memory}


def stages(environment: Environment, folder: Path) -> Figures:
    """Array to array at 24 MP with the networks loaded, and the refinement's last loss."""
    command = [sys.executable, __file__, "--inside", str(folder)]  # `-m` would find this package
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


KINDS: dict[str, Callable[[Environment, Path], Figures]] = {
    "cold": cold,
    "large": large,
    "growth": growth,
    "client": client,
    "stages": stages,
}


def inside(folder: Path) -> Figures:
    """What ``stages`` measures, in a process that knows one of the commits."""
    from nightflash import Engine, Photo, Settings
    from nightflash.photo import read_photo

    engine = Engine("builtin", device="cpu")
    day = Photo.from_linear(read_photo(folder / f"{LARGE}.jpg").rgb)
    figures: Figures = {}
    for quality in ("preview", "fast", "best"):
        nights, walls = [], []
        for _ in range(3):
            start = time.perf_counter()
            nights.append(engine.render(day, Settings(quality=quality)).report)
            walls.append(time.perf_counter() - start)
        figures[f"24 MP {quality}, s"] = statistics.median(walls[1:])
        seconds = nights[-1].seconds
        if quality == "best":
            pixels = day.width * day.height
            figures["full size after refinement, ns a pixel"] = seconds["full size"] / pixels * 1e9
            figures["refinement, s"] = seconds["refine"]
            figures["refinement, last loss"] = nights[-1].losses[-1]
    return figures


def render(*options: str) -> tuple[str, ...]:
    """Arguments of Python for the command."""
    return "-m", "nightflash", "render", *options


def outside(environment: Environment, *arguments: str | Path) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of the processors and MB at most of a Python program.

    Raises:
        RuntimeError: It failed.
    """
    start = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"{' '.join(map(str, arguments))} ended with {child.returncode}.")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss * _maxrss_bytes() / 1e6


def _maxrss_bytes() -> int:
    return 1 if sys.platform == "darwin" else 1024


@contextmanager
def _backends(against: str | None) -> Iterator[dict[str, Environment]]:
    """Of this checkout and of the other commit, what a process must know to use it."""
    paths = {"now": CHECKOUT / "backend"}
    with tempfile.TemporaryDirectory() as folder:
        if against is not None:
            command = ["git", "archive", against, "backend"]
            archive = subprocess.run(command, check=True, capture_output=True, cwd=CHECKOUT)
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
                files.extractall(folder, filter="data")
            paths = {against: Path(folder) / "backend"} | paths
        yield {name: {**os.environ, "PYTHONPATH": str(path)} for name, path in paths.items()}


def _pictures(photo: Path, folder: Path) -> None:
    """The photo as JPEG files of all sizes."""
    import cv2

    day: Any = cv2.imread(str(photo))
    for megapixels in SIZES:
        scale = (megapixels * 1e6 / (day.shape[0] * day.shape[1])) ** 0.5
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        sized = cv2.resize(day, None, fx=scale, fy=scale, interpolation=how)
        cv2.imwrite(str(folder / f"{megapixels}.jpg"), sized)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="COMMIT")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photo", type=Path, default=EXAMPLE)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(inside(options.inside)))
        return
    with tempfile.TemporaryDirectory() as folder, _backends(options.against) as backends:
        # By another process: what memory a child is said to have taken begins with its parent's.
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:
            apart.submit(_pictures, options.photo, Path(folder)).result()
        found: dict[str, dict[str, list[float]]] = {name: {} for name in backends}
        for _ in range(options.rounds):
            for kind in options.only:
                for name, environment in backends.items():
                    for figure, value in KINDS[kind](environment, Path(folder)).items():
                        found[name].setdefault(figure, []).append(value)
    _print(found)


def _print(found: dict[str, dict[str, list[float]]]) -> None:
    """A table of medians, and of the last column over the first."""
    compared = len(found) > 1
    print("".join(f"{name[:12]:>14}" for name in found) + ("   ratio" if compared else ""))
    for figure in found["now"]:
        row = [statistics.median(figures[figure]) for figures in found.values()]
        ratio = f"{row[-1] / row[0]:8.2f}" if compared else ""
        print("".join(f"{value:14.4g}" for value in row) + ratio + f"  {figure}")


if __name__ == "__main__":
    main()
