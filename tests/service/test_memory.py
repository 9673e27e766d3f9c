"""What memory a backend takes, whatever those who have the key send, and what it gives back."""

from __future__ import annotations

import contextlib
import json
import os
import socket as sockets
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import zmq
from nightflash.service.connection import Connection
from nightflash.service.protocol import VERSION
from nightflash.service.watchdog import LEAST_FREE, UNDER_WAY, Watchdog

from tests.service.backend import a_place, pixels, until
from tests.service.test_fuzz import resident
from tests.service.test_lifecycle import runs

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")

SMALL = pixels(np.full((20, 30, 3), 90, np.uint8))
OVERSHOOT_MB = 512  # what comes in between two looks


def test_a_message_that_never_ends_is_ended() -> None:
    with a_place("--networks", "builtin", "--device", "cpu", "--upload-memory", "64") as place:
        with place.client() as client:
            client.work("preview", SMALL)
            pid = client.ask("hello")["pid"]
        found = Connection.read()
        assert found is not None
        rest = most = resident(pid)
        frame = b"\x03" + struct.pack(">Q", 8 * 2**20) + bytes(8 * 2**20)  # long, and more follows
        with by_hand(found.ipc) as stranger, contextlib.suppress(OSError):
            for _ in range(2 * UNDER_WAY // len(frame)):
                stranger.sendall(frame)
                most = max(most, resident_or_none(pid))
        assert any(not runs(pid) for _ in until(10)), "it took in all there was"
        assert most < rest + UNDER_WAY / 2**20 + OVERSHOOT_MB
        assert "messages that never end took" in place.log
        assert sorted(entry.name for entry in (place.folder / "run").iterdir()) == ["backend.lock"]
        with place.client() as client:
            assert client.work("preview", SMALL).header["reply"] == "result"


def by_hand(address: str) -> sockets.socket:
    """A connection that has greeted as libzmq's sockets do (ZMTP 3.0, NULL): those flush no part
    of a message before its end."""
    stranger = sockets.socket(sockets.AF_UNIX)
    stranger.settimeout(10)
    stranger.connect(address.removeprefix("ipc://"))
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
    stranger.sendall(greeting)
    kind = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
    stranger.sendall(b"\x04" + bytes([len(kind)]) + kind)
    return stranger


def resident_or_none(pid: int) -> float:
    """MB, 0 of a process that ended meanwhile."""
    try:
        return resident(pid)
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0.0


def test_small_pictures_cost_what_they_are_charged() -> None:
    """800 bytes each, 20,000 of them: 16 MB of pixels."""
    with a_place("--networks", "builtin", "--device", "cpu", "--upload-memory", "96") as place:
        with place.client() as client:
            client.work("preview", SMALL)
            pid = client.ask("hello")["pid"]
        found = Connection.read()
        assert found is not None
        before = resident(pid)
        layout = {"width": 800, "height": 1, "sample": "u8", "channels": 1}
        with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(found.ipc)
            for number in range(20_000):
                header = {"v": VERSION, "id": number, "request": "put", "pixels": [layout]}
                socket.send_multipart([json.dumps(header).encode(), os.urandom(800)])
                assert socket.poll(10_000)
                socket.recv_multipart()
            with place.client() as client:
                assert client.ask("status")["upload_bytes"] <= 96 * 2**20
        assert resident(pid) - before < 96 + 32


def test_memory_goes_back_after_release() -> None:
    with a_place() as place, place.client() as client:
        large = pixels(np.random.default_rng(1).integers(0, 256, (1200, 1600, 3), np.uint8))
        client.work("render", large, settings={"quality": "fast"})
        client.forget(large)
        pid = client.ask("hello")["pid"]
        held = resident(pid)
        client.ask("release")
        assert any(client.ask("status")["state"] == "released" for _ in until(10))
        time.sleep(0.5)
        assert resident(pid) < held - 10


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What a watchdog reads of process and machine."""
    told = {"resident": 10**9, "available": 2**40}
    for name in told:
        monkeypatch.setattr(f"nightflash.service.watchdog.{name}", lambda name=name: told[name])
    return told


def test_what_is_accounted_for_or_worked_with_is_no_fault(machine: dict[str, int]) -> None:
    dog = Watchdog(0)
    assert dog.look(0, busy=False) == ""
    machine["resident"] += UNDER_WAY + 1
    assert dog.look(UNDER_WAY, busy=False) == ""
    assert dog.look(0, busy=True) == ""
    assert dog.look(0, busy=False) == "", "networks that were read meanwhile"
    machine["resident"] += UNDER_WAY + 1
    assert "never end" in dog.look(0, busy=False)


def test_a_machine_about_to_swap_is_left_alone(machine: dict[str, int]) -> None:
    dog = Watchdog(0)
    assert dog.look(0, busy=True) == ""
    machine["available"] = LEAST_FREE - 1
    assert "used up" in dog.look(0, busy=True)
    assert dog.look(machine["resident"], busy=False) == "", "it is the pictures', which are bounded"
