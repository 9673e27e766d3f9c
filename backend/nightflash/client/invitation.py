"""One-time codes that bring a laptop to a server, and what the laptop does with one.

A code holds the secret half of a key pair that the server lets in once, to enrol a key of the
laptop's own; so nobody without a key is ever listened to.
"""

from __future__ import annotations

import base64
import contextlib
import socket
from dataclasses import dataclass

import zmq
from zmq.utils import z85

from nightflash.client.connector import REACH_SECONDS
from nightflash.client.link import BackendLost, Request
from nightflash.client.remotes import Remote, check_address, forget, keep, tidy_name
from nightflash.client.zmq_link import ZmqLink
from nightflash.errors import NightFlashError

PREFIX = "nightflash-"
KEY_CHARACTERS = 40  # of a CURVE key in Z85


@dataclass(frozen=True)
class Invitation:
    """What a code says.

    Attributes:
        address: Of the server, ``tcp://HOST:PORT``.
        server_key: Its public CURVE key.
        secret_key: The CURVE key that it lets in once.
    """

    address: str
    server_key: str
    secret_key: str

    @property
    def code(self) -> str:
        """The text to carry over: letters, digits, ``-`` and ``_``."""
        text = " ".join((self.server_key, self.secret_key, self.address))
        return PREFIX + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def from_code(cls, code: str) -> Invitation:
        """Read a code.

        Raises:
            NightFlashError: ``bad_input``.
        """
        try:
            packed = code.strip().removeprefix(PREFIX)
            text = base64.b64decode(packed + "=" * (-len(packed) % 4), b"-_", validate=True)
            server_key, secret_key, address = text.decode().split(" ")
            check_key(server_key)
            check_key(secret_key)
            check_address(address)
        except (ValueError, NightFlashError) as fault:
            raise NightFlashError(
                "This is no invitation.",
                "Copy the whole code that 'nightflash remote invite' printed on the server.",
            ) from fault
        return cls(address, server_key, secret_key)


def check_key(key: str) -> str:
    """Give back a CURVE key in Z85.

    Raises:
        ValueError: It is none.
    """
    if len(key) != KEY_CHARACTERS or not set(key.encode()) <= set(z85.Z85CHARS):
        raise ValueError("no key")
    return key


def enrol(invitation: Invitation, name: str | None, silence: float) -> Remote:
    """Make keys, have the server let them in, and note it as a remote.

    Args:
        invitation: Of the server.
        name: To note it by; None for that of its machine.
        silence: Seconds to wait for a sign of life.

    Raises:
        NightFlashError: The server refuses, or is not to be reached; nothing is noted then.
    """
    public, secret = (key.decode() for key in zmq.curve_keypair())
    host = invitation.address.removeprefix("tcp://").rpartition(":")[0]
    chosen = name or tidy_name(host.replace(".", "-"))
    remote = Remote(chosen, invitation.address, invitation.server_key, public, secret)
    keep(remote)  # first: keys that the server knows must not be lost
    try:
        _introduce(invitation, public, silence)
    except BaseException:
        with contextlib.suppress(NightFlashError):
            forget(remote.name)
        raise
    return remote


def _introduce(invitation: Invitation, key: str, silence: float) -> None:
    own = zmq.curve_public(invitation.secret_key.encode()).decode()
    guest = Remote(
        "", invitation.address, invitation.server_key, own, invitation.secret_key
    ).connection()
    try:
        with contextlib.closing(ZmqLink(guest, min(silence, REACH_SECONDS))) as link:
            if not link.greet():
                raise BackendLost("Nobody listens there.")
            link.exchange(
                Request({"request": "enrol", "key": key, "name": socket.gethostname()}, (), silence)
            )
    except BackendLost as fault:
        raise NightFlashError(
            f"Nobody answers at {invitation.address}.",
            "See that 'nightflash serve --listen' runs there and no firewall is between.",
            code="not_reached",
        ) from fault
    except NightFlashError as fault:
        if fault.code not in ("no_key", "not_let_in"):
            raise
        raise NightFlashError(
            f"{invitation.address} does not let this invitation in: it was used already, is too"
            " old, or is another server's.",
            "Run 'nightflash remote invite' on the server for another one.",
            code="not_let_in",
        ) from fault
