"""The sockets that clients come in by: who has no key stays out, and nobody is too large."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import zmq
from zmq.utils.monitor import recv_monitor_message

from nightflash.service.connection import LONGEST_SOCKET_PATH, runtime_folder

log = logging.getLogger(__name__)

REFUSALS_SECONDS = 10.0  # between two lines of the log about refused connections
PULSE_BYTES = 64
GONE = (zmq.EHOSTUNREACH, zmq.EAGAIN)  # a client that left, or reads nothing any more
REFUSED = (
    zmq.Event.HANDSHAKE_FAILED_AUTH
    | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
    | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
)


class Keys:
    """CURVE keys of one run: the backend's pair, and the pair of its only permitted client."""

    def __init__(self) -> None:
        self.server_public, self.server_secret = zmq.curve_keypair()
        self.client_public, self.client_secret = zmq.curve_keypair()

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether a client of this public ``key`` is let in (pyzmq's provider of credentials)."""
        return key == self.client_public


class Door:
    """A pair of ROUTER sockets, tcp with CURVE and where possible ipc in a private folder.

    Args:
        context: Its authenticator is there already.
        keys: Of this run.
        name: Of the ipc socket's file.
        limit: Bytes of the largest frame let in.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], keys: Keys, name: str, limit: int):
        self._refused, self._told = 0, float("-inf")
        self.sockets = [_router(context, limit)]
        tcp = self.sockets[0]
        tcp.curve_server = True
        tcp.curve_publickey, tcp.curve_secretkey = keys.server_public, keys.server_secret
        tcp.zap_domain = b"nightflash"
        self.monitor = tcp.get_monitor_socket(REFUSED)
        tcp.bind("tcp://127.0.0.1:*")
        self.tcp = tcp.getsockopt_string(zmq.LAST_ENDPOINT)
        self.ipc = ""
        path = runtime_folder() / f"{name}.ipc"
        if zmq.has("ipc") and len(bytes(path)) <= LONGEST_SOCKET_PATH:
            self.sockets.append(_router(context, limit))
            self.ipc = f"ipc://{path}"
            self.sockets[1].bind(self.ipc)  # the lock is ours: what was here is dead

    def note_refusals(self) -> None:
        """Log connections that were refused since the last look, at most a line in a while."""
        while self.monitor.poll(0):
            recv_monitor_message(self.monitor)
            self._refused += 1
        if self._refused and time.monotonic() - self._told > REFUSALS_SECONDS:
            log.warning("refused %d connections without the right key", self._refused)
            self._refused, self._told = 0, time.monotonic()

    def close(self) -> None:
        """Close the sockets; what was sent has half a second to go."""
        self.sockets[0].disable_monitor()
        self.monitor.close(0)
        for socket in self.sockets:
            socket.close(500)
        (runtime_folder() / self.ipc.rpartition("/")[2]).unlink(missing_ok=True)


def _router(context: zmq.Context[zmq.Socket[bytes]], limit: int) -> zmq.Socket[bytes]:
    socket = context.socket(zmq.ROUTER)
    socket.maxmsgsize = limit
    socket.router_mandatory = True
    socket.rcvhwm = 64
    return socket


class Pulse(threading.Thread):
    """Echoes small messages, whatever the other threads do."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], keys: Keys) -> None:
        super().__init__(name="pulse", daemon=True)
        self.door = Door(context, keys, "pulse", PULSE_BYTES)
        self._ended = threading.Event()

    def run(self) -> None:
        """Echo until stopped."""
        poller = zmq.Poller()
        for socket in self.door.sockets:
            poller.register(socket, zmq.POLLIN)
        while not self._ended.is_set():
            for socket, _ in poller.poll(200):
                self._echo(socket)
            self.door.note_refusals()
        self.door.close()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        if self.is_alive():
            self.join()

    @staticmethod
    def _echo(socket: zmq.Socket[bytes]) -> None:
        try:
            frames: Sequence[bytes] = socket.recv_multipart(zmq.DONTWAIT)
            if len(frames) == 2:
                socket.send_multipart(frames, zmq.DONTWAIT)
        except zmq.ZMQError as error:
            if error.errno not in GONE:
                raise
