"""The way to a backend on another machine: it is never started from here, and may be out of reach.

Standard library only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from nightflash.client.link import BackendHangs, BackendLost, Link
from nightflash.client.progress import ReportProgress
from nightflash.client.remotes import Remote
from nightflash.errors import Cancelled, NightFlashError
from nightflash.stages import START

REACH_SECONDS = 10.0  # for a server that starts, or a line that comes back
LINE_SILENCE = 14.0  # seconds: pictures on the same line hold an echo up for some


class RemoteConnector:
    """The way to one remote.

    Args:
        remote: Which.
        relay, environment: See `Client`.
        silence: Seconds without a sign of life, at least `LINE_SILENCE`.
    """

    AGAIN = "Connecting again."

    def __init__(
        self,
        remote: Remote,
        environment: Mapping[str, str] | None,
        relay: Sequence[str] | None,
        silence: float,
    ) -> None:
        self._remote, self._environment, self._relay = remote, environment, relay
        self._silence = max(silence, LINE_SILENCE)

    def connect(self, report_progress: ReportProgress, cancel: threading.Event | None) -> Link:
        """A link to the remote.

        Raises:
            NightFlashError: ``not_reached``, ``other_server``, ``not_let_in``, ``wrong_version``.
            Cancelled: ``cancel`` was set.
        """
        name, until = self._remote.name, time.monotonic() + REACH_SECONDS
        report_progress(START, 0.0, f"Connecting to {name}")
        while True:
            if cancel is not None and cancel.is_set():
                raise Cancelled
            try:
                if (link := self._open()) is not None:
                    return link
            except BackendLost:
                pass
            if time.monotonic() > until:
                raise NightFlashError(
                    f"{name} does not answer at {self._remote.address}.",
                    "See that 'nightflash serve --listen' runs there and no firewall is between.",
                    code="not_reached",
                )
            time.sleep(0.2)

    def forgive(self) -> None:
        """Nothing is ever ended from here."""

    def explained(self, fault: BackendLost) -> BackendLost:
        """``fault`` in words that are true for a remote."""
        name, hangs = self._remote.name, isinstance(fault, BackendHangs)
        return BackendLost(
            f"{name} does not answer any more." if hangs else f"{name} is cut off.",
            "See that it and the line to it are up, and try again.",
        )

    def _open(self) -> Link | None:
        link = self._link()
        try:
            if link.greet():
                return link
        except NightFlashError as fault:
            link.close()
            raise self._refusal(fault) from fault
        except BaseException:
            link.close()
            raise
        link.close()
        return None

    def _refusal(self, fault: NightFlashError) -> NightFlashError:
        name, address = self._remote.name, self._remote.address
        if fault.code == "not_let_in":
            return NightFlashError(
                f"{name} does not let this machine in: its key was turned out there.",
                f"Run 'nightflash remote invite' on {name}; then here 'nightflash remote remove"
                f" {name}' and 'nightflash remote add CODE'.",
                code="not_let_in",
            )
        if fault.code == "no_key":
            return NightFlashError(
                f"Who answers at {address} is not {name}: it has another key than {name} had.",
                "Its server was set up anew, or somebody else poses as it; if it was set up anew,"
                f" run 'nightflash remote remove {name}' and add it again.",
                code="other_server",
            )
        return fault

    def _link(self) -> Link:
        connection = self._remote.connection()
        if self._relay is not None:
            from nightflash.client.pipe_link import PipeLink

            command = [*self._relay, self._remote.name]
            return PipeLink(command, self._environment, connection, self._silence)
        from nightflash.client.zmq_link import ZmqLink  # GIMP's Python may have no pyzmq

        return ZmqLink(connection, self._silence)
