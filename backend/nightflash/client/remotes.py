"""Backends on other machines that this user may use: where they are, and with which keys.

Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from nightflash.client.connection import Connection, state_folder
from nightflash.client.private_file import read_private, write_private
from nightflash.client.protocol import VERSION
from nightflash.errors import NightFlashError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
ADDRESS = re.compile(r"tcp://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


@dataclass(frozen=True)
class Remote:
    """A backend on another machine.

    Attributes:
        name: What the user calls it.
        address: ``tcp://HOST:PORT``.
        server_key: Its public CURVE key, which must never change.
        public_key, secret_key: The CURVE keys that it lets this user in with.
    """

    name: str
    address: str
    server_key: str
    public_key: str
    secret_key: str

    def connection(self) -> Connection:
        """What a link needs: requests and the pulse go to the same port."""
        return Connection(
            protocol=VERSION,
            version="",
            pid=0,
            ipc="",
            tcp=self.address,
            pulse_ipc="",
            pulse_tcp=self.address,
            server_key=self.server_key,
            public_key=self.public_key,
            secret_key=self.secret_key,
        )


def remotes_file() -> Path:
    """Where they are noted; it has the user's secret keys."""
    return state_folder() / "remote" / "remotes.json"


def remotes() -> dict[str, Remote]:
    """All of them by name.

    Raises:
        NightFlashError: ``not_private`` or ``spoilt``.
    """
    noted = (read_private(remotes_file()) or {}).get("remotes", [])
    names = {field.name for field in fields(Remote)}
    sound = (
        entry
        for entry in noted
        if isinstance(entry, dict) and all(isinstance(entry.get(name), str) for name in names)
    )
    found = (Remote(**{name: entry[name] for name in names}) for entry in sound)
    return {remote.name: remote for remote in found}


def remote_named(name: str) -> Remote:
    """The remote of this name.

    Raises:
        NightFlashError: ``no_remote``; and as `remotes`.
    """
    known = remotes()
    if name not in known:
        raise NightFlashError(
            f"There is no remote {name!r:.60}.",
            f"There are: {', '.join(known)}."
            if known
            else "Run 'nightflash remote invite' on the server and 'nightflash remote add CODE'"
            " here.",
            code="no_remote",
        )
    return known[name]


def keep(remote: Remote) -> None:
    """Note a remote.

    Raises:
        NightFlashError: ``bad_input`` where its name is taken; and as `remotes`.
    """
    known = remotes()
    if remote.name in known:
        raise NightFlashError(
            f"There is a remote {remote.name} already.",
            f"Choose another --name, or run: nightflash remote remove {remote.name}",
        )
    _write({**known, remote.name: remote})


def forget(name: str) -> None:
    """Take a remote off the list.

    Raises:
        NightFlashError: As `remote_named`.
    """
    gone = remote_named(name)
    _write({other.name: other for other in remotes().values() if other != gone})


def check_name(name: str) -> str:
    """Give back a name that is one.

    Raises:
        NightFlashError: ``bad_input``.
    """
    if not NAME.fullmatch(name):
        raise NightFlashError(
            f"{name!r:.60} is no name: letters, digits, '-' and '_' make one, 40 at most."
        )
    return name


def tidy_name(text: str) -> str:
    """A name out of any text, such as that of a machine."""
    tidied = re.sub(r"[^A-Za-z0-9_-]+", "-", text.partition(".")[0]).strip("-_")[:40]
    return tidied or "remote"


def check_address(address: str, least: int = 1) -> str:
    """Give back an address ``tcp://HOST:PORT``, whose port is ``least`` to 65535.

    Raises:
        NightFlashError: ``bad_input``.
    """
    found = ADDRESS.fullmatch(address)
    if found is None or not least <= int(found[2]) <= 65535:
        raise NightFlashError(
            f"{address!r:.80} is no address.", "It looks like tcp://192.168.1.20:5577."
        )
    return address


def _write(known: dict[str, Remote]) -> None:
    write_private(remotes_file(), {"remotes": [asdict(remote) for remote in known.values()]})
