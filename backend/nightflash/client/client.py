"""The client of the backend: sends work, takes results, survives the backend.

Standard library only, where `relay` has the sockets, else pyzmq too.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Self

from nightflash.client.connector import Connector
from nightflash.client.ending import end_backend
from nightflash.client.link import BackendHangs, BackendLost, Link, Request
from nightflash.client.order import Order
from nightflash.client.progress import ReportProgress, ignore_progress
from nightflash.client.protocol import Header, Message, Pixels
from nightflash.client.remote_connector import RemoteConnector
from nightflash.client.remote_work import Reduced, RemoteWork
from nightflash.client.remotes import Remote
from nightflash.client.transfer import Download, send
from nightflash.errors import NightFlashError
from nightflash.stages import NETWORKS, START

SCRIPT_SILENCE = 14.0  # seconds without a sign of life: a script fails within 15
DIALOG_SILENCE = 4.0  # a dialog within 5
ANSWER_SECONDS = 60.0  # for what the backend answers at once, its loop's pulse being there
SLOWEST = 0.25e6  # bytes a second at which pictures travel at the least
GOODBYE_SECONDS = 2.0  # for a remote to forget this client's pictures


class Client:
    """A connection to the backend, for one thread.

    It survives the backend: a request after the backend's end starts a new one and sends it the
    pictures again.

    Args:
        command: What starts a backend, or None to start none.
        environment: Its variables, or None for this process's own.
        relay: What starts ``nightflash.client.relay`` where this Python has no pyzmq.
        silence: Seconds without a sign of life after which the backend hangs: `DIALOG_SILENCE`
            where somebody looks on.
        replaces: Whether the request after one that met a hung backend (`BackendHangs`, whose code
            is ``backend_hangs``) ends that one and starts another, and whether one of an older
            version than this client's makes way.
        remote: A backend on another machine to use, instead of this machine's.
    """

    def __init__(
        self,
        command: Sequence[str] | None = (sys.executable, "-m", "nightflash", "serve"),
        environment: Mapping[str, str] | None = None,
        *,
        relay: Sequence[str] | None = None,
        silence: float = SCRIPT_SILENCE,
        replaces: bool = False,
        remote: Remote | None = None,
    ) -> None:
        self._remote = remote
        self._connector: Connector | RemoteConnector
        if remote is None:
            self._connector = Connector(command, environment, relay, silence, replaces)
        else:
            self._connector = RemoteConnector(remote, environment, relay, silence)
        self._link: Link | None = None
        self._sent: dict[int, tuple[Pixels, str]] = {}
        self._reduced = Reduced()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the backend goes on, and keeps nothing of this client's."""
        if self._remote is not None and self._link is not None and self._sent:
            handles = [handle for _, handle in self._sent.values()]
            goodbye = Request({"request": "drop", "handles": handles}, seconds=GOODBYE_SECONDS)
            with contextlib.suppress(NightFlashError):
                self._link.exchange(goodbye)
        self._break_off()

    def _break_off(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None
        self._sent.clear()

    def connect(
        self,
        report_progress: ReportProgress = ignore_progress,
        cancel: threading.Event | None = None,
    ) -> Header:
        """Connect, starting a backend where none runs; gives what it says of itself.

        Raises:
            NightFlashError: ``no_backend``, ``no_key``, ``not_private``, ``wrong_version`` or
                ``start_failed``; of a remote ``not_reached``, ``other_server`` or ``not_let_in``.
            BackendHangs: One runs and does not answer.
            Cancelled: ``cancel`` was set.
        """
        if self._link is None:
            self._sent.clear()
            self._link = self._connector.connect(report_progress, cancel)
        return self._link.about

    def restart(
        self,
        report_progress: ReportProgress = ignore_progress,
        cancel: threading.Event | None = None,
    ) -> Header:
        """End the backend, answering or not, and connect to another one; only again to a remote.

        Raises:
            NightFlashError: As `connect`, or ``backend_lost`` where it does not end.
            Cancelled: ``cancel`` was set.
        """
        self._break_off()
        self._connector.forgive()
        if self._remote is None:
            report_progress(START, 0.0, "Ending the backend")
            end_backend()
        return self.connect(report_progress, cancel)

    def ask(self, request: str, **fields: Any) -> Header:
        """Make a request that is answered at once, such as ``status``; gives the reply.

        Raises:
            NightFlashError: As `connect`, or what the backend refuses.
        """
        return self._retried(
            lambda: self._exchange({"request": request, **fields}), ignore_progress
        ).header

    @property
    def transport(self) -> str:
        """How the backend is reached: ``ipc``, ``tcp``, or nothing while it is not."""
        return self._link.transport if self._link is not None else ""

    @property
    def far(self) -> bool:
        """Whether the backend is a remote, and each byte takes its time."""
        return self._remote is not None

    def echo(self, pixels: Pixels) -> Pixels:
        """Send a picture there and have it back, to see how the connection does.

        Raises:
            NightFlashError: As `connect`, or what the backend refuses.
        """

        def once() -> Message:
            handle = self._handle(pixels, ignore_progress, None)
            if self._remote is not None:
                there = {"handles": [handle], "layouts": [asdict(pixels.layout)]}
                return Download(Message(there)).go_on(self._linked(), ignore_progress, None)
            return self._exchange({"request": "get", "handle": handle}, size=pixels.layout.bytes)

        back = self._watched(once)
        self.forget(pixels)
        return back.pictures[0]

    def forget(self, pixels: Pixels) -> None:
        """Have the backend forget a picture that is no longer needed."""
        for known in filter(None, (pixels, self._reduced.forget(pixels))):
            self._forget(self._sent.pop(id(known), None))

    def _forget(self, sent: tuple[Pixels, str] | None) -> None:
        if sent is not None and self._link is not None:
            with contextlib.suppress(NightFlashError):
                self._watched(lambda: self._exchange({"request": "drop", "handle": sent[1]}))

    def work(
        self,
        request: str,
        photo: Pixels,
        *,
        mask: Pixels | None = None,
        box: Sequence[float] | None = None,
        point: Sequence[float] | None = None,
        clicks: Sequence[Sequence[str | float]] = (),
        strokes: Pixels | None = None,
        report_progress: ReportProgress = ignore_progress,
        cancel: threading.Event | None = None,
        retry: bool = True,
        **fields: Any,
    ) -> Message:
        """Have a photo worked on: ``analyse``, ``preview`` or ``render``.

        Args:
            request: Which.
            photo: Sent once; until it is forgotten, later requests only name it.
            mask: Grey picture of the main object, likewise.
            box, point: Aim in pixels of the photo.
            clicks: Corrections of it, ("add" or "remove", x, y), one after the other.
            strokes: Grey and alpha, of any size: corrections painted over the whole photo.
            report_progress: Takes the progress.
            cancel: Set it from another thread to stop the work.
            retry: Once more from the start when the backend is lost.
            fields: Further fields of the request: ``settings``, ``views``, ``output``, ``sample``.

        Raises:
            NightFlashError: As `connect`, or what the backend refuses.
            BackendLost: The backend ended while at work, again if ``retry``.
            Cancelled: ``cancel`` was set.
        """

        aim = {"box": box, "point": point, "clicks": list(map(list, clicks))}
        order = Order(request, photo, mask, strokes, aim, fields)
        if self._remote is None:
            once = partial(self._begun, order, report_progress, cancel)
        else:
            seen = order if id(photo) in self._sent else self._reduced.order(order)
            work = RemoteWork(order, seen, self._begun)
            once = partial(work.go_on, self._linked, report_progress, cancel)
        return self._retried(once, report_progress) if retry else self._watched(once)

    def _begun(
        self, order: Order, report_progress: ReportProgress, cancel: threading.Event | None
    ) -> Message:
        """Have an order worked on by the backend that is there; its result."""
        self.connect(report_progress, cancel)
        header = order.header(lambda pixels: self._handle(pixels, report_progress, cancel))
        return self._exchange(header, report_progress=report_progress, cancel=cancel, patient=True)

    def _retried(self, once: Callable[[], Message], report_progress: ReportProgress) -> Message:
        try:
            return self._watched(once)
        except BackendHangs:
            raise
        except BackendLost as fault:
            report_progress(NETWORKS, 0.0, f"{fault.sentence} {self._connector.AGAIN}")
        except NightFlashError as fault:
            if fault.code != "unknown_handle":  # too long unused: it goes there again
                raise
            self._sent.clear()
        return self._watched(once)

    def _watched(self, once: Callable[[], Message]) -> Message:
        try:
            return once()
        except NightFlashError as fault:
            if isinstance(fault, BackendLost) or fault.code == "shutting_down":
                self._break_off()
                lost = fault if isinstance(fault, BackendLost) else BackendLost(fault.sentence)
                explained = self._connector.explained(lost)
                if explained is not fault:
                    raise explained from fault
            raise

    def _handle(
        self, pixels: Pixels, report_progress: ReportProgress, cancel: threading.Event | None
    ) -> str:
        """The backend's name for a picture, which is sent where it was not yet."""
        known = self._sent.get(id(pixels))
        if known is None and self._remote is not None:
            handle = send(self._linked(report_progress, cancel), pixels, report_progress, cancel)
            known = self._sent[id(pixels)] = pixels, handle
        elif known is None:
            answer = self._exchange({"request": "put"}, [pixels], cancel=cancel)
            known = self._sent[id(pixels)] = pixels, str(answer.header["handle"])
        return known[1]

    def _exchange(
        self,
        header: Header,
        pictures: Sequence[Pixels] = (),
        *,
        report_progress: ReportProgress = ignore_progress,
        cancel: threading.Event | None = None,
        size: int = 0,
        patient: bool = False,
    ) -> Message:
        link = self._linked(report_progress, cancel)
        size += sum(picture.layout.bytes for picture in pictures)
        seconds = float("inf") if patient else ANSWER_SECONDS + size / SLOWEST
        return link.exchange(Request(header, pictures, seconds), report_progress, cancel)

    def _linked(
        self,
        report_progress: ReportProgress = ignore_progress,
        cancel: threading.Event | None = None,
    ) -> Link:
        self.connect(report_progress, cancel)
        assert self._link is not None
        return self._link
