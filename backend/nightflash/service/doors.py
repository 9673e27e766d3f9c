"""The sockets that clients come in by: who has no key stays out, and nobody is too large."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time

import zmq
from zmq.utils.monitor import recv_monitor_message

from nightflash.service.connection import LONGEST_SOCKET_PATH, runtime_folder

log = logging.getLogger(__name__)

REFUSALS_SECONDS = 10.0  # between two lines of the log about refused connections
SETTLED_SECONDS = 1.0  # after the last stranger came, when it is clear who had a key
HANDSHAKE_MILLISECONDS = 2000  # for a stranger to show a key
MOST_STRANGERS = 64  # connections without a key at once, over which the port closes for a while
SHARE_OF_STRANGERS = 16  # of the descriptors of this process: one in so many, at either port
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
    """ROUTER sockets: where possible ipc in a private folder, else or if asked for tcp with CURVE.

    Args:
        context: Its authenticator is there already.
        keys: Of this run.
        name: Of the ipc socket's file.
        limit: Bytes of the largest frame let in.
        tcp: Whether the port is wanted beside ipc.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        keys: Keys,
        name: str,
        limit: int,
        tcp: bool,
    ) -> None:
        self._strangers = self._open = self._known = 0
        self._came = self._told = self._closed = float("-inf")
        self._bound = True
        self.sockets: list[zmq.Socket[bytes]] = []
        self.ipc = self.tcp = ""
        self._path = runtime_folder() / f"{name}.ipc"
        if zmq.has("ipc") and len(bytes(self._path)) <= LONGEST_SOCKET_PATH:
            self._inside = _router(context, limit)
            self.sockets.append(self._inside)
            self.ipc = f"ipc://{self._path}"
            self._bind_inside()  # the lock is ours: what was here is dead
        if tcp or not self.ipc:
            self._port = _router(context, limit)
            self.sockets.append(self._port)
            self._port.curve_server = True
            self._port.backlog, self._port.handshake_ivl = 16, HANDSHAKE_MILLISECONDS
            self._port.curve_publickey = keys.server_public
            self._port.curve_secretkey = keys.server_secret
            self._port.zap_domain = b"nightflash"
            self._monitor = self._port.get_monitor_socket(WATCHED)
            self._port.bind("tcp://127.0.0.1:*")
            self.tcp = self._port.getsockopt_string(zmq.LAST_ENDPOINT)

    def _bind_inside(self) -> None:
        self._inside.bind(self.ipc)
        self._file = self._path.lstat()

    def keep(self) -> None:
        """Bind the ipc socket again where somebody cleaned its file away; the lock is ours."""
        if not self.ipc:
            return
        try:
            lost = not os.path.samestat(self._path.lstat(), self._file)
        except OSError:
            lost = True
        if lost:
            log.warning("%s was gone and is bound again", self._path)
            with contextlib.suppress(zmq.ZMQError, OSError):  # next time, then
                self._bind_inside()

    def watch(self) -> None:
        """Log connections without a key, and close the port for a while when they are many.

        Every open connection costs a file descriptor, of which a process has few.
        """
        if not self.tcp:
            return
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)["event"]
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
        if self._bound and self._open - self._known > most_strangers():
            log.warning("too many connections without a key at %s, closed for a while", self.tcp)
            self._port.unbind(self.tcp)  # throws everybody out; who has a key comes again
            self._bound, self._closed = False, now
            self._open = self._known = 0
        elif not self._bound and now - self._closed > CLOSED_SECONDS:
            self._port.bind(self.tcp)
            self._bound = True
        if self._strangers > 0 and now - self._came > SETTLED_SECONDS:
            if now - self._told < REFUSALS_SECONDS:
                return
            log.warning("refused %d connections without the right key", self._strangers)
            self._strangers, self._told = 0, now

    def hide(self) -> None:
        """Let nobody else find the way in; who is in, stays (unbinding would throw them out)."""
        if self.ipc:
            self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the sockets; what was sent has half a second to go."""
        if self.tcp:
            self._port.disable_monitor()
            self._monitor.close(0)
        for socket in self.sockets:
            socket.close(500)


def _router(context: zmq.Context[zmq.Socket[bytes]], limit: int) -> zmq.Socket[bytes]:
    socket = context.socket(zmq.ROUTER)
    socket.maxmsgsize = limit
    socket.router_mandatory = True
    socket.rcvhwm = 64
    return socket


def echo(socket: zmq.Socket[bytes]) -> None:
    """Send one small message back to where it came from."""
    try:
        frames = socket.recv_multipart(zmq.DONTWAIT)
        if len(frames) == 2:
            socket.send_multipart(frames, zmq.DONTWAIT)
    except zmq.ZMQError as error:
        if error.errno not in GONE:
            raise


def most_strangers() -> int:
    """How many connections without a key are borne: fewer where descriptors are few."""
    if sys.platform == "win32":
        return MOST_STRANGERS
    import resource

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_STRANGERS if soft < 0 else min(MOST_STRANGERS, soft // SHARE_OF_STRANGERS)
