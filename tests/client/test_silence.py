"""Nobody waits for ever: what counts as a sign of life, and what becomes of the silent."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import socket as sockets
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import zmq
from nightflash.client import client as clients
from nightflash.client.client import DIALOG_SILENCE, Client
from nightflash.client.connection import Connection
from nightflash.client.link import BackendHangs, BackendLost, Link, Request
from nightflash.client.protocol import VERSION
from nightflash.client.zmq_link import ZmqLink
from nightflash.errors import NightFlashError

from tests.server.backend import SERVE, a_place, array, pixels, until
from tests.server.test_lifecycle import runs

SMALL = pixels(np.full((20, 30, 3), 90, np.uint8))
SLOW = 20e6 / 8  # bytes a second: 20 Mbit/s


class StandIn(threading.Thread):
    """A backend that answers `hello`, nothing else, and no pulse."""

    def __init__(self, folder: str) -> None:
        super().__init__(daemon=True)
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.over = threading.Event()
        addresses = {name: f"ipc://{folder}/{name}" for name in ("requests", "pulse")}
        self.connection = Connection(
            VERSION, "0", os.getpid(), addresses["requests"], "", addresses["pulse"], "", "", "", ""
        )
        self.sockets = [self.context.socket(zmq.ROUTER) for _ in addresses]
        for socket, address in zip(self.sockets, addresses.values(), strict=True):
            socket.linger = 0
            socket.bind(address)

    def run(self) -> None:
        while not self.over.is_set():
            if self.sockets[0].poll(50):
                who, first, *_ = self.sockets[0].recv_multipart()
                if json.loads(first)["request"] == "hello":
                    answer = {"v": VERSION, "id": json.loads(first)["id"], "reply": "result"}
                    self.sockets[0].send_multipart([who, json.dumps(answer).encode()])
        self.context.destroy(linger=0)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with a_place() as place:
        (place.folder / "run").mkdir(mode=0o700)
        one = StandIn(str(place.folder / "run"))
        one.start()
        yield one
        one.over.set()
        one.join()


def asked(link: Link) -> tuple[threading.Thread, list[NightFlashError]]:
    """A thread that asks and gets no answer, and what it comes to."""
    outcome: list[NightFlashError] = []

    def ask() -> None:
        try:
            link.exchange(Request({"request": "status"}))
        except NightFlashError as fault:
            outcome.append(fault)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    return asking, outcome


def test_events_of_its_own_sockets_are_no_sign_of_life(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libzmq tells of its own tries to connect again and again, and the other side nothing."""
    link = ZmqLink(stand_in.connection, 1.0)
    assert link.arrives()
    link.exchange(Request({"request": "hello"}))

    def forever(monitor: object) -> dict[str, int]:
        return {"event": int(zmq.Event.CONNECT_DELAYED)}

    reading, writing = stand_in.context.socket(zmq.PAIR), stand_in.context.socket(zmq.PAIR)
    reading.bind("inproc://events")
    writing.connect("inproc://events")
    writing.send(b"never taken out")
    link._socket.disable_monitor()
    link._monitor.close(0)
    link._poller.unregister(link._monitor)
    link._monitor = reading
    link._poller.register(reading, zmq.POLLIN)
    monkeypatch.setattr("nightflash.client.zmq_link.recv_monitor_message", forever)
    asking, outcome = asked(link)
    asking.join(10)
    assert [type(fault) for fault in outcome] == [BackendHangs]
    link.close()
    for end in (reading, writing):
        end.close(0)


def test_a_backend_that_ends_while_it_is_asked_is_lost_at_once(stand_in: StandIn) -> None:
    link = ZmqLink(stand_in.connection, 15.0)
    assert link.arrives()
    link.exchange(Request({"request": "hello"}))
    asking, outcome = asked(link)
    stand_in.over.set()
    asking.join(10)
    assert [type(fault) for fault in outcome] == [BackendLost]
    link.close()


@pytest.mark.parametrize("way", ["forget", "echo"])
def test_a_broken_link_is_not_kept(way: str) -> None:
    with a_place() as place, place.client() as client:
        client.work("preview", SMALL)
        place.kill()
        if way == "forget":
            client.forget(SMALL)
        else:
            with pytest.raises(BackendLost):
                client.echo(pixels(np.zeros((8, 8, 1), np.uint8)))
        assert client.transport == "", "the next request connects anew"
        assert client.work("preview", SMALL).header["reply"] == "result"


