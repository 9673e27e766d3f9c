"""Who has no key stays out: refused, logged, and nothing else."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import socket as sockets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zmq
from nightflash.client.client import Client
from nightflash.client.connection import Connection
from nightflash.errors import NightFlashError

from tests.server.backend import Place, a_place, pixels, until

DAY = pixels(np.full((20, 30, 3), 90, np.uint8))


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with a_place("--networks", "builtin", "--device", "cpu", "--tcp") as place:
        yield place


@pytest.fixture
def found(client: Client) -> Connection:
    client.connect()
    found = Connection.read()
    assert found is not None
    return found


@pytest.fixture
def by_tcp(found: Connection) -> Iterator[Connection]:
    """The connection file without the way through the private folder."""
    other = dataclasses.replace(found, ipc="", pulse_ipc="")
    other.write()
    yield other
    found.write()


def test_tcp_serves_those_who_have_the_key(place: Place, by_tcp: Connection) -> None:
    with place.client(starts=False) as client:
        assert client.work("preview", DAY).header["reply"] == "result"
        assert client.transport == "tcp"


@pytest.mark.parametrize("wrong", ["client", "server"])
def test_a_wrong_key_is_told_in_a_sentence_and_not_retried_for_ever(
    place: Place, by_tcp: Connection, wrong: str
) -> None:
    public, secret = (key.decode() for key in zmq.curve_keypair())
    keys = (
        {"public_key": public, "secret_key": secret}
        if wrong == "client"
        else {"server_key": public}
    )
    dataclasses.replace(by_tcp, **keys).write()
    started = time.monotonic()
    with place.client(starts=False) as client, pytest.raises(NightFlashError) as caught:
        client.ask("status")
    assert caught.value.code == "no_key"
    assert "nightflash stop" in caught.value.remedy
    assert time.monotonic() - started < 5
    assert any("without the right key" in place.log for _ in until(5))


def test_a_client_without_any_key_hears_nothing(client: Client, found: Connection) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    for address in (found.tcp, found.pulse_tcp):
        with context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(address)
            socket.send(b'{"v": 1, "id": 1, "request": "shutdown"}')
            assert not socket.poll(500)
    context.destroy(linger=0)
    assert client.work("preview", DAY).header["reply"] == "result"


def test_the_pulse_answers_who_has_the_key_by_tcp_too(found: Connection) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.curve_serverkey = found.server_key.encode()
        socket.curve_publickey = found.public_key.encode()
        socket.curve_secretkey = found.secret_key.encode()
        socket.connect(found.pulse_tcp)
        for frame in (b"", b"a sign of life", bytes(64)):
            socket.send(frame)
            assert socket.poll(10_000)
            assert socket.recv() == frame
        socket.send(bytes(65))
        socket.send(b"next")
        assert socket.poll(10_000)
        assert socket.recv() == b"next", "what is larger is not answered"


def test_random_bytes_at_the_ports_do_nothing(
    place: Place, client: Client, found: Connection
) -> None:
    rng = random.Random(4)
    for address in (found.tcp, found.pulse_tcp):
        port = int(address.rpartition(":")[2])
        for length in (0, 1, 10, 64, 1000, 100_000):
            with sockets.create_connection(("127.0.0.1", port), timeout=5) as stranger:
                try:
                    stranger.sendall(rng.randbytes(length))
                    stranger.shutdown(sockets.SHUT_WR)
                    stranger.recv(10)
                except OSError:
                    continue  # thrown out already
    assert client.work("preview", DAY).header["reply"] == "result"
    assert client.ask("status")["pid"] == found.pid
    assert "Traceback" not in place.log


def test_a_port_scan_is_logged(place: Place, client: Client, found: Connection) -> None:
    test_random_bytes_at_the_ports_do_nothing(place, client, found)
    assert any("without the right key" in place.log for _ in until(15))


def test_the_ports_are_open_to_this_machine_alone(found: Connection) -> None:
    assert found.tcp.startswith("tcp://127.0.0.1:")
    assert found.pulse_tcp.startswith("tcp://127.0.0.1:")


def test_files_and_sockets_are_the_users_own(place: Place, found: Connection) -> None:
    folder = place.folder / "run"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for entry in folder.iterdir():
        assert stat.S_IMODE(entry.stat().st_mode) & 0o077 == 0, entry
    assert {"connection.json", "backend.lock", "requests.ipc", "pulse.ipc"} == {
        entry.name for entry in folder.iterdir()
    }


def test_a_connection_file_open_to_others_is_not_believed(place: Place, found: Connection) -> None:
    os.kill(found.pid, signal.SIGSTOP)  # the backend would write it anew
    Connection.path().chmod(0o644)
    try:
        with place.client(starts=False) as client, pytest.raises(NightFlashError) as caught:
            client.ask("status")
        assert caught.value.code == "not_private"
        result = place.command("status")
        assert (result.returncode, result.stdout) == (2, "")
        assert "is open to other users. Run: chmod 600" in result.stderr
    finally:
        Connection.path().chmod(0o600)
        os.kill(found.pid, signal.SIGCONT)


@pytest.mark.skipif(os.getuid() != 0, reason="needs to be root, to become somebody else")
def test_another_user_gets_nowhere(place: Place, found: Connection) -> None:
    place.folder.chmod(0o755)  # so that only the folder's own lock is left
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(12345)
            os.write(writing, " ".join(_strangers_luck(found)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        assert answer.read() == "PermissionError PermissionError"


def _strangers_luck(found: Connection) -> Iterator[str]:
    """What looks at another user's file and socket end in."""
    for address in (Connection.path(), Path(found.ipc.removeprefix("ipc://"))):
        try:
            if address.suffix == ".ipc":
                with sockets.socket(sockets.AF_UNIX) as stranger:
                    stranger.connect(str(address))
            else:
                address.read_bytes()
            yield "let in"
        except OSError as error:
            yield type(error).__name__
