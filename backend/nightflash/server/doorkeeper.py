"""Whose keys are let in, which libzmq asks for every connection, and who was refused."""

from __future__ import annotations

import logging
import time

import zmq
from zmq.auth.thread import ThreadAuthenticator

from nightflash.errors import NightFlashError
from nightflash.server.admission import Admission

log = logging.getLogger(__name__)

HERE, ELSEWHERE = "nightflash", "nightflash-remote"  # ZAP's domains: which keys are let in
REFUSALS_SECONDS = 10.0  # between two lines of the log about refused connections


class Keys:
    """CURVE keys of one run: the backend's pair, and the pair of its only permitted client."""

    def __init__(self) -> None:
        self.server = zmq.curve_keypair()
        self.client_public, self.client_secret = zmq.curve_keypair()

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether a client of this public ``key`` is let in (pyzmq's provider of credentials)."""
        return key == self.client_public


class Doorkeeper(ThreadAuthenticator):
    """The authenticator of a backend, in a thread of its own.

    Args:
        context: Of the listeners.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        super().__init__(context)
        self.address = ""  # of the connection that libzmq asks about now

    async def handle_zap_message(self, msg: list[bytes]) -> None:
        """Answer libzmq, which asks for one connection after the other."""
        self.address = msg[3].decode("ascii", "replace") if len(msg) > 3 else ""
        await super().handle_zap_message(msg)

    def admit(self, admission: Admission) -> None:
        """Let in those from elsewhere who are on the list at the time they come."""
        self.configure_curve_callback(ELSEWHERE, _FromElsewhere(self, admission))


class _FromElsewhere:
    """pyzmq's provider of credentials."""

    def __init__(self, doorkeeper: Doorkeeper, admission: Admission) -> None:
        self._doorkeeper, self._admission = doorkeeper, admission
        self._logged = float("-inf")

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether a client of this public ``key`` is let in."""
        address = self._doorkeeper.address
        try:
            guest = self._admission.who(key.decode())
        except (NightFlashError, ValueError) as fault:
            log.error("refused %s, as everybody: %s", address, fault)
            return False
        if guest is None:
            if time.monotonic() - self._logged > REFUSALS_SECONDS:
                self._logged = time.monotonic()
                log.warning("refused %s: nobody let its key in, or it was turned out", address)
            return False
        if reason := guest.refused_because:
            log.warning("refused %s: %s %s", address, guest, reason)
        return not reason
