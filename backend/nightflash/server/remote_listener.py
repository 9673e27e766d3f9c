"""The port for other machines, and who has come in by it."""

from __future__ import annotations

import contextlib
from typing import Any

import zmq

from nightflash.errors import NightFlashError
from nightflash.server.admission import Admission
from nightflash.server.doorkeeper import ELSEWHERE
from nightflash.server.listeners import TcpListener

HEARTBEAT_MILLISECONDS = 5_000  # from probe to probe of a line
DEAD_MILLISECONDS = 30_000  # without anything from a client: it sleeps, or its line is gone


class RemoteListener(TcpListener):
    """A port that other machines reach; requests and the pulse come in by it alike.

    Args:
        context: Its authenticator is there already.
        limit: Bytes of the largest frame let in.
        address: ``tcp://ADDRESS:PORT`` of this machine; port 0 is any.
        admission: Has the server's keys.

    Raises:
        NightFlashError: ``not_listening``: the address is taken or not this machine's.

    Attributes:
        gone: Routing ids of those whose connection has ended; whoever sees to them clears it.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        limit: int,
        address: str,
        admission: Admission,
    ) -> None:
        try:
            super().__init__(context, limit, admission.keys(), address, ELSEWHERE)
        except zmq.ZMQError as error:
            raise NightFlashError(
                f"The backend cannot listen at {address}: {error.strerror}.",
                "Choose an address of this machine (tcp://0.0.0.0:PORT is any) and a free port.",
                code="not_listening",
            ) from error
        self.gone: list[bytes] = []
        self._port = int(self.address.rpartition(":")[2])

    def _set_up(self) -> None:
        self.socket.heartbeat_ivl = HEARTBEAT_MILLISECONDS
        self.socket.heartbeat_timeout = DEAD_MILLISECONDS

    def receive(self) -> tuple[bytes, list[zmq.Frame]] | None:
        """Take one message; None where there is none, or it was a pulse, which is echoed."""
        came = super().receive()
        if came is None or len(came[1]) != 1 or len(came[1][0]):
            return came
        with contextlib.suppress(zmq.ZMQError):
            self.socket.send_multipart([came[0], b""], zmq.DONTWAIT)
        return None

    def _left(self, routing: bytes) -> None:
        self.gone.append(routing)

    def _is_here(self, name: Any) -> bool:
        return not isinstance(name, str) and name[1] == self._port  # at any of its addresses
