"""The backend's sockets: they let in who has the key, and never wait for the device."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import zmq
from zmq.auth.thread import ThreadAuthenticator

from nightflash import __version__
from nightflash.errors import NightFlashError
from nightflash.service.connection import Connection
from nightflash.service.doors import GONE, PULSE_BYTES, Door, Keys, echo
from nightflash.service.protocol import (
    MAX_FRAME,
    VERSION,
    Header,
    Message,
    bad_request,
    check_version,
    error_reply,
    read_header,
)
from nightflash.service.queue import JobQueue
from nightflash.service.requests import Job, read_id, read_work
from nightflash.service.uploads import Uploads
from nightflash.service.watchdog import Watchdog
from nightflash.service.worker import Worker

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.25  # between signs of life to clients that wait
WATCH_SECONDS = 0.05  # between looks at the memory taken
KEEP_SECONDS = 1.0  # between looks after the lock, the sockets' files and the connection file
VISIT_SECONDS = 5.0  # between looks after clients that only have pictures here
MOST_FRAMES = 256
MEMORY_TAKEN = 75  # the exit code of a backend that ended so that the machine does not swap
LINGER_SECONDS = 0.5  # for what was sent last

Client = tuple[int, bytes]  # which socket, and its routing id there


class Server:
    """Answers clients, and feeds the worker.

    Args:
        make_worker: Makes the worker for a queue and a way to reply.
        upload_bytes: Memory for the pictures that clients send.
        upload_seconds: Until a picture that is not used is forgotten.
        exit_after: Seconds without a request for anything after which the backend ends.
        still_held: Whether this is still the user's one backend; it ends where it is not.
        tcp: Whether to open a port where there is a socket in a folder too.

    Attributes:
        ended: After `run`, whether all has been closed: a worker inside a network cannot be.
    """

    def __init__(
        self,
        make_worker: Callable[[JobQueue, Callable[[Job, Message], None]], Worker],
        upload_bytes: int,
        upload_seconds: float = 1800.0,
        exit_after: float = float("inf"),
        still_held: Callable[[], bool] = lambda: True,
        tcp: bool = False,
    ) -> None:
        self._uploads = Uploads(upload_bytes, upload_seconds)
        self._exit_after = exit_after
        self._still_held = still_held
        self._watchdog = Watchdog(upload_bytes)
        self._started = self._last_request = time.monotonic()
        self._queue = JobQueue()
        self._replies: deque[tuple[Job, Message]] = deque()
        self._unread: list[tuple[zmq.MessageTracker, Client, int]] = []
        self._stopping = ""
        self.ended = False
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=2)
        self._authenticator = ThreadAuthenticator(self._context)
        self._authenticator.start()
        keys = Keys()
        self._authenticator.configure_curve_callback("nightflash", keys)
        self._requests = Door(self._context, keys, "requests", MAX_FRAME, tcp)
        self._pulse = Door(self._context, keys, "pulse", PULSE_BYTES, tcp)
        self._wake = self._context.socket(zmq.PULL)
        self._wake.bind("inproc://wake")
        self._wakers = threading.local()
        self._worker = make_worker(self._queue, self._reply_later)
        self.connection = Connection(
            protocol=VERSION,
            version=__version__,
            pid=os.getpid(),
            ipc=self._requests.ipc,
            tcp=self._requests.tcp,
            pulse_ipc=self._pulse.ipc,
            pulse_tcp=self._pulse.tcp,
            server_key=keys.server_public.decode(),
            public_key=keys.client_public.decode(),
            secret_key=keys.client_secret.decode(),
        )

    def stop(self, why: str) -> None:
        """End `run` soon; may be called from a signal handler."""
        self._stopping = self._stopping or why

    def run(self) -> None:
        """Answer until stopped; the worker's own end is not waited for longer than a second."""
        self._worker.start()
        poller = zmq.Poller()
        for socket in (*self._requests.sockets, *self._pulse.sockets, self._wake):
            poller.register(socket, zmq.POLLIN)
        beat = visit = kept = watched = time.monotonic()
        try:
            while not self._stopping:
                ready = dict(poller.poll(100))
                for number, socket in enumerate(self._requests.sockets):
                    if socket in ready:
                        self._receive(number, socket)
                for socket in self._pulse.sockets:
                    if socket in ready:
                        echo(socket)
                self._requests.watch()
                self._pulse.watch()
                self._send_replies()
                now = time.monotonic()
                if now - watched > WATCH_SECONDS:
                    watched = now
                    self._watch_memory()
                if now - kept > KEEP_SECONDS:
                    kept = now
                    self._keep_files()
                if now - beat > BEAT_SECONDS:
                    beat = now
                    everyone = now - visit > VISIT_SECONDS
                    visit = now if everyone else visit
                    self._visit(everyone)
                    if not self._worker.is_alive():
                        self.stop("the worker ended")
                self._exit_when_idle(now)
        finally:
            self._close()

    def _receive(self, number: int, socket: zmq.Socket[bytes]) -> None:
        """Take and answer one message."""
        try:
            routing, *frames = socket.recv_multipart(zmq.DONTWAIT, copy=False)
        except zmq.ZMQError as error:
            if error.errno not in (zmq.EAGAIN, zmq.EHOSTUNREACH):
                raise
            return
        client = number, routing.bytes
        answer_to: int | None = None
        try:
            if not 1 <= len(frames) <= MOST_FRAMES:
                raise bad_request(f"A message has 1 to {MOST_FRAMES} frames.")
            header = read_header(frames[0].buffer)
            answer_to = header["id"] if type(header.get("id")) is int else None
            check_version(header, "backend")
            answer_to = read_id(header)
            message = Message.from_frames(header, [frame.buffer for frame in frames[1:]])
            answer = self._answer(client, answer_to, message)
        except NightFlashError as fault:
            answer = error_reply(fault)
        except Exception:
            log.exception("a message could not be answered")
            answer = error_reply(
                NightFlashError(
                    "The backend failed at this request.",
                    "'nightflash logs' tells more; please report it.",
                    code="internal",
                )
            )
        if answer is not None:
            self._send(client, answer_to, answer)

    def _answer(self, client: Client, number: int, message: Message) -> Message | None:
        """The reply to a request, or None where the worker gives it later."""
        header = message.header
        request = header.get("request")
        if request not in ("hello", "status"):  # a look at it keeps nobody alive
            self._last_request = time.monotonic()
        if message.pictures and request != "put":
            raise bad_request("Pixels come with the request 'put' alone.")
        if self._unread_bytes(client) > self._uploads.limit:
            raise NightFlashError(
                "This client asks for pictures faster than it takes them.",
                "Wait for those on their way.",
                code="busy",
            )
        match request:
            case "hello":
                return _result(self._about())
            case "status":
                return _result(self._about() | self._state())
            case "put":
                if len(message.pictures) != 1:
                    raise bad_request("The request 'put' brings one picture.")
                return _result({"handle": self._uploads.put(message.pictures[0], client)})
            case "get":
                return Message(
                    {"reply": "result"}, [self._uploads.get(header.get("handle")).pixels]
                )
            case "drop":
                self._uploads.drop(str(header.get("handle")))
                return _result({})
            case "analyse" | "preview" | "render":
                job = Job(client, number, read_work(request, header, self._uploads))
                if (replaced := self._queue.put(job)) is not None:
                    fault = NightFlashError("A newer preview took its place.", code="replaced")
                    self._send(client, replaced.id, error_reply(fault))
                return None
            case "cancel":
                other = read_id(header, "job")
                if self._queue.cancel(client, other) is not None:
                    fault = NightFlashError("The work was stopped.", code="cancelled")
                    self._send(client, other, error_reply(fault))
                return _result({})
            case "release":
                self._worker.release()
                return _result({})
            case "shutdown":
                self.stop("a client asked for it")
                return _result({})
            case _:
                raise bad_request(f"There is no request {request!r:.40}.")

    def _about(self) -> Header:
        return {
            "protocol": VERSION,
            "version": __version__,
            "pid": self.connection.pid,
            "state": self._worker.state,
            "device": self._worker.device,
            "device_note": self._worker.device_note,
            "networks": self._worker.networks,
            "fault": self._worker.fault,
        }

    def _state(self) -> Header:
        return {
            "uptime": round(time.monotonic() - self._started, 1),
            "jobs": len(self._queue),
            "uploads": len(self._uploads),
            "upload_bytes": self._uploads.bytes,
        }

    def _reply_later(self, job: Job, message: Message) -> None:
        """Have ``message`` sent; called from the worker's thread."""
        self._replies.append((job, message))
        if not hasattr(self._wakers, "socket"):
            self._wakers.socket = self._context.socket(zmq.PUSH)
            self._wakers.socket.connect("inproc://wake")
        try:
            self._wakers.socket.send(b"", zmq.DONTWAIT)
        except zmq.ZMQError:  # enough wake-ups wait, or the server is closing
            return

    def _send_replies(self) -> None:
        while self._wake.poll(0):
            self._wake.recv()
        while self._replies:
            job, message = self._replies.popleft()
            self._send(job.client, job.id, message)

    def _send(self, client: object, number: int | None, message: Message) -> None:
        """Send a reply; who cannot be reached is forgotten."""
        assert isinstance(client, tuple)
        header = {"v": VERSION, "id": number, **message.header}
        try:
            frames = replace(message, header=header).frames()
        except NightFlashError as fault:  # a header that grew too long
            log.error("%s", fault)
            frames = Message({"v": VERSION, "id": number, **error_reply(fault).header}).frames()
        socket = self._requests.sockets[client[0]]
        try:
            tracker = socket.send_multipart(
                [client[1], *frames], zmq.DONTWAIT, copy=False, track=bool(message.pictures)
            )
        except zmq.ZMQError as error:
            if error.errno not in GONE:
                raise
            if error.errno != zmq.EAGAIN or message.header["reply"] != "beat":
                self._forget(client)
            return
        if tracker is not None:
            size = sum(picture.layout.bytes for picture in message.pictures)
            self._unread.append((tracker, client, size))

    def _unread_bytes(self, client: Client) -> int:
        """Bytes of pictures on their way to ``client``."""
        self._unread = [entry for entry in self._unread if not entry[0].done]
        return sum(size for _, other, size in self._unread if other == client)

    def _visit(self, everyone: bool) -> None:
        """A sign of life to those who wait; whoever cannot take it is gone."""
        clients = self._queue.clients() | (self._uploads.owners() if everyone else set())
        for client in clients:
            self._send(client, None, Message({"reply": "beat"}))

    def _forget(self, client: Client) -> None:
        dropped = self._queue.drop_all_of(lambda other: other == client)
        self._uploads.drop_all_of(lambda other: other == client)
        if dropped:
            log.info("a client went away; %d of its requests were dropped", dropped)

    def _watch_memory(self) -> None:
        """Charge what grew, and end at once where memory that nobody accounts for is too much."""
        self._uploads.weigh()
        self._unread = [entry for entry in self._unread if not entry[0].done]
        accounted = self._uploads.bytes + sum(size for _, _, size in self._unread)
        if why := self._watchdog.look(accounted, len(self._queue) > 0):
            log.error("ended at once: %s", why)
            if self._still_held():
                with contextlib.suppress(OSError):
                    Connection.path().unlink(missing_ok=True)
                self._requests.hide()
                self._pulse.hide()
            logging.shutdown()
            os._exit(MEMORY_TAKEN)

    def _keep_files(self) -> None:
        """Mend what somebody cleaned away or spoilt; without its lock the backend ends."""
        if not self._still_held():
            self.stop("its lock was taken away")
            return
        self._requests.keep()
        self._pulse.keep()
        try:
            lost = Connection.read() != self.connection
        except NightFlashError:  # open to others: what they wrote is not believed
            lost = True
        if lost:
            with contextlib.suppress(OSError):
                self.connection.write()

    def _exit_when_idle(self, now: float) -> None:
        if len(self._queue):
            self._last_request = now
        if now - self._last_request > self._exit_after:
            self.stop("nobody asked for anything")

    def _close(self) -> None:
        log.info("ending: %s", self._stopping or "a fault")
        mine = self._still_held()
        if mine:  # else the files are another backend's by now
            with contextlib.suppress(OSError):
                Connection.path().unlink(missing_ok=True)  # first, so that nobody comes any more
            self._requests.hide()
            self._pulse.hide()
        fault = NightFlashError(
            "The backend is ending.", "The next request starts a new one.", code="shutting_down"
        )
        for job in self._queue.close():
            self._send(job.client, job.id, error_reply(fault))
        self._worker.join(1.0)
        self._send_replies()
        if not mine:  # closing the sockets would take the other one's files along
            self.ended = False
            time.sleep(LINGER_SECONDS)
            return
        self._pulse.close()
        self._requests.close()
        self._wake.close(0)
        self._authenticator.stop()
        self.ended = not self._worker.is_alive()
        if self.ended:
            self._context.term()


def _result(header: Header) -> Message:
    return Message({"reply": "result", **header})
