"""What each request is answered: at once, or by the worker later."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from nightflash import __version__
from nightflash.client.protocol import VERSION, Header, Message, bad_request, error_reply
from nightflash.errors import NightFlashError
from nightflash.server.listeners import Peer
from nightflash.server.queue import JobQueue
from nightflash.server.replies import Replies
from nightflash.server.requests import Job, read_id, read_work
from nightflash.server.uploads import Uploads
from nightflash.server.worker import Worker


class Answers:
    """Answers requests, and has the worker answer those that are work.

    Args:
        uploads: The pictures of all clients.
        queue: Takes the work.
        worker: Of the queue; asked how it is.
        replies: Sends.
        stop: Ends the backend; takes why.

    Attributes:
        last_request: When somebody wanted something, on the monotonic clock.
    """

    def __init__(
        self,
        uploads: Uploads,
        queue: JobQueue,
        worker: Worker,
        replies: Replies,
        stop: Callable[[str], None],
    ) -> None:
        self._uploads, self._queue, self._worker = uploads, queue, worker
        self._replies, self._stop = replies, stop
        self._started = self.last_request = time.monotonic()

    def answer(self, client: Peer, number: int, message: Message) -> None:
        """Answer a request, now or later.

        Raises:
            NightFlashError: What is wrong with it.
        """
        header = message.header
        request = header.get("request")
        if request not in ("hello", "status"):  # a look at it keeps nobody alive
            self.last_request = time.monotonic()
        if message.pictures and request != "put":
            raise bad_request("Pixels come with the request 'put' alone.")
        if self._replies.bytes_of(client) > self._uploads.limit:
            raise NightFlashError(
                "This client asks for pictures faster than it takes them.",
                "Wait for those on their way.",
                code="busy",
            )
        result: Header = {}
        match request:
            case "hello":
                result = self.about()
            case "status":
                result = self.about() | self._state()
            case "put":
                if len(message.pictures) != 1:
                    raise bad_request("The request 'put' brings one picture.")
                result = {"handle": self._uploads.put(message.pictures[0], client)}
            case "get":
                upload = self._uploads.get(header.get("handle"))
                found = Message({"reply": "result"}, [upload.pixels])
                self._replies.send(client, number, found, upload)
                return
            case "drop":
                self._uploads.drop(str(header.get("handle")))
            case "analyse" | "preview" | "render":
                self._work(Job(client, number, read_work(request, header, self._uploads)))
                return
            case "cancel":
                self._cancel(client, read_id(header, "job"))
            case "release":
                self._worker.release()
            case "shutdown":
                self._stop("a client asked for it")
            case _:
                raise bad_request(f"There is no request {request!r:.40}.")
        self._replies.send(client, number, Message({"reply": "result", **result}))

    def _work(self, job: Job) -> None:
        if (replaced := self._queue.put(job)) is not None:
            fault = NightFlashError("A newer preview took its place.", code="replaced")
            self._replies.send(job.client, replaced.id, error_reply(fault))

    def _cancel(self, client: Peer, number: int) -> None:
        if self._queue.cancel(client, number) is not None:
            fault = NightFlashError("The work was stopped.", code="cancelled")
            self._replies.send(client, number, error_reply(fault))

    def about(self) -> Header:
        """What the backend says of itself."""
        return {
            "protocol": VERSION,
            "version": __version__,
            "pid": os.getpid(),
            "state": self._worker.state,
            "device": self._worker.device,
            "device_note": self._worker.device_note,
            "networks": self._worker.networks,
            "weights": self._worker.weights,
            "fault": self._worker.fault,
        }

    def _state(self) -> Header:
        return {
            "uptime": round(time.monotonic() - self._started, 1),
            "jobs": len(self._queue),
            "uploads": len(self._uploads),
            "upload_bytes": self._uploads.bytes,
        }
