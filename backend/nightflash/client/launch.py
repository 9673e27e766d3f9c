"""Starting a backend that outlives whoever starts it.

Standard library only.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any, BinaryIO

from nightflash.client.connection import STATE_VARIABLE, crash_file, log_file
from nightflash.errors import NightFlashError

MOST_BYTES = 2**20  # of the crash log, over which a new one is begun


def start(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a backend that outlives this process and its terminal.

    Raises:
        NightFlashError: ``start_failed``.
    """
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {
            "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        }
    words = _file_of_last_words()
    try:
        with words as file:
            process = subprocess.Popen(
                list(command),
                env=None if environment is None else dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
                cwd=crash_file().parent,
                **detached,
            )
        # Whoever starts it may live on when it ends: then it must not stay as a zombie.
        threading.Thread(target=process.wait, name="backend's end", daemon=True).start()
        return process
    except OSError as error:
        raise NightFlashError(
            f"The backend cannot be started: {error.strerror or error}.",
            "Run the installer again: bash install/run.sh",
            code="start_failed",
        ) from error


def _file_of_last_words() -> BinaryIO:
    """The crash log, open for more.

    Raises:
        NightFlashError: ``start_failed`` where it cannot be written.
    """
    path = crash_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size > MOST_BYTES:
                path.replace(path.with_suffix(".old"))
        return path.open("ab")
    except OSError as error:
        raise NightFlashError(
            f"The backend's log {path} cannot be written: {error.strerror or error}.",
            f"Make room, or let {STATE_VARIABLE} name a folder that you can write to.",
            code="start_failed",
        ) from error


def start_failed(sentence: str) -> NightFlashError:
    """What went wrong, with the last words of the backend that was started."""
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = crash_file().read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = f" Its last words: {shorten(lines[-1], 200, placeholder=' …')}" if lines else ""
    return NightFlashError(
        sentence + last, f"The logs are {log_file()} and {crash_file()}.", code="start_failed"
    )
