"""What memory a backend takes, whatever those who have the key send, and what it gives back."""

from __future__ import annotations

import contextlib
import json
import os
import socket as sockets
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq
from nightflash.client.connection import Connection
from nightflash.client.protocol import VERSION
from nightflash.server.upkeep import GROWTH, Files, Memory
from nightflash.server.watchdog import LEAST_FREE, UNDER_WAY, Watchdog

from tests.server.backend import a_place, pixels, until
from tests.server.test_fuzz import resident

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")

SMALL = pixels(np.full((20, 30, 3), 90, np.uint8))
OVERSHOOT_MB = 512  # what comes in between two looks


PLACE = ("--networks", "builtin", "--device", "cpu", "--upload-memory", "64")
FRAME = b"\x03" + struct.pack(">Q", 8 * 2**20) + bytes(8 * 2**20)  # long, and more follows
BOUND_MB = UNDER_WAY / 2**20 + OVERSHOOT_MB


@pytest.mark.parametrize("idle", [False, True])
def test_who_sends_a_message_that_never_ends_is_thrown_out(idle: bool) -> None:
    """One who goes on sending, while others go on working; or many who send a part and wait."""
    with a_place(*PLACE) as place, place.client() as client:
        client.work("preview", SMALL)
        pid = client.ask("hello")["pid"]
        found = Connection.read()
        assert found is not None
        rest = most = resident(pid)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            strangers = [stack.enter_context(by_hand(found.ipc)) for _ in range(12 if idle else 1)]
            for _ in range(3 * UNDER_WAY // len(FRAME) // len(strangers)):
                for stranger in strangers:
                    stranger.sendall(FRAME)
                    most = max(most, resident(pid))
                    if not idle and most > rest + 200:
                        client.work("preview", SMALL)  # comes again where all had to go
            raise AssertionError("it took in all there was")
        assert any(resident(pid) < rest + 300 for _ in until(5)), "its memory came free"
        assert most < rest + BOUND_MB
        print(f"{rest:.0f} MB at rest, {most:.0f} MB at the most, {resident(pid):.0f} MB then")
        assert "messages that never end took" in place.log
        assert client.work("preview", SMALL).header["reply"] == "result"
        assert client.ask("hello")["pid"] == pid, "no process had to end"


class NoListener:
    """A listener at which nothing frees memory."""

    def __init__(self) -> None:
        self.asked: list[bool] = []

    def throw_out(self, routing: bytes | None = None, *, sending: bool = False) -> int:
        self.asked.append(sending)
        return 1


def test_first_who_sends_then_all_and_at_last_the_process_ends(
    machine: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr("logging.shutdown", lambda: None)
    listener, files = NoListener(), Files(None, [], lambda: False)  # type: ignore[arg-type]
    memory = Memory(Watchdog(0), [listener], files)  # type: ignore[list-item]
    memory.watch(0.0, 0, busy=False)
    machine["resident"] += UNDER_WAY + 1
    for now, asked in ((1.0, [True]), (2.9, [True]), (3.1, [True, False]), (4.9, [True, False])):
        memory.watch(now, 0, busy=False)
        assert (listener.asked, ended) == (asked, [])
    memory.watch(5.1, 0, busy=False)
    assert ended == [75]
    machine["resident"] -= UNDER_WAY
    memory.watch(6.0, 0, busy=False)
    machine["resident"] += UNDER_WAY
    memory.watch(7.0, 0, busy=False)
    assert listener.asked == [True, False, True], "another time begins anew"


def test_where_it_grows_on_without_the_senders_all_go_at_once(machine: dict[str, int]) -> None:
    listener, files = NoListener(), Files(None, [], lambda: False)  # type: ignore[arg-type]
    memory = Memory(Watchdog(0), [listener], files)  # type: ignore[list-item]
    memory.watch(0.0, 0, busy=False)
    for more, asked in ((UNDER_WAY + 1, [True]), (GROWTH, [True, True]), (1, [True, True, False])):
        machine["resident"] += more
        memory.watch(0.1, 0, busy=False)
        assert listener.asked == asked


def test_work_between_two_looks_makes_nothing_begin_anew(
    machine: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    listener, files = NoListener(), Files(None, [], lambda: False)  # type: ignore[arg-type]
    memory = Memory(Watchdog(0), [listener], files)  # type: ignore[list-item]
    memory.watch(0.0, 0, busy=False)
    for more, asked in ((UNDER_WAY + 1, [True]), (GROWTH, [True, True]), (1, [True, True, False])):
        machine["resident"] += more
        memory.watch(0.1, 0, busy=False)
        assert listener.asked == asked
        memory.watch(0.1, 0, busy=True)
    for now in (2.0, 60.0):  # long work, in which nobody can free anything
        memory.watch(now, 0, busy=True)
    memory.watch(60.1, 0, busy=False)
    assert ended == []


def test_half_of_what_is_allowed_has_it_look_more_often(machine: dict[str, int]) -> None:
    memory = Memory(Watchdog(0), [], Files(None, [], lambda: False))  # type: ignore[arg-type]
    memory.watch(0.0, 0, busy=False)
    calm = memory.pause
    machine["resident"] += UNDER_WAY // 2 + 1
    memory.watch(0.1, 0, busy=False)
    assert memory.pause < calm
    machine["resident"] -= UNDER_WAY // 2
    memory.watch(0.2, 0, busy=False)
    assert memory.pause == calm


def raw(context: zmq.Context[zmq.Socket[bytes]], found: Connection) -> zmq.Socket[bytes]:
    """A socket to the backend without a client around it."""
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    socket.rcvhwm = 1
    socket.connect(found.ipc)
    return socket


def ask(
    socket: zmq.Socket[bytes], request: str, *frames: bytes, **fields: object
) -> dict[str, Any]:
    """Ask, and wait for the reply."""
    header = {"v": VERSION, "id": 1, "request": request, **fields}
    socket.send_multipart([json.dumps(header).encode(), *frames])
    while socket.poll(20_000):
        reply = dict(json.loads(socket.recv_multipart()[0]))
        if reply["reply"] not in ("beat", "progress"):
            return reply
    raise AssertionError("no reply")


def test_pictures_that_were_dropped_count_while_they_are_worked_with() -> None:
    """A render of each, and each dropped at once: nobody gets more memory so."""
    with a_place(*PLACE) as place:
        with place.client() as client:
            client.work("preview", SMALL)
        found = Connection.read()
        assert found is not None
        layout = {"width": 4000, "height": 2000, "sample": "u8", "channels": 3}  # 24 MB
        codes = []
        with zmq.Context() as context, raw(context, found) as socket:
            for number in range(5):
                reply = ask(socket, "put", bytes(24_000_000), pixels=[layout])
                codes.append(reply.get("code"))
                if reply["reply"] == "error":
                    break
                settings = {"quality": "best", "steps": 1000}
                header = {"v": VERSION, "id": 10 + number, "request": "render"}
                work = {**header, "photo": reply["handle"], "settings": settings}
                socket.send(json.dumps(work).encode())
                ask(socket, "drop", handle=reply["handle"])
                assert ask(socket, "status")["upload_bytes"] >= (number + 1) * 24_000_000
            assert codes == [None, None, "busy"]
        with place.client() as client:
            for _ in until(30):  # who went away frees what was theirs
                if client.ask("status")["upload_bytes"] < 2**20:
                    break
            else:
                raise AssertionError("memory stayed charged")


def test_who_never_takes_pictures_is_thrown_out() -> None:
    """Many clients ask for one picture again and again and read nothing."""
    with a_place(*PLACE) as place, place.client() as other:
        other.work("preview", SMALL)
        pid = other.ask("hello")["pid"]
        found = Connection.read()
        assert found is not None
        rest = resident(pid)
        layout = {"width": 4000, "height": 1000, "sample": "u8", "channels": 3}  # 12 MB
        with zmq.Context() as context, contextlib.ExitStack() as stack:
            for _ in range(12):
                socket = stack.enter_context(raw(context, found))
                put = ask(socket, "put", bytes(12_000_000), pixels=[layout])
                if "handle" not in put:  # what the others have not taken fills the memory by then
                    assert put["code"] == "busy"
                    break
                handle = put["handle"]
                header = {"v": VERSION, "id": 1, "request": "get", "handle": handle}
                for _ in range(4):
                    socket.send(json.dumps(header).encode())
                drop = {"v": VERSION, "id": 1, "request": "drop", "handle": handle}
                socket.send(json.dumps(drop).encode())
            assert any("was thrown out" in place.log for _ in until(10))
            assert other.work("preview", SMALL).header["reply"] == "result"
            assert resident(pid) < rest + 3 * 64
        assert other.ask("hello")["pid"] == pid


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
    said = b""
    while b"Socket-Type" not in said:  # what comes before that may be taken for no handshake
        said += stranger.recv(4096)
    return stranger


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
    facts = {"resident": 10**9, "available": 2**40}
    for name in facts:
        monkeypatch.setattr(Watchdog, name, lambda dog, name=name: facts[name])
    return facts


def test_what_is_accounted_for_or_worked_with_is_no_fault(machine: dict[str, int]) -> None:
    dog = Watchdog(0)
    assert dog.look(0, busy=False) == ""
    machine["resident"] += UNDER_WAY + 1
    assert dog.look(UNDER_WAY, busy=False) == ""
    assert dog.look(0, busy=True) == ""
    assert "never end" in dog.look(0, busy=False), "work keeps nothing"
    assert dog.look(0, busy=True, loading=True) == ""
    assert dog.look(0, busy=False) == "", "but networks that were read do"
    machine["resident"] += UNDER_WAY + 1
    assert "never end" in dog.look(0, busy=False)


def test_networks_that_come_and_go_hide_no_message(machine: dict[str, int]) -> None:
    dog = Watchdog(0)
    reasons = []
    for _ in range(5):
        reasons.append(dog.look(0, busy=False))
        machine["resident"] += UNDER_WAY - 1
        assert dog.look(0, busy=True, loading=True) == ""
    assert reasons[:3] == ["", "", ""]
    assert "never end" in reasons[4]


def test_a_machine_about_to_swap_is_left_alone(machine: dict[str, int]) -> None:
    dog = Watchdog(0)
    assert dog.look(0, busy=True) == ""
    machine["available"] = LEAST_FREE - 1
    assert "used up" in dog.look(0, busy=True)
    assert dog.look(machine["resident"], busy=False) == "", "it is the pictures', which are bounded"
