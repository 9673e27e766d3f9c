"""The sockets that clients come in by: who has no key stays out, and nobody is too large.

libzmq reports which descriptors it has accepted and ends no connection by itself; shut down from
outside, a connection ends for libzmq as if the other side had gone, and what was kept of its
unfinished message is freed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket as sockets
import sys
import time
from pathlib import Path
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from nightflash.client.connection import LONGEST_SOCKET_PATH, runtime_folder
from nightflash.server.doorkeeper import HERE, REFUSALS_SECONDS, Keys

log = logging.getLogger(__name__)

HANDSHAKE_MILLISECONDS = 2000  # for a stranger to show a key
MOST_STRANGERS = 64  # connections without a key at once, over which the oldest of them ends
SHARE_OF_STRANGERS = 16  # of the descriptors of this process: one in so many, at either port
MOST_EVENTS = 1000  # of a socket's monitor, looked at in a row
PULSE_BYTES = 64
PULSE_LIMIT = 1024  # of the pulse's frames: libzmq counts those of CURVE's handshake too
GONE = (zmq.EHOSTUNREACH, zmq.EAGAIN)  # a client that left, or reads nothing any more
WATCHED = (
    zmq.Event.ACCEPTED
    | zmq.Event.DISCONNECTED
    | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
    | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
    | zmq.Event.HANDSHAKE_FAILED_AUTH
)

Peer = tuple[int, bytes]
"""A client: the number of the listener that it came in by, and its routing id there."""


class Listener:
    """A ROUTER socket, and the connections that were accepted at it.

    Args:
        context: Where it belongs.
        limit: Bytes of the largest frame let in.

    Attributes:
        socket: Of whoever has come in.
        monitor: Readable where somebody has come or gone, see `watch`.
        address: Where it is bound.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], limit: int) -> None:
        self.socket = context.socket(zmq.ROUTER)
        self.socket.maxmsgsize = limit
        self.socket.router_mandatory = True
        self.socket.rcvhwm = 64
        self.address = ""
        self._refused = 0  # handshakes that failed, since they were last logged
        self._strangers: dict[int, None] = {}  # descriptors without a message yet, oldest first
        self._known: dict[int, bytes] = {}  # those with one, and their routing id
        events = f"inproc://events-{id(self)}"
        self.socket.monitor(events, WATCHED)
        self.monitor = context.socket(zmq.PAIR)
        self.monitor.rcvhwm = 0  # libzmq's threads never wait for this one
        self.monitor.connect(events)

    def receive(self) -> tuple[bytes, list[zmq.Frame]] | None:
        """Take one message: its client's routing id, and its frames; None where there is none."""
        try:
            routing, *frames = self.socket.recv_multipart(zmq.DONTWAIT, copy=False)
        except zmq.ZMQError as error:
            if error.errno not in GONE:
                raise
            return None
        descriptor = int(routing.get(zmq.SRCFD))
        if descriptor in self._strangers:
            del self._strangers[descriptor]
            self._known[descriptor] = routing.bytes
        return routing.bytes, frames

    def watch(self) -> None:
        """Learn who has come and gone."""
        for _ in range(MOST_EVENTS):
            if not self.monitor.poll(0):
                return
            answer = recv_monitor_message(self.monitor)
            event, descriptor = answer["event"], int(answer["value"])
            if event not in (zmq.Event.ACCEPTED, zmq.Event.DISCONNECTED):
                self._refused += 1
                continue
            if (routing := self._known.pop(descriptor, None)) is not None:
                self._left(routing)
            self._strangers.pop(descriptor, None)
            if event == zmq.Event.ACCEPTED:
                self._strangers[descriptor] = None

    def _left(self, routing: bytes) -> None:
        """Learn that a client's connection has ended."""

    def throw_out(self, routing: bytes | None = None, *, sending: bool = False) -> int:
        """End connections; gives how many.

        Args:
            routing: That of one client, or None for everybody's.
            sending: Only those of which bytes wait to be read just now (on Linux, else none).
        """
        everybody = [*((stranger, b"") for stranger in self._strangers), *self._known.items()]
        chosen = [
            descriptor
            for descriptor, whose in everybody
            if routing in (None, whose) and (not sending or _bytes_wait(descriptor))
        ]
        return sum(self._end(descriptor) for descriptor in chosen)

    def _end(self, descriptor: int) -> bool:
        """Shut a connection down, if the descriptor is still one that was accepted here."""
        with contextlib.suppress(OSError):
            connection = sockets.socket(fileno=descriptor)
            try:
                name = connection.getsockname()
                if self._is_here(name):
                    connection.shutdown(sockets.SHUT_RDWR)
                    return True
            finally:
                connection.detach()  # it is libzmq's to close
        return False

    def _is_here(self, name: Any) -> bool:
        """Whether a connection whose own end has this name was accepted at this listener."""
        here = f"ipc://{name}" if isinstance(name, str) else f"tcp://{name[0]}:{name[1]}"
        return here == self.address

    def keep(self) -> None:
        """Mend what somebody cleaned away."""

    def hide(self) -> None:
        """Let nobody else find the way in; who is in, stays."""

    def close(self) -> None:
        """Close the socket; what was sent has half a second to go."""
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(500)


