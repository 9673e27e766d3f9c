"""One connection to a running backend: sockets, a request and its answer, signs of its death.

Standard library and pyzmq only.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import zmq
from zmq.utils.monitor import recv_monitor_message

from nightflash.client.connection import Connection
from nightflash.client.holder import backend_runs
from nightflash.client.progress import Tell, tell_nobody
from nightflash.client.protocol import (
    VERSION,
    Header,
    Message,
    Pixels,
    check_version,
    raise_fault,
    read_header,
)
from nightflash.errors import NightFlashError

PULSE_SECONDS = 1.0
MOST_UNEXPLAINED = 4  # handshakes that fail without a word
BROKEN = (zmq.Event.DISCONNECTED, zmq.Event.CLOSED, zmq.Event.CONNECT_RETRIED)
SEND_MILLISECONDS = 4000


class BackendLost(NightFlashError):
    """The backend ended; the next request finds or starts another one."""

    def __init__(self, sentence: str, remedy: str = "Try again: it is started anew.") -> None:
        super().__init__(sentence, remedy, code="backend_lost")


class BackendHangs(BackendLost):
    """The backend runs and does not answer.

    Args:
        pid: Its process.
        remedy: What to do.
    """

    def __init__(
        self, pid: int, remedy: str = "Stop it with 'nightflash stop' and try again."
    ) -> None:
        super().__init__("The backend does not answer.", remedy)
        self.pid, self.code = pid, "backend_hangs"


def open_link(silence: float) -> Link | None:
    """Connect to the backend that runs, or None where none does.

    Args:
        silence: Seconds without a sign of life after which it is taken to hang.

    Raises:
        NightFlashError: ``no_key``, ``not_private`` or ``wrong_version``.
        BackendLost: It ended meanwhile.
        BackendHangs: It is there and does not answer.
    """
    found = Connection.read()
    if found is None or not backend_runs():  # a stale file's port may be anybody's by now
        return None
    check_version({"v": found.protocol}, "client")
    link = Link(found, silence)
    try:
        if not link.arrives():
            link.close()
            return None
        link.about = link.exchange(Request({"request": "hello"})).header
    except BaseException:
        link.close()
        raise
    return link


@dataclass(frozen=True)
class Request:
    """What is asked of the backend.

    Attributes:
        header: Without version and number.
        pictures: What goes with it.
        seconds: Until the answer must be there, whatever signs of life there are.
    """

    header: Header
    pictures: Sequence[Pixels] = ()
    seconds: float = float("inf")


class Link:
    """Sockets to one backend: one for messages, one for its pulse, which its own loop answers.

    Attributes:
        about: What the backend said of itself, once `open_link` has asked.
        transport: ``ipc`` or ``tcp``.
    """

    def __init__(self, connection: Connection, silence: float) -> None:
        self._silence, self._pid = silence, connection.pid
        self.about: Header = {}
        self._numbers = itertools.count(1)
        by_ipc = bool(connection.ipc) and zmq.has("ipc")
        self.transport = "ipc" if by_ipc else "tcp"
        address = connection.ipc if by_ipc else connection.tcp
        pulse = connection.pulse_ipc if by_ipc and connection.pulse_ipc else connection.pulse_tcp
        if not address or not pulse:
            raise NightFlashError(
                "The backend has no port open, and this program can reach it by none other.",
                "Run 'nightflash stop', start it with 'nightflash serve --tcp', and try again.",
                code="no_way",
            )
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._pulse = self._context.socket(zmq.DEALER)
        self._monitor = self._socket.get_monitor_socket()
        for socket, where in ((self._socket, address), (self._pulse, pulse)):
            socket.linger = 0
            socket.immediate = True  # nothing waits for a backend that is not there
            socket.sndtimeo = SEND_MILLISECONDS
            if where.startswith("tcp"):
                socket.curve_serverkey = connection.server_key.encode()
                socket.curve_publickey = connection.public_key.encode()
                socket.curve_secretkey = connection.secret_key.encode()
            socket.connect(where)

    def close(self) -> None:
        """Close the sockets."""
        self._socket.disable_monitor()
        self._context.destroy(linger=0)

    def arrives(self) -> bool:
        """Wait for the connection; False where nobody listens any more.

        Raises:
            NightFlashError: ``no_key``.
            BackendHangs: Somebody listens and does not greet.
        """
        until = time.monotonic() + self._silence
        unexplained = 0
        while time.monotonic() < until:
            if not self._monitor.poll(100):
                continue
            event = recv_monitor_message(self._monitor)["event"]
            if event == zmq.Event.HANDSHAKE_SUCCEEDED:
                return True
            if event == zmq.Event.CLOSED:
                return False
            # A wrong key of the server's looks like a backend that dies meanwhile, or that throws
            # out strangers because there are many.
            unexplained += event == zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
            if event == zmq.Event.HANDSHAKE_FAILED_AUTH or unexplained > MOST_UNEXPLAINED:
                raise NightFlashError(
                    "The backend does not accept this client's key.",
                    "Stop the backend with 'nightflash stop' and try again.",
                    code="no_key",
                )
        raise BackendHangs(self._pid)

    def exchange(
        self,
        request: Request,
        tell: Tell = tell_nobody,
        cancel: threading.Event | None = None,
    ) -> Message:
        """Send a request and wait for its result.

        Raises:
            NightFlashError: What the backend refuses.
            BackendLost: It has ended or does not answer.
            Cancelled: ``cancel`` was set, and the backend has stopped the work.
        """
        number = next(self._numbers)
        self._send(number, request.header, request.pictures)
        poller = zmq.Poller()
        for socket in (self._socket, self._monitor, self._pulse):
            poller.register(socket, zmq.POLLIN)
        heard = started = time.monotonic()
        beat = float("-inf")
        cancelling = False
        while True:
            ready = dict(poller.poll(50))
            now = time.monotonic()
            if self._pulse in ready or self._socket in ready:
                heard = now  # and no event of our own sockets is a sign of life
            if self._pulse in ready:
                self._pulse.recv_multipart()
            if self._socket in ready:
                answer = self._receive(number, tell)
                if answer is not None:
                    return answer
            elif self._monitor in ready:
                self._watch()
            if cancel is not None and cancel.is_set() and not cancelling:
                cancelling = True
                self._send(next(self._numbers), {"request": "cancel", "job": number})
            if now - beat > PULSE_SECONDS:
                beat = now
                with contextlib.suppress(zmq.Again):
                    self._pulse.send(b"", zmq.DONTWAIT)
            if now - started > request.seconds or now - heard > self._silence:
                raise BackendHangs(self._pid)

    def _send(self, number: int, header: Header, pictures: Sequence[Pixels] = ()) -> None:
        message = Message({"v": VERSION, "id": number, **header}, pictures)
        try:
            self._socket.send_multipart(message.frames(), copy=False)
        except zmq.Again:
            raise BackendLost("The backend has ended.") from None

    def _receive(self, number: int, tell: Tell) -> Message | None:
        """Take one message; the result if it is that of request ``number``."""
        first, *rest = self._socket.recv_multipart(copy=False)
        header = read_header(first.buffer)
        check_version(header, "client")
        reply, whose = header.get("reply"), header.get("id")
        if reply == "error" and whose in (number, None):
            raise_fault(header)
        if whose != number:
            return None  # a sign of life, or what is left of a request given up
        if reply == "progress":
            tell(str(header["stage"]), float(header["fraction"]), str(header["message"]))
            return None
        return Message.from_frames(header, [frame.buffer for frame in rest])

    def _watch(self) -> None:
        """See what became of the connection: what was asked over one that broke is lost."""
        if recv_monitor_message(self._monitor)["event"] in BROKEN:
            raise BackendLost("The backend ended unexpectedly.")
