"""A server that listens for other machines, and a laptop, each with folders of its own."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from nightflash.client.client import Client
from nightflash.client.connection import RUNTIME_VARIABLE, STATE_VARIABLE
from nightflash.client.remotes import Remote

from tests.server.backend import Place, a_place

LISTEN = ("--networks", "builtin", "--device", "cpu", "--listen", "tcp://127.0.0.1:0")


@dataclass(frozen=True)
class Elsewhere:
    """Both machines.

    Attributes:
        server: Its backend runs.
        laptop: Has none.
    """

    server: Place
    laptop: Place

    def invitation(self, *options: str) -> str:
        """A code of the server's."""
        made = self.server.command("remote", "invite", *options)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def added(self, name: str, *options: str) -> Remote:
        """The server as a remote of the laptop's, by a new invitation."""
        added = self.laptop.command("remote", "add", self.invitation(*options), "--name", name)
        assert added.returncode == 0, added.stderr
        return self.remote(name)

    def remote(self, name: str) -> Remote:
        """A remote that the laptop has noted."""
        noted = self.laptop.folder / "state" / "remote" / "remotes.json"
        entries = json.loads(noted.read_text())["remotes"]
        return Remote(**next(entry for entry in entries if entry["name"] == name))

    @property
    def port(self) -> int:
        """Where the server listens."""
        noted = json.loads((self.server.folder / "state" / "remote" / "server.json").read_text())
        return int(noted["address"].rpartition(":")[2])

    @contextlib.contextmanager
    def on_the_laptop(self) -> Iterator[None]:
        """This process is one of the laptop's meanwhile."""
        with pytest.MonkeyPatch.context() as patch:
            for name in (RUNTIME_VARIABLE, STATE_VARIABLE):
                patch.setenv(name, self.laptop.variables[name])
            yield

    @contextlib.contextmanager
    def client(self, name: str) -> Iterator[Client]:
        """A client of the laptop's, by a new key."""
        with Client(remote=self.added(name, "--name", name)) as client:
            yield client


@contextlib.contextmanager
def elsewhere(*options: str) -> Iterator[Elsewhere]:
    """A server that runs, and a laptop."""
    with (
        tempfile.TemporaryDirectory(prefix="nf") as laptop,
        a_place(*LISTEN, *options) as server,
    ):
        with server.client() as client:
            client.connect()
        yield Elsewhere(server, Place(Path(laptop)))
