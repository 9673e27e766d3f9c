"""What clients from elsewhere may do, within the limits that the machine's owner set."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import zmq

from nightflash.client.protocol import Header, Message
from nightflash.errors import NightFlashError
from nightflash.server.admission import Admission, Guest
from nightflash.server.listeners import Peer
from nightflash.server.queue import JobQueue
from nightflash.server.remote_listener import RemoteListener
from nightflash.server.uploads import Uploads

log = logging.getLogger(__name__)

WORK = ("analyse", "preview", "render")
ALLOWED = ("hello", "put", "get", "drop", "cancel", *WORK)
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


class Reception:
    """Sees to the clients of one `RemoteListener`.

    Args:
        number: Of the listener, the first part of its clients.
        listener: Where they come in.
        admission: Who is let in.
        limits: Of each.
        queue, uploads: What they have here.
    """

    def __init__(
        self,
        number: int,
        listener: RemoteListener,
        admission: Admission,
        limits: Limits,
        queue: JobQueue,
        uploads: Uploads,
    ) -> None:
        self._number, self._listener, self._admission = number, listener, admission
        self._limits, self._queue, self._uploads = limits, queue, uploads
        self._lines: dict[bytes, Guest] = {}  # by routing id

    def check(self, client: Peer, frames: Sequence[zmq.Frame], message: Message) -> Header | None:
        """See whether a request may be answered; gives the result of one that is answered here.

        Args:
            client: Whose it is.
            frames: As they came: they tell the key.
            message: What they hold.

        Raises:
            NightFlashError: ``not_allowed``, ``busy`` or ``too_large``; or as `Admission.enrol`.
        """
        guest = self._guest(client[1], frames[0])
        request = message.header.get("request")
        if guest.until is not None:
            return self._enrol(guest, message.header)
        if request not in ALLOWED:
            raise NightFlashError(
                f"The request {request!r:.40} is for the server's owner alone.", code="not_allowed"
            )
        self._check_limits(guest, str(request), message)
        return None

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
        log.info("%r came from %s", guest.name, frame.get("Peer-Address"))
        return guest

    def _enrol(self, guest: Guest, header: Header) -> Header | None:
        if header.get("request") == "hello":
            return None
        if header.get("request") != "enrol":
            raise NightFlashError("An invitation lets nobody do that.", code="not_allowed")
        key, name = str(header.get("key")), str(header.get("name"))
        client = self._admission.enrol(guest.key, key, name)
        log.info("%r was let in by an invitation", client.name)
        return {"name": client.name, "host": socket.gethostname()}

    def _check_limits(self, guest: Guest, request: str, message: Message) -> None:
        mine = self._peers(guest.key)
        if request in WORK and self._queue.count_of(mine.__contains__) >= self._limits.jobs:
            raise NightFlashError(
                f"The server lets each client have {self._limits.jobs} requests at work.",
                "Wait for some of them.",
                code="busy",
            )
        if request == "put":
            size = sum(picture.layout.bytes for picture in message.pictures)
            self._uploads.make_room_of(mine.__contains__, size, self._limits.bytes)

    def _peers(self, key: str) -> set[Peer]:
        return {(self._number, line) for line, guest in self._lines.items() if guest.key == key}

    def gone(self) -> list[Peer]:
        """Those whose connection has ended since this was asked last."""
        gone, self._listener.gone = self._listener.gone, []
        for routing in gone:
            if (guest := self._lines.pop(routing, None)) is not None:
                log.info("%r went", guest.name)
        return [(self._number, routing) for routing in gone]

    def keep(self) -> None:
        """End the connections of those who were turned out."""
        if not self._lines:
            return
        try:
            listed = {guest.key for guest in self._admission.clients()}
        except NightFlashError as fault:
            log.error("nobody from elsewhere is served: %s", fault)
            listed = set()
        for routing, guest in list(self._lines.items()):
            if guest.until is None and guest.key not in listed:
                log.warning("%r was turned out", guest.name)
                self._listener.throw_out(routing)
                del self._lines[routing]
