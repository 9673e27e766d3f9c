"""Kills, fuzz and long use: a tenth of it or less by default, all of it with ``--endurance``."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket as sockets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import zmq
from nightflash.client.client import Client
from nightflash.client.connection import Connection
from nightflash.client.holder import backend_runs, running_pid
from nightflash.client.protocol import VERSION
from nightflash.errors import NightFlashError

from tests.server.backend import SERVE, Place, a_place, pixels, until
from tests.server.test_fuzz import resident, sound_answer

SMALL = pixels(np.full((20, 30, 3), 90, np.uint8))
LARGE = pixels(np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8))
HUGE = pixels(np.zeros((3000, 4000, 3), np.uint8))
CROWD = 8  # strangers at once
IDLE = 1.0  # seconds until a backend ends
MOMENTS = ("start", "load", "put", "preview", "render", "idle exit")
FILES = {"backend.lock", "connection.json", "requests.ipc", "pulse.ipc"}


def counts(few: int, many: int) -> Any:
    """So many by default, so many with ``--endurance``."""
    long = pytest.param(many, marks=[pytest.mark.endurance, pytest.mark.timeout(8 * 3600)])
    short = pytest.param(few, marks=pytest.mark.timeout(1800))
    return pytest.mark.parametrize("count", [short, long])


@pytest.fixture
def own() -> Iterator[Place]:
    with a_place() as place:
        yield place


def killed_at(place: Place, moment: str, rng: random.Random) -> bool:
    """Kill the backend at a random time of one thing that it does; whether there was one."""
    begins = backend_runs
    if moment in ("start", "load"):
        place.command("stop")
        if moment == "load":
            begins = serves
    latest = {"start": 1.5, "load": 1.0, "put": 0.15, "preview": 0.4, "render": 1.5}
    delay = rng.uniform(0, latest.get(moment, 0))
    options = (*place.options, "--exit-after", str(IDLE / 3600)) if moment == "idle exit" else ()
    if options:
        place.command("stop")
        delay = IDLE + rng.uniform(-0.3, 0.2)  # it ends by itself in the midst of these
    hit: list[int] = []
    with Client((*SERVE, *(options or place.options)), place.variables) as client:
        if moment not in ("start", "load"):
            client.work("preview", SMALL)
        killer = threading.Thread(target=kill, args=(begins, delay, hit))
        killer.start()
        with contextlib.suppress(NightFlashError):
            if moment == "put":
                client.echo(HUGE)
            elif moment == "idle exit":
                killer.join()
            else:
                kind = moment if moment == "render" else "preview"
                first = moment in ("start", "load")
                client.work(kind, LARGE, settings={"steps": 5}, retry=first)
        killer.join()
    return bool(hit)


def kill(begins: Callable[[], bool], delay: float, hit: list[int]) -> None:
    """Kill the backend some seconds after something has begun."""
    assert any(begins() for _ in until(60))
    time.sleep(delay)
    if (pid := running_pid()) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            hit.append(pid)


def serves() -> bool:
    """Whether a backend has told where it is: its networks are still to be read."""
    return Connection.read() is not None and backend_runs()


@counts(10, 100)
def test_killed_at_any_moment_the_next_request_is_right(own: Place, count: int) -> None:
    with own.client() as client:
        right = bytes(client.work("preview", SMALL).pictures[0].strips[0])
    rng = random.Random(18)
    hits, longest = Counter[str](), 0.0
    for number in range(count):
        moment = MOMENTS[number % len(MOMENTS)]
        hits[moment] += killed_at(own, moment, rng)
        started = time.monotonic()
        with own.client() as client:
            again = client.work("preview", SMALL)
            assert bytes(again.pictures[0].strips[0]) == right, number
        longest = max(longest, time.monotonic() - started)
        assert {entry.name for entry in (own.folder / "run").iterdir()} == FILES
    print(f"{count} moments, killed in {dict(hits)}; the longest next request took {longest:.1f} s")
    assert sum(hits.values()) >= count / 2, "it was there to be killed"


@counts(2, 20)
def test_killed_clients_leave_nothing(own: Place, count: int) -> None:
    code = (
        "from nightflash.client.client import Client\n"
        "from tests.server.test_endurance import LARGE\n"
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
        print(f"{count} clients were killed")
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


@contextlib.contextmanager
def unharmed(*options: str) -> Iterator[Connection]:
    """A backend that something may be done to; afterwards it is as it was."""
    with a_place("--networks", "builtin", "--device", "cpu", *options) as place:
        with place.client() as client:
            right = bytes(client.work("preview", SMALL).pictures[0].strips[0])
            found = Connection.read()
            assert found is not None
            before = resident(found.pid)
            yield found
            again = client.work("preview", SMALL)
            assert bytes(again.pictures[0].strips[0]) == right
            assert client.ask("hello")["pid"] == found.pid
        print(f"{before:.0f} MB, then {resident(found.pid):.0f} MB")
        assert resident(found.pid) < before + 200
        assert "Traceback" not in place.log
        assert place.crashes == ""


@counts(100_000, 1_000_000)
def test_fuzzed_messages_of_who_has_the_key_do_no_harm(count: int) -> None:
    rng = random.Random(20)
    with (
        unharmed() as found,
        zmq.Context() as context,
        context.socket(zmq.DEALER) as socket,
    ):
        socket.linger = 0
        socket.connect(found.ipc)
        layout = {"width": 10, "height": 8, "sample": "u8", "channels": 3}
        header = {"v": VERSION, "id": 1, "request": "put", "pixels": [layout]}
        socket.send_multipart([json.dumps(header).encode(), rng.randbytes(240)])
        handle = json.loads(socket.recv_multipart()[0])["handle"]
        for number in range(count):
            socket.send_multipart(spoilt(rng, handle))
            if number % 50 == 49:
                assert sound_answer(socket)["pid"] == found.pid


def rude(rng: random.Random, message: bytes) -> bytes:
    """What a stranger without a key sends: bytes, or something that begins as ZMTP 3.0 does."""
    mechanism = rng.choice((b"CURVE", b"NULL", b"PLAIN", rng.randbytes(5))).ljust(20, b"\0")
    greeting = b"\xff" + bytes(8) + b"\x7f\x03" + bytes([rng.choice((0, 1))]) + mechanism
    hello = b"\x05HELLO" + rng.randbytes(rng.choice((0, 50, 194, 194, 250)))
    ready = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
    body = rng.choice((hello, hello, ready, message))
    framed = bytes([rng.choice((0, 2, 4, 6)), len(body) % 256]) + body
    sent = bytearray(greeting + bytes(32) + framed + rng.choice((b"", message)))
    for _ in range(rng.choice((0, 0, 1, 5))):
        sent[rng.randrange(len(sent))] = rng.randrange(256)
    return bytes(sent[: rng.randrange(len(sent))] if rng.random() < 0.1 else sent)


@counts(5_000, 500_000)
def test_fuzzed_messages_of_strangers_do_no_harm(count: int) -> None:
    """Each over a connection of its own, as none of them lives longer."""
    rng = random.Random(22)
    sent = 0
    with unharmed("--tcp") as found:
        ports = [int(way.rpartition(":")[2]) for way in (found.tcp, found.pulse_tcp)]
        while sent < count:
            with contextlib.ExitStack() as stack:
                crowd = [stack.enter_context(sockets.socket()) for _ in range(CROWD)]
                for stranger in crowd:
                    stranger.settimeout(10)
                    with contextlib.suppress(OSError):
                        stranger.connect(("127.0.0.1", ports[sent % 2]))
                        stranger.sendall(rude(rng, b"".join(spoilt(rng, "0" * 32))))
                        sent += 1
                        stranger.shutdown(sockets.SHUT_WR)
                for stranger in crowd:
                    with contextlib.suppress(OSError):
                        while stranger.recv(1000):
                            pass


@counts(2_500, 100_000)
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
