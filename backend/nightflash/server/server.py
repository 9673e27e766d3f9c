"""The backend's loop: it takes messages in, sends replies, and never waits for the device."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

import zmq

from nightflash import __version__
from nightflash.client.connection import Connection
from nightflash.client.protocol import (
    MAX_FRAME,
    VERSION,
    Message,
    bad_request,
    check_version,
    error_reply,
    read_header,
)
from nightflash.errors import NightFlashError
from nightflash.server.admission import Admission
from nightflash.server.answers import Answers
from nightflash.server.doorkeeper import Doorkeeper, Keys
from nightflash.server.listeners import (
    PULSE_LIMIT,
    IpcListener,
    Listener,
    Peer,
    TcpListener,
    echo,
    open_listeners,
)
from nightflash.server.parts import MOST_OF_PART, packed
from nightflash.server.queue import JobQueue
from nightflash.server.reception import Elsewhere, Reception
from nightflash.server.remote_listener import RemoteListener
from nightflash.server.replies import Replies
from nightflash.server.requests import Job, read_id
from nightflash.server.upkeep import Files, Memory
from nightflash.server.uploads import Uploads
from nightflash.server.watchdog import Watchdog
from nightflash.server.worker import Worker

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.25  # between signs of life to clients that wait
KEEP_SECONDS = 1.0  # between looks after the lock, the sockets' files and the connection file
VISIT_SECONDS = 5.0  # between looks after clients that only have pictures here
MOST_FRAMES = 256
LINGER_SECONDS = 0.5  # for what was sent last


class Server:
    """Answers clients, and feeds the worker.

    Args:
        make_worker: Makes the worker for a queue and a way to reply.
        upload_bytes: Memory for the pictures that clients send.
        upload_seconds: Until a picture that is not used is forgotten.
        exit_after: Seconds without a request for anything after which the backend ends.
        still_held: Whether this is still the user's one backend; it ends where it is not.
        tcp: Whether to open a port where there is a socket in a folder too.
        elsewhere: How to listen for other machines; None for not at all.

    Attributes:
        connection: Where and how clients find it.
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
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._exit_after = exit_after
        self._stopping = ""
        self.ended = False
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=2)
        self._authenticator = Doorkeeper(self._context)
        self._authenticator.start()
        keys = Keys()
        self._authenticator.configure_curve_callback("nightflash", keys)
        self._requests = open_listeners(self._context, keys, "requests", MAX_FRAME, tcp)
        self._pulse = open_listeners(self._context, keys, "pulse", PULSE_LIMIT, tcp)
        own = list(self._requests)
        admission = Admission() if elsewhere else None
        if elsewhere and admission:
            self._requests.append(self._listen(elsewhere.address, admission))
        self._listeners = [*self._requests, *self._pulse]
        self.connection = Connection(
            protocol=VERSION,
            version=__version__,
            pid=os.getpid(),
            ipc=_address(own, IpcListener),
            tcp=_address(own, TcpListener),
            pulse_ipc=_address(self._pulse, IpcListener),
            pulse_tcp=_address(self._pulse, TcpListener),
            server_key=keys.server[0].decode(),
            public_key=keys.client_public.decode(),
            secret_key=keys.client_secret.decode(),
        )
        self._files = Files(self.connection, self._listeners, still_held)
        self._memory = Memory(Watchdog(upload_bytes), self._listeners, self._files)
        self._uploads = Uploads(upload_bytes, upload_seconds)
        self._queue = JobQueue()
        self._replies = Replies(
            self._context, self._requests, upload_bytes // 2, self._forget, self._kept
        )
        self._worker = make_worker(self._queue, self._reply_later)
        self._answers = Answers(self._uploads, self._queue, self._worker, self._replies, self.stop)
        self._receptions: dict[int, Reception] = {}
        for number, listener in enumerate(self._requests):
            if elsewhere and admission and isinstance(listener, RemoteListener):
                self._receptions[number] = Reception(
                    *(number, listener, admission, elsewhere.limits),
                    *(self._queue, self._uploads, self._answers.about),
                )

    def _listen(self, address: str, admission: Admission) -> RemoteListener:
        """Open the port for other machines."""
        self._authenticator.admit(admission)
        listener = RemoteListener(self._context, MOST_OF_PART, address, admission)
        admission.listens_at(listener.address)
        log.info("listening for other machines at %s", listener.address)
        return listener

    def stop(self, why: str) -> None:
        """End `run` soon; may be called from a signal handler."""
        self._stopping = self._stopping or why

    def run(self) -> None:
        """Answer until stopped; the worker's own end is not waited for longer than a second."""
        self._worker.start()
        poller = zmq.Poller()
        for listener in self._listeners:
            poller.register(listener.socket, zmq.POLLIN)
            poller.register(listener.monitor, zmq.POLLIN)
        poller.register(self._replies.woken, zmq.POLLIN)
        beat = visit = kept = watched = time.monotonic()
        busy = False
        try:
            while not self._stopping:
                ready = dict(poller.poll(round(1000 * self._memory.pause)))
                for listener in self._listeners:
                    listener.watch()
                for reception in self._receptions.values():
                    for client in reception.gone():
                        self._forget(client)
                for number, listener in enumerate(self._requests):
                    if listener.socket in ready:
                        self._receive(number, listener)
                for listener in self._pulse:
                    if listener.socket in ready:
                        echo(listener)
                self._send_replies()
                now = time.monotonic()
                worked, busy = busy, len(self._queue) > 0
                if now - watched > self._memory.pause or (
                    worked and not busy
                ):  # else work hides all
                    watched = now
                    self._replies.bound()
                    accounted = self._uploads.bytes + self._replies.bytes
                    loading = self._worker.state == "loading"
                    self._memory.watch(now, accounted, busy, loading)
                if now - kept > KEEP_SECONDS:
                    kept = now
                    for reception in self._receptions.values():
                        reception.keep()
                    if not self._files.keep():
                        self.stop("its lock was taken away")
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

    def _receive(self, number: int, listener: Listener) -> None:
        """Take and answer one message."""
        if (came := listener.receive()) is None:
            return
        client, frames = (number, came[0]), came[1]
        answer_to: int | None = None
        try:
            if not 1 <= len(frames) <= MOST_FRAMES:
                raise bad_request(f"A message has 1 to {MOST_FRAMES} frames.")
            header = read_header(frames[0].buffer)
            answer_to = header["id"] if type(header.get("id")) is int else None
            check_version(header, "backend")
            answer_to = read_id(header)
            message = Message.from_frames(header, [frame.buffer for frame in frames[1:]])
            reception = self._receptions.get(number)
            if reception and (answer := reception.answer(client, frames, message)) is not None:
                self._replies.send(client, answer_to, answer)
                return
            self._answers.answer(client, answer_to, message)
        except NightFlashError as fault:
            self._replies.send(client, answer_to, error_reply(fault))
        except Exception:
            log.exception("a message could not be answered")
            failed = NightFlashError(
                "The backend failed at this request.",
                "'nightflash logs' tells more; please report it.",
                code="internal",
            )
            self._replies.send(client, answer_to, error_reply(failed))

    def _reply_later(self, job: Job, message: Message) -> None:
        """Take a reply of the worker's, in its thread, which codes pictures for those far away."""
        coded = job.work.coded and job.client[0] in self._receptions
        self._replies.later(job, packed(message) if coded else message)

    def _kept(self, job: Job, message: Message) -> Message:
        """A reply of the worker's, whose large pictures stay here for those far away."""
        reception = self._receptions.get(job.client[0])
        if reception is None or not (job.work.coded and message.pictures):
            return message
        try:
            return reception.kept(job.client, message)
        except NightFlashError as fault:
            return error_reply(fault)

    def _send_replies(self) -> None:
        """Send what the worker has; what it worked out of pictures is charged from now on."""
        for job in self._replies.send_waiting():
            for upload in filter(None, (job.work.photo, job.work.mask)):
                self._uploads.weigh(upload)

    def _visit(self, everyone: bool) -> None:
        """A sign of life to those who wait; whoever cannot take it is gone."""
        owners = self._uploads.owners() if everyone else set()
        near = {owner for owner in owners if owner[0] not in self._receptions}
        far = {peer for each in self._receptions.values() if everyone for peer in each.peers()}
        for client in self._queue.clients() | near | far:
            self._replies.send(client, None, Message({"reply": "beat"}))

    def _forget(self, client: Peer) -> None:
        if (reception := self._receptions.get(client[0])) is not None:
            reception.left(client[1])
        dropped = self._queue.drop_all_of(lambda other: other == client)
        self._uploads.drop_all_of(lambda other: other == client)
        if dropped:
            log.info("a client went away; %d of its requests were dropped", dropped)

    def _exit_when_idle(self, now: float) -> None:
        if len(self._queue):
            self._answers.last_request = now
        if now - self._answers.last_request > self._exit_after:
            self.stop("nobody asked for anything")

    def _close(self) -> None:
        log.info("ending: %s", self._stopping or "a fault")
        mine = self._files.remove()  # first, so that nobody comes any more
        fault = NightFlashError(
            "The backend is ending.", "The next request starts a new one.", code="shutting_down"
        )
        for job in self._queue.close():
            self._replies.send(job.client, job.id, error_reply(fault))
        self._worker.join(1.0)
        self._send_replies()
        if not mine:  # closing the sockets would take the other one's files along
            self.ended = False
            time.sleep(LINGER_SECONDS)
            return
        for listener in reversed(self._listeners):
            listener.close()
        self._replies.woken.close(0)
        self._authenticator.stop()
        self.ended = not self._worker.is_alive()
        if self.ended:
            self._context.term()


def _address(listeners: list[Listener], kind: type[Listener]) -> str:
    return next((listener.address for listener in listeners if isinstance(listener, kind)), "")