def test_a_hung_backend_is_told_by_its_loop_and_replaced_when_asked_again() -> None:
    with a_place() as place:
        command = (*SERVE, *place.options)
        with Client(command, place.variables, silence=1.5, replaces=True) as client:
            first = client.ask("hello")["pid"]
            os.kill(first, signal.SIGSTOP)
            with pytest.raises(BackendHangs) as caught:
                client.work("preview", SMALL)
            assert "another one takes its place" in caught.value.remedy
            assert runs(first), "nothing is ended unasked"
            sentences: list[str] = []
            answer = client.work(
                "preview", SMALL, report_progress=lambda s, f, words: sentences.append(words)
            )
            assert answer.header["reply"] == "result"
            assert "Ending the backend that does not answer" in sentences
            assert client.ask("hello")["pid"] != first
            assert any(not runs(first) for _ in until(5))


LOOP_STUCK = """
import sys, time
from nightflash.server.answers import Answers
from nightflash.cli import main
answer = Answers.answer
def stuck(self, client, number, message):
    if message.header.get("request") == "drop":
        time.sleep(600)  # the loop, while the threads of libzmq go on
    return answer(self, client, number, message)
Answers.answer = stuck
sys.exit(main(["serve", *sys.argv[1:]]))
"""


def test_a_loop_that_is_stuck_hangs_whatever_other_threads_do() -> None:
    with a_place() as place:
        command = (sys.executable, "-c", LOOP_STUCK, *place.options)
        with Client(command, place.variables) as starter:
            starter.connect()
        found = Connection.read()
        assert found is not None
        link = ZmqLink(found, 1.5)
        assert link.arrives()
        outcome: list[BaseException] = []

        def ask() -> None:
            try:
                link.exchange(Request({"request": "drop", "handle": ""}))
            except NightFlashError as fault:
                outcome.append(fault)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(12)
        assert [type(fault) for fault in outcome] == [BackendHangs]
        link.close()
        assert f"process {found.pid}" in place.command("stop").stdout


def test_a_backend_that_hung_before_anybody_came_is_told_and_replaced() -> None:
    """By those that may start one too, and by the second request of who looks on."""
    with a_place() as place:
        with place.client() as client:
            first = client.ask("hello")["pid"]
        os.kill(first, signal.SIGSTOP)
        command = (*SERVE, *place.options)
        for starts in (command, None):
            with (
                Client(starts, place.variables, silence=1.5) as client,
                pytest.raises(BackendLost) as caught,
            ):
                client.connect()
            assert "nightflash stop" in caught.value.remedy
            assert runs(first)
        with Client(command, place.variables, silence=1.5, replaces=True) as client:
            with pytest.raises(BackendHangs) as hung:
                client.connect()
            assert (hung.value.code, hung.value.pid) == ("backend_hangs", first)
            assert "another one takes its place" in hung.value.remedy
            assert client.work("preview", SMALL).header["reply"] == "result"
            assert any(not runs(first) for _ in until(5))


def test_who_replaces_a_hung_backend_leaves_the_next_one_alone() -> None:
    """Two dialogs meet the same hung backend; the second finds the one that the first began."""
    with a_place() as place:
        command = (*SERVE, *place.options)
        with (
            Client(command, place.variables, silence=1.5, replaces=True) as one,
            Client(command, place.variables, silence=1.5, replaces=True) as other,
        ):
            os.kill(one.ask("hello")["pid"], signal.SIGSTOP)
            for client in (one, other):
                with pytest.raises(BackendHangs):
                    client.ask("hello")
            second = one.ask("hello")["pid"]
            assert other.ask("hello")["pid"] == second
            assert runs(second)


class Line:
    """A way for so many bytes a second, whichever direction and connection they belong to."""

    def __init__(self, rate: float) -> None:
        self.rate, self._free, self._lock = rate, time.monotonic(), threading.Lock()

    def wait(self, count: int) -> None:
        """Until ``count`` bytes have gone, after those of whoever came before."""
        with self._lock:
            self._free = max(self._free, time.monotonic()) + count / self.rate
            until_then = self._free
        time.sleep(max(0.0, until_then - time.monotonic()))


