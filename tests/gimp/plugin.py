"""The plug-in in a profile of GIMP, and a backend of a test's own for it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nightflash.gimp import CLIENT
from nightflash.service.connection import RUNTIME_VARIABLE, STATE_VARIABLE

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "backend" / "nightflash"
PLUGIN = CHECKOUT / "gimp_plugin" / "nightflash"
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

    def install(self, *command: str) -> None:
        """Put the plug-in there, with what starts its backend."""
        target = self.gimp / "plug-ins" / "nightflash"
        shutil.copytree(
            PLUGIN, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
        (target / "nightflash.py").chmod(0o755)
        for name in CLIENT:
            copy = target / "lib" / "nightflash" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PACKAGE / name, copy)
        record = {
            "command": list(command or (*SERVE, "--device", "cpu")),
            "environment": {"PYTHONPATH": str(PACKAGE.parent), "PYTHONNOUSERSITE": "1"},
            "version": "0.1.0",
        }
        (target / "install.json").write_text(json.dumps(record), "utf-8")

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
