"""The client of the backend: connects, starts it where none runs, sends work, takes results.

Standard library and pyzmq only: it also runs in GIMP's Python.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from nightflash import __version__
from nightflash.client.connection import Connection
from nightflash.client.ending import end_backend
from nightflash.client.holder import backend_runs, running_pid
from nightflash.client.launch import start, start_failed
from nightflash.client.link import BackendHangs, BackendLost, Link, Request, open_link
from nightflash.client.progress import Tell, tell_nobody
from nightflash.client.protocol import Header, Message, Pixels
from nightflash.errors import Cancelled, NightFlashError

OPTIONS_VARIABLE = "NIGHTFLASH_SERVE"  # options of `nightflash serve` for those started here
START_SECONDS = 120.0  # for a first start from a slow disk
SCRIPT_SILENCE = 14.0  # seconds without a sign of life: a script tells of it within 15
DIALOG_SILENCE = 4.0  # a dialog within 5
REACH_SECONDS = 3.0  # for a backend that runs and is not to be reached
ANSWER_SECONDS = 60.0  # for what the backend answers at once, its loop's pulse being there
SLOWEST = 0.25e6  # bytes a second at which pictures travel at the least
MOST_STARTS = 3  # of a backend that somebody kills while it starts


class Client:
    """A connection to the backend, for one thread.

    It survives the backend: a request after the backend's end starts a new one and sends it the
    pictures again.

    Args:
        command: What starts a backend, or None to start none.
        environment: Its variables, or None for this process's own.
        silence: Seconds without a sign of life after which the backend hangs: `DIALOG_SILENCE`
            where somebody looks on.
        replaces: Whether the request after one that met a hung backend (`BackendHangs`, whose code
            is ``backend_hangs``) ends that one and starts another, and whether one of an older
            version than this client's makes way.
    """

    def __init__(
        self,
        command: Sequence[str] | None = (sys.executable, "-m", "nightflash", "serve"),
        environment: Mapping[str, str] | None = None,
        *,
        silence: float = SCRIPT_SILENCE,
        replaces: bool = False,
    ) -> None:
        self._silence, self._replaces = silence, replaces
        self._hung = 0  # the process that did not answer, where it is to be replaced
        self._unreachable = 0.0  # since when one runs that cannot be connected to
        self._command = command
        self._environment = environment
        self._link: Link | None = None
        self._sent: dict[int, tuple[Pixels, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the backend goes on."""
        if self._link is not None:
            self._link.close()
        self._link = None
        self._sent.clear()

    def connect(self, tell: Tell = tell_nobody, cancel: threading.Event | None = None) -> Header:
        """Connect, starting a backend where none runs; gives what it says of itself.

        Raises:
            NightFlashError: ``no_backend``, ``no_key``, ``not_private``, ``wrong_version`` or
                ``start_failed``.
            BackendHangs: One runs and does not answer.
            Cancelled: ``cancel`` was set.
        """
        if self._link is None:
            self._sent.clear()
            if self._hung:
                tell("start", 0.0, "Ending the backend that does not answer")
                end_backend({self._hung})  # and no other one, which somebody else may have begun
                self._hung = 0
            self._replace_older(tell)
            self._unreachable = time.monotonic()
            try:
                self._link = self._link_or_none() or self._start(tell, cancel)
            except BackendHangs as fault:
                raise self._to_be_replaced(fault) from fault
        return self._link.about

    def restart(self, tell: Tell = tell_nobody, cancel: threading.Event | None = None) -> Header:
        """End the backend, answering or not, and connect to another one.

        Raises:
            NightFlashError: As `connect`, or ``backend_lost`` where it does not end.
            Cancelled: ``cancel`` was set.
        """
        self.close()
        self._hung = 0
        tell("start", 0.0, "Ending the backend")
        end_backend()
        return self.connect(tell, cancel)

    def ask(self, request: str, **fields: Any) -> Header:
        """Make a request that is answered at once, such as ``status``; gives the reply.

        Raises:
            NightFlashError: As `connect`, or what the backend refuses.
        """
        return self._retried(
            lambda: self._exchange({"request": request, **fields}), tell_nobody
        ).header

    @property
    def transport(self) -> str:
        """How the backend is reached: ``ipc``, ``tcp``, or nothing while it is not."""
        return self._link.transport if self._link is not None else ""

    def echo(self, pixels: Pixels) -> Pixels:
        """Send a picture there and have it back, to see how the connection does.

        Raises:
            NightFlashError: As `connect`, or what the backend refuses.
        """

        def once() -> Message:
            handle = self._handle(pixels, None)
            return self._exchange({"request": "get", "handle": handle}, size=pixels.layout.bytes)

        back = self._watched(once)
        self.forget(pixels)
        return back.pictures[0]

    def forget(self, pixels: Pixels) -> None:
        """Have the backend forget a picture that is no longer needed."""
        sent = self._sent.pop(id(pixels), None)
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
        tell: Tell = tell_nobody,
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
            tell: Takes the progress.
            cancel: Set it from another thread to stop the work.
            retry: Once more from the start when the backend is lost.
            fields: Further fields of the request: ``settings``, ``views``, ``output``, ``sample``.

        Raises:
            NightFlashError: As `connect`, or what the backend refuses.
            BackendLost: The backend ended while at work, again if ``retry``.
            Cancelled: ``cancel`` was set.
        """

        def once() -> Message:
            self.connect(tell, cancel)
            aim = {"box": box, "point": point}
            if mask is not None:
                aim["mask"] = self._handle(mask, cancel)  # type: ignore[assignment]
            header = {
                "request": request,
                "photo": self._handle(photo, cancel),
                "aim": {name: value for name, value in aim.items() if value is not None},
                **fields,
            }
            return self._exchange(header, tell=tell, cancel=cancel, patient=True)

        return self._retried(once, tell) if retry else self._watched(once)

    def _retried(self, once: Callable[[], Message], tell: Tell) -> Message:
        try:
            return self._watched(once)
        except BackendHangs:
            raise
        except BackendLost as fault:
            tell("networks", 0.0, f"{fault.sentence} Starting it anew.")
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
                self.close()
                if isinstance(fault, BackendHangs):
                    raise self._to_be_replaced(fault) from fault
                if not isinstance(fault, BackendLost):
                    raise BackendLost(fault.sentence) from fault
            raise

    def _to_be_replaced(self, fault: BackendHangs) -> BackendHangs:
        """``fault``, with the remedy that is true for this client."""
        if not self._replaces:
            return fault
        self._hung = fault.pid
        return BackendHangs(fault.pid, "Try again: another one takes its place.")

    def _handle(self, pixels: Pixels, cancel: threading.Event | None) -> str:
        """The backend's name for a picture, which is sent where it was not yet."""
        known = self._sent.get(id(pixels))
        if known is None:
            answer = self._exchange({"request": "put"}, [pixels], cancel=cancel)
            known = self._sent[id(pixels)] = pixels, str(answer.header["handle"])
        return known[1]

    def _exchange(
        self,
        header: Header,
        pictures: Sequence[Pixels] = (),
        *,
        tell: Tell = tell_nobody,
        cancel: threading.Event | None = None,
        size: int = 0,
        patient: bool = False,
    ) -> Message:
        self.connect(tell, cancel)
        assert self._link is not None
        size += sum(picture.layout.bytes for picture in pictures)
        seconds = float("inf") if patient else ANSWER_SECONDS + size / SLOWEST
        return self._link.exchange(Request(header, pictures, seconds), tell, cancel)

    def _start(self, tell: Tell, cancel: threading.Event | None) -> Link:
        if self._command is None:
            return self._reach()
        tell("start", 0.0, "Starting the backend")
        command = [*self._command, *shlex.split(os.environ.get(OPTIONS_VARIABLE, ""))]
        process, starts = start(command, self._environment), 1
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if cancel is not None and cancel.is_set():
                raise Cancelled
            ended = process.poll() is not None  # looked at first: it may write, then end
            link = self._link_or_none()
            if link is not None:
                return link
            killed = ended and process.returncode < 0
            if ended and process.returncode != 0 and not (killed and starts < MOST_STARTS):
                raise start_failed(f"The backend ended with exit code {process.returncode}.")
            if ended:  # somebody killed it; or another one ran, and may be on its way out
                starts += killed
                time.sleep(0.25)
                process = start(command, self._environment)
            time.sleep(0.05)
        raise start_failed(f"The backend was not ready after {START_SECONDS:.0f} s.")

    def _replace_older(self, tell: Tell) -> None:
        """End a backend of an older version, unless it is at work."""
        found = Connection.read() if self._replaces else None
        if found is None or _numbers(found.version) >= _numbers(__version__):
            return
        with contextlib.suppress(NightFlashError):  # of another protocol it does not understand
            if (link := open_link(self._silence)) is not None:
                with contextlib.closing(link):
                    if link.exchange(Request({"request": "status"})).header["jobs"]:
                        return
        tell("start", 0.0, "Ending the backend of an older version")
        end_backend()

    def _reach(self) -> Link:
        """A link to a backend that others started, and that may be mending its way in."""
        until = time.monotonic() + REACH_SECONDS
        while backend_runs():
            if (link := self._link_or_none()) is not None:
                return link
            if time.monotonic() > until:
                pid = running_pid()
                raise BackendLost(
                    f"A backend runs{f' (process {pid})' if pid else ''} and is not to be reached.",
                    "It may be starting or ending; else stop it with 'nightflash stop'.",
                )
            time.sleep(0.05)
        raise NightFlashError(
            "No backend runs.", "Start one with: nightflash serve", code="no_backend"
        )

    def _link_or_none(self) -> Link | None:
        """`open_link`; a backend that ends while it is asked is none.

        Raises:
            BackendHangs: One serves and was not to be connected to for too long.
        """
        try:
            if (link := open_link(self._silence)) is not None:
                return link
        except BackendHangs:
            raise
        except BackendLost:
            return None
        found, now = Connection.read(), time.monotonic()
        if found is None or not backend_runs():  # none, or one that starts or ends
            self._unreachable = now
        elif now - self._unreachable > self._silence:
            raise BackendHangs(found.pid)
        return None


def _numbers(version: str) -> list[int]:
    """A version, such as 0.1.10, in an order."""
    return [int(number) for number in re.findall(r"\d+", version)]