class IpcListener(Listener):
    """A socket in the user's private folder, which keeps others out.

    Args:
        context: Where it belongs.
        limit: Bytes of the largest frame let in.
        name: Of its file.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], limit: int, name: str) -> None:
        super().__init__(context, limit)
        self._path = _socket_file(name)
        self.address = f"ipc://{self._path}"
        self._bind()  # the lock is ours: what was here is dead

    def _bind(self) -> None:
        self.socket.bind(self.address)
        self._file = self._path.lstat()

    def keep(self) -> None:
        """Bind again where somebody cleaned the file away; the lock is ours."""
        try:
            lost = not os.path.samestat(self._path.lstat(), self._file)
        except OSError:
            lost = True
        if lost:
            log.warning("%s was gone and is bound again", self._path)
            with contextlib.suppress(zmq.ZMQError, OSError):  # next time, then
                self._bind()

    def hide(self) -> None:
        """Take the file away (unbinding would throw out who is in)."""
        self._path.unlink(missing_ok=True)


class TcpListener(Listener):
    """A port of this machine: CURVE keeps strangers out, and there are never many of them.

    Every open connection costs a descriptor, of which a process has few.

    Args:
        context: Its authenticator is there already.
        limit: Bytes of the largest frame let in.
        keys: The public and the secret one of this side.
        address: Where to listen.
        domain: Which clients the authenticator lets in.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        limit: int,
        keys: tuple[bytes, bytes],
        address: str = "tcp://127.0.0.1:*",
        domain: str = HERE,
    ) -> None:
        super().__init__(context, limit)
        self._logged = float("-inf")
        self.socket.curve_server = True
        self.socket.backlog, self.socket.handshake_ivl = 16, HANDSHAKE_MILLISECONDS
        self.socket.curve_publickey, self.socket.curve_secretkey = keys
        self.socket.zap_domain = domain.encode()
        self.socket.ipv6 = "[" in address
        self._set_up()
        self.socket.bind(address)
        self.address = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def _set_up(self) -> None:
        """Set options of the socket, before it is bound."""

    def watch(self) -> None:
        """Learn who has come and gone; where strangers are many the oldest ones go."""
        super().watch()
        for stranger in list(self._strangers)[: -most_strangers()]:
            self._end(stranger)
            del self._strangers[stranger]
        now = time.monotonic()
        if self._refused and now - self._logged > REFUSALS_SECONDS:
            log.warning("refused %d connections without the right key", self._refused)
            self._refused, self._logged = 0, now


def open_listeners(
    context: zmq.Context[zmq.Socket[bytes]], keys: Keys, name: str, limit: int, tcp: bool
) -> list[Listener]:
    """A socket in the folder where that is possible; a port where it is not, or is asked for.

    Args:
        context: Its authenticator is there already.
        keys: Of this run.
        name: Of the socket's file.
        limit: Bytes of the largest frame let in.
        tcp: Whether the port is wanted beside the socket.
    """
    inside = zmq.has("ipc") and len(os.fsencode(_socket_file(name))) <= LONGEST_SOCKET_PATH
    listeners: list[Listener] = [IpcListener(context, limit, name)] if inside else []
    return (
        [*listeners, TcpListener(context, limit, keys.server)] if tcp or not inside else listeners
    )


def echo(listener: Listener) -> None:
    """Send one small message back to where it came from."""
    came = listener.receive()
    if came is None or len(came[1]) != 1 or len(came[1][0].buffer) > PULSE_BYTES:
        return
    try:
        listener.socket.send_multipart([came[0], came[1][0].bytes], zmq.DONTWAIT)
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


def _socket_file(name: str) -> Path:
    return runtime_folder() / f"{name}.ipc"


def _bytes_wait(descriptor: int) -> bool:
    """Whether bytes that came in are not read yet."""
    if sys.platform != "linux":
        return False
    import fcntl
    import termios

    with contextlib.suppress(OSError):
        answer = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
        return int.from_bytes(answer, sys.byteorder) > 0
    return False
