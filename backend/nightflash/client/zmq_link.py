"""The link of a Python that has pyzmq: sockets for messages, and for the pulse."""

from __future__ import annotations

import contextlib
import time

import zmq
from zmq.utils.monitor import recv_monitor_message

from nightflash.client.connection import Connection
from nightflash.client.link import BackendHangs, BackendLost, Frames, Link
from nightflash.client.protocol import Buffer
from nightflash.errors import NightFlashError

PULSE_SECONDS = 1.0
MOST_UNEXPLAINED = 4  # handshakes that fail without a word
BROKEN = (zmq.Event.DISCONNECTED, zmq.Event.CLOSED, zmq.Event.CONNECT_RETRIED)
SEND_MILLISECONDS = 4000


class ZmqLink(Link):
    """Sockets to one backend: one for messages, one for its pulse, which its own loop answers.

    Args:
        connection: Where and with which keys.
        silence: See `Link`.

    Raises:
        NightFlashError: ``no_way``: it has no port, and ipc is not to be had here.
    """

    def __init__(self, connection: Connection, silence: float) -> None:
        super().__init__(connection.pid, silence)
        self._elsewhere = not connection.pid
        self._beat = float("-inf")
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
                socket.ipv6 = "[" in where
                socket.curve_serverkey = connection.server_key.encode()
                socket.curve_publickey = connection.public_key.encode()
                socket.curve_secretkey = connection.secret_key.encode()
            socket.connect(where)

        self._poller = zmq.Poller()
        for socket in (self._socket, self._monitor, self._pulse):
            self._poller.register(socket, zmq.POLLIN)

    def close(self) -> None:
        """Close the sockets."""
        self._socket.disable_monitor()
        self._context.destroy(linger=0)

    def arrives(self) -> bool:
        """See `Link`."""
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
            refused = event == zmq.Event.HANDSHAKE_FAILED_AUTH
            if refused or unexplained > MOST_UNEXPLAINED:
                raise NightFlashError(
                    "The backend does not accept this client's key.",
                    "Stop the backend with 'nightflash stop' and try again.",
                    code="not_let_in" if refused and self._elsewhere else "no_key",
                )
        raise BackendHangs(self._pid)

    def _ready(self, seconds: float) -> dict[object, int]:
        """Ask for an echo where it is time, and wait: which sockets have something."""
        now = time.monotonic()
        if now - self._beat > PULSE_SECONDS:
            self._beat = now
            with contextlib.suppress(zmq.Again):
                self._pulse.send(b"", zmq.DONTWAIT)
        return dict(self._poller.poll(int(1000 * seconds)))

    def _send_frames(self, frames: list[Buffer]) -> None:
        try:
            self._socket.send_multipart(frames, copy=False)
        except zmq.Again:
            raise BackendLost("The backend has ended.") from None

    def _arrived(self, seconds: float) -> tuple[bool, Frames | None]:
        ready = self._ready(seconds)
        alive = self._pulse in ready or self._socket in ready
        if self._pulse in ready:
            self._pulse.recv_multipart()
        if self._socket in ready:
            return True, [frame.buffer for frame in self._socket.recv_multipart(copy=False)]
        # What was asked over a connection that broke is lost.
        if self._monitor in ready and recv_monitor_message(self._monitor)["event"] in BROKEN:
            raise BackendLost("The backend ended unexpectedly.")
        return alive, None