def throttled(port: int, line: Line, over: threading.Event) -> int:
    """A port of this machine that leads to ``port`` over ``line``."""
    listening = sockets.create_server(("127.0.0.1", 0))

    def carry(source: sockets.socket, target: sockets.socket) -> None:
        with contextlib.suppress(OSError):
            while not over.is_set() and (data := source.recv(int(line.rate / 50))):
                line.wait(len(data))
                target.sendall(data)

    def serve(one: sockets.socket) -> None:
        with one, sockets.create_connection(("127.0.0.1", port)) as other:
            for socket in (one, other):
                socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 65536)
                socket.settimeout(60)
            back = threading.Thread(target=carry, args=(other, one), daemon=True)
            back.start()
            carry(one, other)
            back.join()

    def listen() -> None:
        with listening:
            listening.settimeout(0.1)
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    one, _ = listening.accept()
                    threads.append(threading.Thread(target=serve, args=(one,), daemon=True))
                    threads[-1].start()
            for thread in threads:
                thread.join()

    threads: list[threading.Thread] = []
    port_here = int(listening.getsockname()[1])
    threading.Thread(target=listen, name="throttled", daemon=True).start()
    return port_here


@pytest.mark.parametrize("rows", [3000, pytest.param(10_000, marks=pytest.mark.endurance)])
def test_a_transfer_under_way_is_alive_at_20_mbit(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """12 MB, or 40 MB, there and back; the time for an answer is shortened likewise."""
    monkeypatch.setattr(clients, "ANSWER_SECONDS", rows / 10_000 * clients.ANSWER_SECONDS)
    over, line = threading.Event(), Line(SLOW)
    with a_place("--networks", "builtin", "--device", "cpu", "--tcp") as place:
        with place.client() as client:
            client.connect()
        found = Connection.read()
        assert found is not None
        ways = {
            name: f"tcp://127.0.0.1:{throttled(int(way.rpartition(':')[2]), line, over)}"
            for name, way in (("tcp", found.tcp), ("pulse_tcp", found.pulse_tcp))
        }
        monkeypatch.setattr(
            Connection,
            "read",
            classmethod(
                lambda cls: dataclasses.replace(found, ipc="", pulse_ipc="", **ways)  # type: ignore[arg-type]
            ),
        )
        sent = np.random.default_rng(3).integers(0, 256, (rows, 4000, 1), np.uint8)
        with place.client(starts=False, silence=DIALOG_SILENCE) as client:
            started = time.monotonic()
            np.testing.assert_array_equal(array(client.echo(pixels(sent))), sent)
            assert client.transport == "tcp"
            assert time.monotonic() - started > 2 * sent.size / SLOW * 0.8, "it was throttled"
    over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("throttled"):
            thread.join(10)


def test_a_backend_killed_while_it_starts_is_started_again() -> None:
    """The first one is killed before it serves."""
    with a_place() as place:
        marker = place.folder / "was here"
        code = (
            f"import os, pathlib, signal, sys; mark = pathlib.Path({str(marker)!r})\n"
            "if not mark.exists():\n"
            "    mark.touch(); os.kill(os.getpid(), signal.SIGKILL)\n"
            "from nightflash.cli import main; sys.exit(main(['serve', *sys.argv[1:]]))"
        )
        with Client((sys.executable, "-c", code, *place.options), place.variables) as client:
            assert client.work("preview", SMALL).header["reply"] == "result"
        assert marker.exists()
        always = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
        place.command("stop")
        with (
            Client((sys.executable, "-c", always), place.variables) as client,
            pytest.raises(NightFlashError, match="ended with exit code -9"),
        ):
            client.connect()


def test_a_client_that_has_no_way_in_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_place() as place, place.client() as starter:
        starter.connect()
        assert not starter.ask("status").get("tcp")
        found = Connection.read()
        assert found is not None
        assert found.tcp == found.pulse_tcp == "", "no port is open unless asked for"
        monkeypatch.setattr(zmq, "has", lambda what: False)
        with place.client() as client, pytest.raises(NightFlashError, match="no port open") as no:
            client.connect()
        assert "serve --tcp" in no.value.remedy
