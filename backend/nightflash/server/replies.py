"""Replies on their way: those of the worker come from its thread, and what waits is bounded."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import zmq

from nightflash.client.protocol import VERSION, Message, error_reply
from nightflash.errors import NightFlashError
from nightflash.server.listeners import GONE, Listener, Peer
from nightflash.server.requests import Job
from nightflash.server.upload import Upload

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _UnderWay:
    """Pictures that libzmq holds until their client has taken them."""

    tracker: zmq.MessageTracker
    client: Peer
    bytes: int
    upload: Upload | None  # whose pixels they are, where they are none of their own


class Replies:
    """Sends to clients through the listeners that they came in by.

    Args:
        context: Where the sockets belong.
        listeners: The number of each is the first part of a client.
        limit: Bytes of all pictures under way together, over which the slowest client goes; one
            picture may be any size.
        gone: Takes a client that cannot be reached any more.
        last_look: Gives what is sent in the place of a reply of the worker's.

    Attributes:
        woken: A socket to poll: readable where replies of the worker's wait, see `send_waiting`.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        listeners: Sequence[Listener],
        limit: int,
        gone: Callable[[Peer], None],
        last_look: Callable[[Job, Message], Message],
    ) -> None:
        self._context, self._listeners, self._limit, self._gone = context, listeners, limit, gone
        self._last_look = last_look
        self._waiting: deque[tuple[Job, Message]] = deque()
        self._under_way: list[_UnderWay] = []
        self.woken = context.socket(zmq.PULL)
        self.woken.bind("inproc://wake")
        self._wakers = threading.local()

    def later(self, job: Job, message: Message) -> None:
        """Have ``message`` sent; called from the worker's thread."""
        self._waiting.append((job, message))
        if not hasattr(self._wakers, "socket"):
            self._wakers.socket = self._context.socket(zmq.PUSH)
            self._wakers.socket.connect("inproc://wake")
        try:
            self._wakers.socket.send(b"", zmq.DONTWAIT)
        except zmq.ZMQError:  # enough wake-ups wait, or the server is closing
            return

    def send_waiting(self) -> list[Job]:
        """Send what `later` took; gives the jobs."""
        while self.woken.poll(0):
            self.woken.recv()
        jobs = []
        while self._waiting:
            job, message = self._waiting.popleft()
            self.send(job.client, job.id, self._last_look(job, message))
            jobs.append(job)
        return jobs

    def send(
        self, client: Peer, number: int | None, message: Message, upload: Upload | None = None
    ) -> None:
        """Send a reply; who cannot be reached is gone.

        Args:
            client: Whom to.
            number: Of the request.
            message: The reply.
            upload: Whose pixels the pictures are, where they are no memory of their own.
        """
        header = {"v": VERSION, "id": number, **message.header}
        try:
            frames = replace(message, header=header).frames()
        except NightFlashError as fault:  # a header that grew too long
            log.error("%s", fault)
            frames = Message({"v": VERSION, "id": number, **error_reply(fault).header}).frames()
        try:
            tracker = self._listeners[client[0]].socket.send_multipart(
                [client[1], *frames], zmq.DONTWAIT, copy=False, track=bool(message.pictures)
            )
        except zmq.ZMQError as error:
            if error.errno not in GONE:
                raise
            if error.errno != zmq.EAGAIN or message.header["reply"] != "beat":
                self._gone(client)
            return
        if tracker is not None:
            size = sum(picture.layout.bytes for picture in message.pictures)
            self._under_way.append(_UnderWay(tracker, client, size, upload))

    def bytes_of(self, client: Peer) -> int:
        """Bytes of pictures on their way to ``client``."""
        self._forget_taken()
        return sum(entry.bytes for entry in self._under_way if entry.client == client)

    @property
    def bytes(self) -> int:
        """Bytes of pictures on their way that are no upload's."""
        self._forget_taken()
        return sum(entry.bytes for entry in self._under_way if entry.upload is None)

    def bound(self) -> None:
        """End the connection of who has most waiting where all that waits is too much."""
        self._forget_taken()
        size = sum(entry.bytes for entry in self._under_way)
        if size <= self._limit or len(self._under_way) < 2:
            return
        slowest = max({entry.client for entry in self._under_way}, key=self.bytes_of)
        log.warning("a client that does not take its pictures was thrown out")
        self._listeners[slowest[0]].throw_out(slowest[1])
        self._under_way = [entry for entry in self._under_way if entry.client != slowest]
        self._gone(slowest)

    def _forget_taken(self) -> None:
        self._under_way = [entry for entry in self._under_way if not entry.tracker.done]
