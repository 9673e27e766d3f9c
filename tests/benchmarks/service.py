"""Figures of the backend through its socket.

    python -m tests.benchmarks.service PHOTO --weights DIR [--networks lite] [--device cpu]

Prints medians and ratios, each measured side by side in one run: a preview after a slider moved,
the first preview of a new 24 MP layer, transport against a plain copy over a socket of the same
kind, 500 mixed requests of four clients with the memory they leave, how soon a cancelled
refinement stops, how soon a killed backend is noticed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import zmq
from nightflash.client.client import Client
from nightflash.client.connection import Connection
from nightflash.client.protocol import Pixels
from nightflash.errors import Cancelled, NightFlashError
from nightflash.photo import read_photo

from tests.server.backend import Place, a_place, pixels

MP24 = (4000, 6000)


def layer(path: Path, size: tuple[int, int], channels: int = 4) -> Pixels:
    """The photo at ``size`` (height, width) as an 8-bit layer."""
    rgb = np.rint(255 * np.clip(read_photo(path).rgb, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    rgb = cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA)
    alpha = np.full((*size, 1), 255, np.uint8)
    return pixels(np.concatenate((rgb, alpha), -1)[..., :channels])


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def previews(client: Client, photo: Path) -> None:
    small = layer(photo, (433, 577))
    walls, own = [], []
    for step in range(60):
        settings = {"flash_ev": step / 60, "falloff": 1 + step / 100}
        start = time.perf_counter()
        answer = client.work("preview", small, settings=settings)
        walls.append(time.perf_counter() - start)
        own.append(answer.header["seconds"]["preview"])
    rest = [w - o for w, o in zip(walls, own, strict=True)]
    wall, carried = (1e3 * statistics.median(seconds[5:]) for seconds in (walls, rest))
    print(
        f"preview after a slider moved, 0.25 MP: median {wall:.1f} ms,"
        f" of it transport and encoding {carried:.1f} ms"
    )


def first_preview(client: Client, photo: Path) -> None:
    seconds = []
    for turn in range(5):
        fresh = layer(photo, (MP24[0] - turn, MP24[1]))
        seconds.append(timed(lambda: client.work("preview", fresh)))  # noqa: B023
        client.forget(fresh)
    print(
        f"first preview of a new 24 MP RGBA layer: median {statistics.median(seconds):.2f} s,"
        f" longest {max(seconds):.2f} s"
    )


def echo_server(address: str, keys: tuple[bytes, bytes] | None) -> None:
    socket = zmq.Context().socket(zmq.ROUTER)
    if keys is not None:
        socket.curve_server = True
        socket.curve_publickey, socket.curve_secretkey = keys
    socket.bind(address)
    while True:
        frames = socket.recv_multipart(copy=False)
        socket.send_multipart(frames, copy=False)


def plain_copy(address: str, strips: list[memoryview], curve: bool) -> Callable[[], object]:
    """An echo over a socket of the same kind, with nothing else around it."""
    keys = zmq.curve_keypair() if curve else None
    multiprocessing.get_context("fork").Process(
        target=echo_server, args=(address, keys), daemon=True
    ).start()
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    if keys is not None:
        socket.curve_serverkey = keys[0]
        socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    socket.connect(address)

    def copy() -> object:
        socket.send_multipart(strips, copy=False)
        return socket.recv_multipart(copy=False)

    return copy


def transport(place: Place, folder: Path) -> None:
    data = np.random.default_rng(1).random((*MP24, 4), np.float32)
    picture = pixels(data)
    strips = [memoryview(strip) for strip in picture.strips]
    found = Connection.read()
    assert found is not None
    for kind, address in (("ipc", f"ipc://{folder}/plain"), ("tcp", "tcp://127.0.0.1:47117")):
        if kind == "tcp":
            tcp_only = Connection(**{**vars(found), "ipc": "", "pulse_ipc": ""})
            tcp_only.write()
        with place.client(starts=False) as client:
            client.ask("hello")  # at once: within a second the backend mends its file
            plain = plain_copy(address, strips, kind == "tcp")
            plain(), client.echo(picture)
            assert client.transport == kind
            pairs = [(timed(lambda: client.echo(picture)), timed(plain)) for _ in range(5)]
        ratio = statistics.median(a / b for a, b in pairs)
        ours, theirs = (statistics.median(x) for x in zip(*pairs, strict=True))
        print(
            f"24 MP RGBA float there and back by {kind}: {ours:.2f} s,"
            f" plain copy {theirs:.2f} s, ratio {ratio:.2f}"
        )
    found.write()


def resident(pid: int) -> float:
    """MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def mixed(place: Place, photo: Path, count: int = 500, clients: int = 4) -> None:
    numbers = iter(range(count))
    answered, lock = [0], threading.Lock()
    memory: dict[int, float] = {}
    pid = place.pid()

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        shapes = [layer(photo, (300 + 20 * seed, 400 + 10 * i)) for i in range(3)]
        with place.client(starts=False) as client:
            while True:
                with lock:
                    if next(numbers, None) is None:
                        return
                picture = shapes[int(rng.integers(3))]
                settings = {"flash_ev": float(rng.uniform(-1, 1)), "quality": "fast"}
                point = [float(v) for v in rng.uniform(10, 290, 2)]
                match int(rng.integers(6)):
                    case 0:
                        client.work("render", picture, settings=settings)
                    case 1:
                        client.work("render", picture, settings=settings, output="parts")
                    case 2:
                        client.work("analyse", picture, point=point)
                    case 3:
                        client.work("preview", picture, settings=settings, point=point)
                    case 4:
                        client.forget(picture)
                    case _:
                        client.ask("status")
                with lock:
                    answered[0] += 1
                    memory[answered[0]] = resident(pid)

    seconds = timed(
        lambda: _together([threading.Thread(target=work, args=(i,)) for i in range(clients)])
    )
    growth = memory[count] / memory[100] - 1
    print(
        f"{answered[0]} mixed requests from {clients} clients: {seconds:.0f} s, resident"
        f" {memory[100]:.0f} MB after 100, {memory[count]:.0f} MB after {count}"
        f" ({100 * growth:+.1f} %)"
    )


