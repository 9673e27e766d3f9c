"""A backend of a test's own, as a process, and what is sent to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from nightflash.client.client import SCRIPT_SILENCE, Client
from nightflash.client.connection import RUNTIME_VARIABLE, STATE_VARIABLE
from nightflash.client.protocol import Layout, Pixels

from tests.command_line import environment

SERVE = (sys.executable, "-m", "nightflash", "serve")


@dataclass(frozen=True)
class Place:
    """Folders of its own for one backend.

    Attributes:
        folder: Holds ``run`` and ``state``.
        options: Of ``nightflash serve``.
    """

    folder: Path
    options: tuple[str, ...] = ("--networks", "builtin", "--device", "cpu")

    @property
    def variables(self) -> dict[str, str]:
        run, state = str(self.folder / "run"), str(self.folder / "state")
        return environment(**{RUNTIME_VARIABLE: run, STATE_VARIABLE: state})

    @property
    def log(self) -> str:
        return (self.folder / "state" / "backend.log").read_text(encoding="utf-8")

    @property
    def crashes(self) -> str:
        path = self.folder / "state" / "backend-crash.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def client(
        self,
        starts: bool = True,
        silence: float = SCRIPT_SILENCE,
        relay: Sequence[str] | None = None,
    ) -> Client:
        command = (*SERVE, *self.options) if starts else None
        return Client(command, self.variables, silence=silence, relay=relay)

    def pid(self) -> int:
        with self.client(starts=False) as client:
            return int(client.ask("status")["pid"])

    def kill(self, number: int = signal.SIGKILL) -> None:
        os.kill(self.pid(), number)

    def command(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``nightflash`` here, as from a shell."""
        return subprocess.run(
            [sys.executable, "-m", "nightflash", *arguments],
            env=self.variables,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
        )


@contextlib.contextmanager
def a_place(*options: str) -> Iterator[Place]:
    """A place whose backend, if one was started, is ended at the end."""
    with tempfile.TemporaryDirectory(prefix="nf") as folder:  # short, for the sockets' paths
        place = Place(Path(folder), options) if options else Place(Path(folder))
        kept = {
            name: os.environ.get(name)
            for name in ("NIGHTFLASH_RUNTIME_DIR", "NIGHTFLASH_STATE_DIR")
        }
        os.environ.update({name: place.variables[name] for name in kept})
        try:
            yield place
        finally:
            place.command("stop")
            for name, value in kept.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def pixels(array: npt.NDArray[np.generic]) -> Pixels:
    """An array (H, W, channels) in transport."""
    sample = {"uint8": "u8", "uint16": "u16", "float16": "half", "float32": "float"}
    height, width, channels = array.shape
    layout = Layout(width, height, sample[str(array.dtype)], channels)
    return Pixels.cut(layout, np.ascontiguousarray(array).data)


def array(picture: Pixels) -> npt.NDArray[np.generic]:
    """Pixels as an array (H, W, channels)."""
    dtype = {"u8": "u1", "u16": "<u2", "half": "<f2", "float": "<f4"}[picture.layout.sample]
    data = b"".join(bytes(strip) for strip in picture.strips)
    shape = picture.layout.height, picture.layout.width, picture.layout.channels
    return np.frombuffer(data, dtype).reshape(shape)


def until(seconds: float) -> Iterator[float]:
    """Times to try again, every 20 ms, until ``seconds`` have passed."""
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        yield passed
        time.sleep(0.02)
