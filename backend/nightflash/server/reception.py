"""What clients from elsewhere may do, within the limits that the machine's owner set."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import zmq

from nightflash.client.coding import CODING
from nightflash.client.protocol import Header, Message
from nightflash.errors import NightFlashError
from nightflash.server.admission import Admission, Guest
from nightflash.server.listeners import Peer
from nightflash.server.parts import Parts
from nightflash.server.queue import JobQueue
from nightflash.server.remote_listener import RemoteListener
from nightflash.server.uploads import Uploads

log = logging.getLogger(__name__)

GRACE_SECONDS = 60.0  # that pictures stay when a client's last connection broke
MOST_LINES = 8  # connections of one client at once


@dataclass(frozen=True)
class Limits:
    """What each client from elsewhere may have.

    Attributes:
        clients: How many there may be at once.
        jobs: Requests for work of one that wait or run.
        bytes: Of the pictures of one.
    """

    clients: int = 8
    jobs: int = 8
    bytes: int = 2**30


@dataclass(frozen=True)
class Elsewhere:
    """How other machines are let in.

    Attributes:
        address: Where to listen for them, ``tcp://ADDRESS:PORT``.
        limits: What each may have.
    """

    address: str
    limits: Limits


class Reception:
    """Sees to the clients of one `RemoteListener`.

    Args:
        number: Of the listener, the first part of its clients.
        listener: Where they come in.
        admission: Who is let in.
        limits: Of each.
        queue, uploads: What they have here.
        about: What the backend says of itself.
    """

    def __init__(
        self,
        number: int,
        listener: RemoteListener,
        admission: Admission,
        limits: Limits,
        queue: JobQueue,
        uploads: Uploads,
        about: Callable[[], Header],
    ) -> None:
        self._number, self._listener, self._admission = number, listener, admission
        self._limits, self._queue, self._uploads = limits, queue, uploads
        self._about = about
        self._parts = Parts(uploads, limits.bytes)
        self._lines: dict[bytes, Guest] = {}  # by routing id
        self._left: dict[str, float] = {}  # keys without a line, and since when

    def answer(self, client: Peer, frames: Sequence[zmq.Frame], message: Message) -> Message | None:
        """The answer to a request; None for work and its end, which are answered as anybody's.

        Args:
            client: Whose it is.
            frames: As they came: they tell the key.
            message: What they hold.

        Raises:
            NightFlashError: ``not_allowed``, ``busy`` or ``too_large``; as `Parts` and
                `Admission.enrol`.
        """
        guest = self._guest(client[1], frames[0])
        header, owner = message.header, self._owner(guest.key)
        if guest.until is not None and header.get("request") not in ("hello", "enrol"):
            raise NightFlashError("An invitation lets nobody do that.", code="not_allowed")
        match header.get("request"):
            case "hello":
                result = {**self._about(), "coding": CODING}
            case "enrol" if guest.until is not None:
                result = self._enrol(guest, header)
            case "begin":
                result = self._parts.begin(header, owner)
            case "part":
                result = self._parts.take(header, message.parts)
            case "fetch":
                return self._parts.fetch(header)
            case "drop":
                result = self._parts.drop(header)
            case "analyse" | "preview" | "render":
                self._check_jobs(guest)
                return None
            case "cancel":
                return None
            case other:
                raise NightFlashError(
                    f"The request {other!r:.40} is for the server's owner alone.",
                    code="not_allowed",
                )
        return Message({"reply": "result", **result})

    def kept(self, client: Peer, result: Message) -> Message:
        """A result whose large pictures stay here, for ``client`` to fetch.

        Raises:
            NightFlashError: ``too_large`` or ``busy``.
        """
        guest = self._lines.get(client[1])
        return result if guest is None else self._parts.kept(result, self._owner(guest.key))

    def _guest(self, routing: bytes, frame: zmq.Frame) -> Guest:
        """Whose connection it is."""
        if (known := self._lines.get(routing)) is not None:
            return known
        guest = self._admission.who(str(frame.get("User-Id")))
        if guest is None:
            raise NightFlashError("The server let this key in no more.", code="not_allowed")
        lines = list(self._lines.values())
        if sum(other.key == guest.key for other in lines) >= MOST_LINES:
            raise NightFlashError(
                f"The server takes {MOST_LINES} connections of one client.",
                "Close another program that uses it.",
                code="busy",
            )
        others = {other.key for other in lines if other.until is None} - {guest.key}
        if guest.until is None and len(others) >= self._limits.clients:
            raise NightFlashError(
                f"The server takes {self._limits.clients} clients at once.",
                "Try again later.",
                code="busy",
            )
        self._lines[routing] = guest
        log.info("%s came from %s", guest, frame.get("Peer-Address"))
        return guest

    def _enrol(self, guest: Guest, header: Header) -> Header:
        key, name = str(header.get("key")), str(header.get("name"))
        client = self._admission.enrol(guest.key, key, name)
        log.info("%s was let in by %s", client, guest)
        return {"name": client.name, "host": socket.gethostname()}

    def _check_jobs(self, guest: Guest) -> None:
        lines = {line for line, other in self._lines.items() if other.key == guest.key}
        mine = {(self._number, line) for line in lines}
        if self._queue.count_of(mine.__contains__) >= self._limits.jobs:
            raise NightFlashError(
                f"The server lets each client have {self._limits.jobs} requests at work.",
                "Wait for some of them.",
                code="busy",
            )

    def _owner(self, key: str) -> Peer:
        """Whose pictures a key's are, whatever connection they came by."""
        return self._number, key.encode()

    def gone(self) -> list[Peer]:
        """Those whose connection has ended since this was asked last."""
        gone, self._listener.gone = self._listener.gone, []
        return [(self._number, routing) for routing in gone]

    def peers(self) -> list[Peer]:
        """Those who are connected, or were at the last look."""
        return [(self._number, routing) for routing in self._lines]

    def left(self, routing: bytes) -> None:
        """Note that a connection has ended."""
        if (guest := self._lines.pop(routing, None)) is not None:
            log.info("%s went", guest)
            self._left[guest.key] = time.monotonic()

    def keep(self) -> None:
        """End the connections of those who were turned out; forget pictures of those who left."""
        now, here = time.monotonic(), {guest.key for guest in self._lines.values()}
        self._left = {key: since for key, since in self._left.items() if key not in here}
        for key in [key for key, since in self._left.items() if now - since > GRACE_SECONDS]:
            del self._left[key]
            self._forget(key)
        if here:
            self._turn_out()

    def _forget(self, key: str) -> None:
        owner = self._owner(key)
        self._uploads.drop_all_of(lambda other: other == owner)

    def _turn_out(self) -> None:
        try:
            listed = {guest.key for guest in self._admission.clients()}
        except NightFlashError as fault:
            log.error("nobody from elsewhere is served: %s", fault)
            listed = set()
        for routing, guest in list(self._lines.items()):
            if guest.until is None and guest.key not in listed:
                log.warning("%s was turned out", guest)
                self._listener.throw_out(routing)
                del self._lines[routing]
                self._forget(guest.key)
