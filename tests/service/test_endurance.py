"""Kills, fuzz and long use: a tenth of it, or less, by default; all of it with ``--endurance``."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import zmq
from nightflash.errors import NightFlashError
from nightflash.service.connection import Connection
from nightflash.service.holder import running_pid
from nightflash.service.protocol import VERSION

from tests.service.backend import Place, a_place, pixels, until
from tests.service.test_fuzz import resident, sound_answer

SMALL = pixels(np.full((20, 30, 3), 90, np.uint8))
LARGE = pixels(np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8))
MOMENTS = ("start", "load", "put", "preview", "render", "idle exit")
FILES = {"backend.lock", "connection.json", "requests.ipc", "pulse.ipc"}


def counts(few: int, many: int) -> Any:
    """So many by default, so many with ``--endurance``."""
    long = pytest.param(many, marks=[pytest.mark.endurance, pytest.mark.timeout(8 * 3600)])
    return pytest.mark.parametrize("count", [few, long])


@pytest.fixture
def own() -> Iterator[Place]:
    with a_place() as place:
        yield place


def killed_at(place: Place, moment: str, rng: random.Random) -> None:
    """Kill the backend at a random time of one thing that it does; whoever asked does not wait."""
    with contextlib.suppress(NightFlashError), place.client() as client:
        if moment == "idle exit":
            client.ask("shutdown")
            time.sleep(rng.uniform(0, 0.3))
            kill()
            return
        if moment in ("start", "load"):
            client.ask("shutdown")
            client.close()
        else:
            client.work("preview", SMALL)
        delay = rng.uniform(*{"start": (0, 2), "load": (2, 4)}.get(moment, (0, 0.4)))
        killer = threading.Timer(delay, kill)
        killer.start()
        try:
            if moment == "put":
                client.echo(LARGE)
            else:
                kind = moment if moment in ("preview", "render") else "preview"
                client.work(kind, LARGE, settings={"steps": 5}, retry=moment in ("start", "load"))
        finally:
            killer.join()


def kill() -> None:
    if (pid := running_pid()) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.timeout(1200)
@counts(6, 100)
def test_killed_at_any_moment_the_next_request_is_right(own: Place, count: int) -> None:
    with own.client() as client:
        right = bytes(client.work("preview", SMALL).pictures[0].strips[0])
    rng = random.Random(18)
    for number in range(count):
        killed_at(own, MOMENTS[number % len(MOMENTS)], rng)
        with own.client() as client:
            again = client.work("preview", SMALL)
            assert bytes(again.pictures[0].strips[0]) == right, number
        assert {entry.name for entry in (own.folder / "run").iterdir()} == FILES


@counts(2, 20)
def test_killed_clients_leave_nothing(own: Place, count: int) -> None:
    code = (
        "from nightflash.service.client import Client\n"
        "from tests.service.test_endurance import LARGE\n"
        "print('begins', flush=True)\n"
        "while True: Client(None).work('render', LARGE, settings={'steps': 5})"
    )
    rng = random.Random(19)
    with own.client() as watcher:
        watcher.work("preview", SMALL)
        for _ in range(count):
            command = [sys.executable, "-W", "ignore", "-c", code]
            with subprocess.Popen(
                command, env=own.variables, stdout=subprocess.PIPE, text=True
            ) as one:
                assert one.stdout is not None
                assert one.stdout.readline() == "begins\n"
                time.sleep(rng.uniform(0, 1))
                one.kill()
            assert watcher.work("preview", SMALL).header["reply"] == "result"
        assert any(watcher.ask("status")["jobs"] == 0 for _ in until(20))
        assert any(watcher.ask("status")["uploads"] <= 1 for _ in until(20))


def spoilt(rng: random.Random, handle: str) -> list[bytes]:
    """A message that is nearly sound, or not at all."""
    kinds = ("hello", "put", "get", "drop", "preview", "cancel", "release", "status", "dance", 3)
    values = (None, True, -1, 2**63, 1e308, "", "x" * 300, [], {}, [1, 2], handle, [[[]]])
    header: dict[str, Any] = {
        "v": VERSION, "id": rng.randrange(99), "request": rng.choice(kinds), "photo": handle,
    }  # fmt: skip
    for name in ("pixels", "aim", "settings", "views", "handle", "job", "id", "v", "sample"):
        if rng.random() < 0.2:
            header[name] = rng.choice(values)
    first = bytearray(json.dumps(header).encode())
    for _ in range(rng.choice((0, 0, 1, 5))):
        first[rng.randrange(len(first))] = rng.randrange(256)
    frames = [rng.randbytes(rng.choice((0, 1, 24, 1000))) for _ in range(rng.choice((0, 0, 1, 3)))]
    return [bytes(first), *frames]


@pytest.mark.parametrize("key", [True, False])
@counts(20_000, 500_000)
def test_fuzzed_messages_do_no_harm(count: int, key: bool) -> None:
    """With the way in, or as a stranger at the port."""
    with a_place("--networks", "builtin", "--device", "cpu", "--tcp") as place:
        with place.client() as client:
            right = bytes(client.work("preview", SMALL).pictures[0].strips[0])
            handle = client._sent[id(SMALL)][1]
            found = Connection.read()
            assert found is not None
            before = resident(found.pid)
            rng = random.Random(20)
            with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
                socket.linger = 0
                socket.sndhwm = 1000
                socket.connect(found.ipc if key else found.tcp)
                for number in range(count):
                    with contextlib.suppress(zmq.Again):
                        socket.send_multipart(spoilt(rng, handle), zmq.DONTWAIT)
                    if key and number % 50 == 49:
                        assert sound_answer(socket)["pid"] == found.pid
            again = client.work("preview", SMALL)
            assert bytes(again.pictures[0].strips[0]) == right
        assert resident(found.pid) < before + 200
        assert "Traceback" not in place.log


@counts(2_000, 100_000)
def test_mixed_requests_leave_memory_flat(own: Place, count: int) -> None:
    rng = random.Random(21)
    with own.client() as client:

        def some(number: int) -> None:
            for _ in range(number):
                match rng.randrange(4):
                    case 0:
                        client.ask("status")
                    case 1:
                        client.work("preview", SMALL, point=(rng.randrange(30), rng.randrange(20)))
                    case 2:
                        one = pixels(np.full((40, 50, 3), rng.randrange(256), np.uint8))
                        client.echo(one)
                    case _:
                        with contextlib.suppress(NightFlashError):
                            client.work("preview", SMALL, settings={"ambient": 99})

        some(count // 4)
        pid = client.ask("hello")["pid"]
        before = resident(pid)
        some(count - count // 4)
        print(f"{count} requests: {before:.0f} MB, then {resident(pid):.0f} MB")
        assert resident(pid) < before + 60
