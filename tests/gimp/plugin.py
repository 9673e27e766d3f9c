"""The plug-in in a profile of GIMP, and a backend of a test's own for it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nightflash.client.connection import RUNTIME_VARIABLE, STATE_VARIABLE
from nightflash.gimp import plug_in, profiles
from nightflash.gimp.plug_in import Source

from tests.install.machine import CHECKOUT

SERVE = (sys.executable, "-P", "-m", "nightflash", "serve", "--networks", "builtin")


@dataclass(frozen=True)
class Profile:
    """A profile of GIMP with the plug-in, and the folders of its backend.

    Attributes:
        folder: Holds ``gimp``, ``run`` and ``state``; short, for the sockets' paths.
    """

    folder: Path

    @property
    def gimp(self) -> Path:
        return self.folder / "gimp"

    @property
    def connection(self) -> Path:
        """The file that tells where the backend is."""
        return self.folder / "run" / "connection.json"

    @property
    def variables(self) -> dict[str, str]:
        return {
            RUNTIME_VARIABLE: str(self.folder / "run"),
            STATE_VARIABLE: str(self.folder / "state"),
        }

    @property
    def logs(self) -> str:
        """What the backend had to say."""
        files = sorted((self.folder / "state").glob("*.log"))
        return "\n".join(f"{file.name}: {file.read_text('utf-8')[-4000:]}" for file in files)

    def install(self, *command: str, checkout: Path = CHECKOUT) -> None:
        """Put the plug-in there as the installer does, with what starts its backend."""
        found = profiles.Profile("3.0", "of a test", self.gimp)
        plug_in.put(found, Path(sys.executable), Source.of_checkout(checkout))
        mark = found.plug_in / plug_in.MARK
        record = json.loads(mark.read_text("utf-8"))
        del record["relay"]  # without pyzmq nothing stands in
        started = {"command": list(command or (*SERVE, "--device", "cpu")), "zmq": "own"}
        mark.write_text(json.dumps(record | started), "utf-8")

    def end_backend(self) -> None:
        """End the backend that the plug-in started, if one runs."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            os.kill(int(json.loads(self.connection.read_text("utf-8"))["pid"]), signal.SIGTERM)


@contextlib.contextmanager
def a_profile(*command: str, inside: str = "") -> Iterator[Profile]:
    """A profile with the plug-in, ``inside`` a folder of that name; its backend is ended."""
    with tempfile.TemporaryDirectory(prefix="nf", ignore_cleanup_errors=True) as folder:
        profile = Profile(Path(folder) / inside)
        for name in ("run", "state"):
            (profile.folder / name).mkdir(mode=0o700, parents=True)
        profile.install(*command)
        try:
            yield profile
        finally:
            profile.end_backend()
