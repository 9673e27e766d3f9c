"""Who is let in from other machines: the server's own keys, its clients and its invitations.

All lies in files of the user's own, so that commands and the backend that runs share it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import zmq
from filelock import FileLock

from nightflash.client.connection import STATE_VARIABLE, make_private, state_folder
from nightflash.client.invitation import Invitation, check_key
from nightflash.client.private_file import read_private, write_private
from nightflash.client.remotes import tidy_name
from nightflash.errors import NightFlashError

LOCK_SECONDS = 5.0
MOST_CLIENTS = 100
REMEMBERED_SECONDS = 30 * 86_400.0  # that an invitation is known after its end, to be named


@dataclass(frozen=True)
class Guest:
    """A client's key, or an invitation's.

    Attributes:
        name: Of the client.
        key: The public CURVE key.
        since: When it was let in or invited, in seconds since 1970.
        until: When an invitation ends; None for a client's own key.
        used: Whether an invitation was.
    """

    name: str
    key: str
    since: float
    until: float | None = None
    used: bool = False

    def __str__(self) -> str:
        invited = f"the invitation of {self.name!r}" if self.name else "an invitation"
        return repr(self.name) if self.until is None else invited

    @property
    def refused_because(self) -> str:
        """Why it is not let in, or nothing."""
        if self.used:
            return "was used already"
        return "is too old" if self.until is not None and time.time() > self.until else ""


@dataclass
class _Lists:
    clients: list[Guest] = field(default_factory=list)
    invitations: list[Guest] = field(default_factory=list)


class Admission:
    """The files of this user's server; they are made where they lack.

    Raises:
        NightFlashError: ``not_private``, ``spoilt`` or ``not_written``, as all of the methods.
    """

    def __init__(self) -> None:
        self._folder = state_folder() / "remote"
        make_private(self._folder, STATE_VARIABLE)

    @property
    def _server_file(self) -> Path:
        return self._folder / "server.json"

    @property
    def _clients_file(self) -> Path:
        return self._folder / "clients.json"

    def keys(self) -> tuple[bytes, bytes]:
        """The server's public and secret CURVE keys; clients know it by the first for ever."""
        with self._locked():
            noted = read_private(self._server_file)
            if noted is None:
                public, secret = (key.decode() for key in zmq.curve_keypair())
                noted = {"public_key": public, "secret_key": secret}
                write_private(self._server_file, noted)
        try:
            public, secret = (check_key(str(noted[name])) for name in ("public_key", "secret_key"))
        except (KeyError, ValueError) as fault:
            raise NightFlashError(
                f"{self._server_file} is spoilt.",
                "Delete it: new keys are made, and every client must be invited again.",
                code="spoilt",
            ) from fault
        return public.encode(), secret.encode()

    def listens_at(self, address: str) -> None:
        """Note where the server listens, for invitations."""
        self.keys()
        with self._locked():
            write_private(
                self._server_file, {**(read_private(self._server_file) or {}), "address": address}
            )

    @property
    def address(self) -> str:
        """Where the server listens or last did, or nothing."""
        return str((read_private(self._server_file) or {}).get("address", ""))

    def invite(self, name: str, address: str, seconds: float) -> Invitation:
        """Make an invitation.

        Args:
            name: Of the client; empty for that of its machine.
            address: Where it finds the server.
            seconds: How long it holds.
        """
        public, secret = (key.decode() for key in zmq.curve_keypair())
        now = time.time()
        with self._changing() as lists:
            lists.invitations.append(Guest(name, public, now, now + seconds))
        return Invitation(address, self.keys()[0].decode(), secret)

    def clients(self) -> list[Guest]:
        """Those who are let in."""
        return self._read().clients

    def who(self, key: str) -> Guest | None:
        """Whose key this is: a client's or an invitation's, which may be over."""
        lists = self._read()
        return next(
            (guest for guest in (*lists.clients, *lists.invitations) if guest.key == key), None
        )

    def enrol(self, invited: str, key: str, name: str) -> Guest:
        """Let a key in by an invitation, which is used up by that.

        Args:
            invited: The invitation's key.
            key: The client's own.
            name: Of its machine.

        Raises:
            NightFlashError: ``not_let_in``, ``bad_request``.
        """
        try:
            check_key(key)
        except ValueError as fault:
            raise NightFlashError("The key is none.", code="bad_request") from fault
        with self._changing() as lists:
            found = next((guest for guest in lists.invitations if guest.key == invited), None)
            reason = "is not known" if found is None else found.refused_because
            if found is None or reason:
                raise NightFlashError(
                    f"The invitation {reason}.", "Ask for another one.", code="not_let_in"
                )
            if len(lists.clients) >= MOST_CLIENTS:
                raise NightFlashError(
                    f"The server has {MOST_CLIENTS} clients already.",
                    "Let it turn one out: nightflash remote clients --remove NAME",
                    code="busy",
                )
            wanted, taken = found.name or tidy_name(name), {guest.name for guest in lists.clients}
            numbered = (f"{wanted}-{number}" for number in range(2, MOST_CLIENTS + 2))
            free = next(each for each in (wanted, *numbered) if each not in taken)
            guest = Guest(free, key, time.time())
            lists.clients.append(guest)
            lists.invitations[lists.invitations.index(found)] = replace(found, name=free, used=True)
        return guest

    def remove(self, name: str) -> None:
        """Let a client in no more.

        Raises:
            NightFlashError: ``no_remote`` where there is none of this name.
        """
        with self._changing() as lists:
            left = [guest for guest in lists.clients if guest.name != name]
            if len(left) == len(lists.clients):
                raise NightFlashError(
                    f"There is no client {name!r:.60}.",
                    "See: nightflash remote clients",
                    code="no_remote",
                )
            lists.clients = left

    def _read(self) -> _Lists:
        noted = read_private(self._clients_file) or {}
        return _Lists(*(_guests(noted.get(name)) for name in ("clients", "invitations")))

    @contextlib.contextmanager
    def _changing(self) -> Iterator[_Lists]:
        """The lists, which are written at the end unless something is raised."""
        with self._locked():
            lists = self._read()
            yield lists
            oldest = time.time() - REMEMBERED_SECONDS
            lists.invitations = [g for g in lists.invitations if g.since > oldest][-MOST_CLIENTS:]
            write_private(self._clients_file, asdict(lists))

    def _locked(self) -> FileLock:
        return FileLock(self._folder / "clients.lock", timeout=LOCK_SECONDS, mode=0o600)


def _guests(entries: Any) -> list[Guest]:
    """What of a list in a file is sound."""
    found = []
    for entry in entries if isinstance(entries, list) else []:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            until = entry["until"]
            found.append(
                Guest(
                    name=str(entry["name"]),
                    key=check_key(entry["key"]),
                    since=float(entry["since"]),
                    until=None if until is None else float(until),
                    used=bool(entry["used"]),
                )
            )
    return found
