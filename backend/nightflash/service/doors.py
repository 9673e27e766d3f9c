"""The sockets that clients come in by: who has no key stays out, and nobody is too large."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import zmq
from zmq.utils.monitor import recv_monitor_message

from nightflash.service.connection import LONGEST_SOCKET_PATH, runtime_folder

log = logging.getLogger(__name__)

REFUSALS_SECONDS = 10.0  # between two lines of the log about refused connections
SETTLED_SECONDS = 1.0  # after the last stranger came, when it is clear who had a key
HANDSHAKE_MILLISECONDS = 2000  # for a stranger to show a key
MOST_STRANGERS = 64  # connections without a key at once, over which the port closes for a while
CLOSED_SECONDS = 5.0
PULSE_BYTES = 64
GONE = (zmq.EHOSTUNREACH, zmq.EAGAIN)  # a client that left, or reads nothing any more
WATCHED = zmq.Event.ACCEPTED | zmq.Event.HANDSHAKE_SUCCEEDED | zmq.Event.DISCONNECTED


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
        self._strangers = self._open = self._known = 0
        self._came = self._told = self._closed = float("-inf")
        self._bound = True
        self.sockets = [_router(context, limit)]
        tcp = self.sockets[0]
        tcp.curve_server = True
        tcp.backlog, tcp.handshake_ivl = 16, HANDSHAKE_MILLISECONDS
        tcp.curve_publickey, tcp.curve_secretkey = keys.server_public, keys.server_secret
        tcp.zap_domain = b"nightflash"
        self.monitor = tcp.get_monitor_socket(WATCHED)
        tcp.bind("tcp://127.0.0.1:*")
        self.tcp = tcp.getsockopt_string(zmq.LAST_ENDPOINT)
        self.ipc = ""
        path = runtime_folder() / f"{name}.ipc"
        if zmq.has("ipc") and len(bytes(path)) <= LONGEST_SOCKET_PATH:
            self.sockets.append(_router(context, limit))
            self.ipc = f"ipc://{path}"
            self.sockets[1].bind(self.ipc)  # the lock is ours: what was here is dead

    def watch(self) -> None:
        """Log connections without a key, and close the port for a while when they are many.

        Every open connection costs a file descriptor, of which a process has few.
        """
        while self.monitor.poll(0):
            event = recv_monitor_message(self.monitor)["event"]
            if event == zmq.Event.ACCEPTED:
                self._strangers += 1
                self._open += 1
                self._came = time.monotonic()
            elif event == zmq.Event.HANDSHAKE_SUCCEEDED:
                self._strangers -= 1
                self._known += 1
            else:
                self._open = max(self._open - 1, 0)
                self._known = min(self._known, self._open)
        now = time.monotonic()
        if self._bound and self._open - self._known > MOST_STRANGERS:
            log.warning("too many connections without a key at %s, closed for a while", self.tcp)
            self.sockets[0].unbind(self.tcp)  # throws everybody out; who has a key comes again
            self._bound, self._closed = False, now
            self._open = self._known = 0
        elif not self._bound and now - self._closed > CLOSED_SECONDS:
            self.sockets[0].bind(self.tcp)
            self._bound = True
        if self._strangers > 0 and now - self._came > SETTLED_SECONDS:
            if now - self._told < REFUSALS_SECONDS:
                return
            log.warning("refused %d connections without the right key", self._strangers)
            self._strangers, self._told = 0, now

    def hide(self) -> None:
        """Let nobody else find the way in; who is in, stays (unbinding would throw them out)."""
        if self.ipc:
            Path(self.ipc.removeprefix("ipc://")).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the sockets; what was sent has half a second to go."""
        self.hide()
        self.sockets[0].disable_monitor()
        self.monitor.close(0)
        for socket in self.sockets:
            socket.close(500)


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
            self.door.watch()
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