def _together(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def cancelling(client: Client, photo: Path) -> None:
    picture = layer(photo, (1000, 1333))
    seconds = []
    for turn in range(8):
        stop, at = threading.Event(), [0.0]

        def report_progress(stage: str, done: float, sentence: str) -> None:
            if stage == "refine" and done > 0.2 + 0.02 * turn and not stop.is_set():  # noqa: B023
                at[0] = time.perf_counter()  # noqa: B023
                stop.set()  # noqa: B023

        try:
            client.work(
                "render",
                picture,
                settings={"steps": 60},
                report_progress=report_progress,
                cancel=stop,
            )
        except Cancelled:
            seconds.append(time.perf_counter() - at[0])
    print(
        f"a cancelled refinement stops after: median {1e3 * statistics.median(seconds):.0f} ms,"
        f" longest {1e3 * max(seconds):.0f} ms"
    )


def killing(place: Place, client: Client, photo: Path) -> None:
    picture = layer(photo, (1000, 1333))
    noticed, again = [], []
    for _ in range(3):
        at = [0.0]

        def report_progress(stage: str, done: float, sentence: str) -> None:
            if stage == "refine" and not at[0]:  # noqa: B023
                at[0] = time.perf_counter()  # noqa: B023
                place.kill(signal.SIGKILL)

        try:
            client.work(
                "render",
                picture,
                settings={"steps": 60},
                report_progress=report_progress,
                retry=False,
            )
        except NightFlashError:
            noticed.append(time.perf_counter() - at[0])
        again.append(timed(lambda: client.work("preview", picture)))
    print(
        f"kill -9 of the backend at work: noticed after {1e3 * max(noticed):.0f} ms at the longest,"
        f" the next preview came after {statistics.median(again):.1f} s with the start of a new one"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--networks", default="lite")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    serve = ("--networks", options.networks, "--device", options.device, "--tcp")
    with a_place(*serve, "--weights", str(options.weights)) as place, place.client() as client:
        client.work("preview", layer(options.photo, (300, 400)))  # networks warm
        state = client.ask("status")
        print(f"device {state['device']}, networks {', '.join(state['networks'].values())}")
        with tempfile.TemporaryDirectory() as folder:
            steps: dict[str, Callable[[], None]] = {
                "previews": lambda: previews(client, options.photo),
                "first": lambda: first_preview(client, options.photo),
                "transport": lambda: transport(place, Path(folder)),
                "mixed": lambda: mixed(place, options.photo),
                "cancel": lambda: cancelling(client, options.photo),
                "kill": lambda: killing(place, client, options.photo),
            }
            for name, step in steps.items():
                if options.only in ("", name):
                    step()


if __name__ == "__main__":
    main()
