"""Finds the backend that runs or starts one, and gives a link to it. Standard library only."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import threading
import time
from collections.abc import Mapping, Sequence

from nightflash import __version__
from nightflash.client.connection import Connection
from nightflash.client.ending import end_backend
from nightflash.client.holder import backend_runs, running_pid
from nightflash.client.launch import start, start_failed
from nightflash.client.link import BackendHangs, BackendLost, Link, Request
from nightflash.client.progress import ReportProgress
from nightflash.client.protocol import check_version
from nightflash.errors import Cancelled, NightFlashError
from nightflash.stages import START

OPTIONS_VARIABLE = "NIGHTFLASH_SERVE"  # options of `nightflash serve` for those started here
START_SECONDS = 120.0  # for a first start from a slow disk
REACH_SECONDS = 3.0  # for a backend that runs and is not to be reached
MOST_STARTS = 3  # of a backend that somebody kills while it starts


class Connector:
    """The way to a backend.

    Args:
        command, environment, relay, silence, replaces: See `Client`.
    """

    AGAIN = "Starting it anew."

    def __init__(
        self,
        command: Sequence[str] | None,
        environment: Mapping[str, str] | None,
        relay: Sequence[str] | None,
        silence: float,
        replaces: bool,
    ) -> None:
        self._command, self._environment, self._relay = command, environment, relay
        self._silence, self._replaces = silence, replaces
        self._hung = 0  # the process that did not answer, where it is to be replaced
        self._unreachable = 0.0  # since when one runs that cannot be connected to

    def connect(self, report_progress: ReportProgress, cancel: threading.Event | None) -> Link:
        """A link to a backend, which is started where none runs.

        Raises:
            NightFlashError: See `Client.connect`.
        """
        if self._hung:
            report_progress(START, 0.0, "Ending the backend that does not answer")
            end_backend({self._hung})  # and no other one, which somebody else may have begun
            self.forgive()
        self._replace_older(report_progress)
        self._unreachable = time.monotonic()
        try:
            return self._link_or_none() or self._start(report_progress, cancel)
        except BackendHangs as fault:
            raise self.explained(fault) from fault

    def forgive(self) -> None:
        """Replace none: what did not answer has ended."""
        self._hung = 0

    def explained(self, fault: BackendLost) -> BackendLost:
        """``fault``, with the remedy that is true for this client."""
        if not self._replaces or not isinstance(fault, BackendHangs):
            return fault
        self._hung = fault.pid
        return BackendHangs(fault.pid, "Try again: another one takes its place.")

    def _start(self, report_progress: ReportProgress, cancel: threading.Event | None) -> Link:
        if self._command is None:
            return self._reach()
        report_progress(START, 0.0, "Starting the backend")
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

    def _replace_older(self, report_progress: ReportProgress) -> None:
        """End a backend of an older version, unless it is at work."""
        found = Connection.read() if self._replaces else None
        if found is None or _numbers(found.version) >= _numbers(__version__):
            return
        with contextlib.suppress(NightFlashError):  # of another protocol it does not understand
            if (link := self._open()) is not None:
                with contextlib.closing(link):
                    if link.exchange(Request({"request": "status"})).header["jobs"]:
                        return
        report_progress(START, 0.0, "Ending the backend of an older version")
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
            if (link := self._open()) is not None:
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

    def _open(self) -> Link | None:
        """Connect to the backend that runs, or None where none does.

        Raises:
            NightFlashError: ``no_key``, ``no_way``, ``not_private`` or ``wrong_version``.
            BackendLost: It ended meanwhile.
            BackendHangs: It is there and does not answer.
        """
        found = Connection.read()
        if found is None or not backend_runs():  # a stale file's port may be anybody's by now
            return None
        check_version({"v": found.protocol}, "client")
        link = self._link(found)
        try:
            if link.greet():
                return link
        except BaseException:
            link.close()
            raise
        link.close()
        return None

    def _link(self, found: Connection) -> Link:
        if self._relay is not None:
            from nightflash.client.pipe_link import PipeLink

            return PipeLink(self._relay, self._environment, found, self._silence)
        from nightflash.client.zmq_link import ZmqLink  # GIMP's Python may have no pyzmq

        return ZmqLink(found, self._silence)


def _numbers(version: str) -> list[int]:
    """A version, such as 0.1.10, in an order."""
    return [int(number) for number in re.findall(r"\d+", version)]
