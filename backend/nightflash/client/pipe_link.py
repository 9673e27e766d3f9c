"""The link of a Python without pyzmq: a child process has the sockets, and carries the messages.

Standard library only. `relay` is the child.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from nightflash.client.connection import Connection
from nightflash.client.frames import read_frames, write_frames
from nightflash.client.link import BackendHangs, BackendLost, Frames, Link
from nightflash.client.protocol import Buffer, raise_fault, read_header
from nightflash.errors import NightFlashError

START_SECONDS = 30.0  # for the child, from a slow disk


class PipeLink(Link):
    """A child process with a connection to one backend.

    What it carries is what the protocol says, frame by frame, and beats of its own: one when it
    runs, one when it is connected, and one for every echo of the backend's pulse.

    Args:
        command: What starts the relay.
        environment: Its variables, or None for this process's own.
        connection: Which backend; the relay reads itself where it is.
        silence: See `Link`.

    Raises:
        NightFlashError: ``start_failed``.
    """

    transport = "relay"

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None,
        connection: Connection,
        silence: float,
    ) -> None:
        super().__init__(connection.pid, silence)
        hidden: dict[str, Any] = {}
        if sys.platform == "win32":
            hidden = {"creationflags": subprocess.CREATE_NO_WINDOW}
        try:
            self._child = subprocess.Popen(
                list(command),
                env=None if environment is None else dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                **hidden,
            )
        except OSError as error:
            raise NightFlashError(
                f"The way to the backend cannot be opened: {error.strerror or error}.",
                "Run the installer again.",
                code="start_failed",
            ) from error
        self._came: queue.SimpleQueue[Frames | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="relay", daemon=True).start()

    def close(self) -> None:
        """End the child, which keeps nothing."""
        assert self._child.stdin is not None
        self._child.kill()
        self._child.wait()
        with contextlib.suppress(OSError):
            self._child.stdin.close()

    def arrives(self) -> bool:
        """See `Link`."""
        for seconds in (START_SECONDS, self._silence):  # it runs; it is connected
            try:
                frames = self._came.get(timeout=seconds)
            except queue.Empty:
                raise BackendHangs(self._pid) from None
            if frames is None:
                return False
            header = read_header(frames[0])
            if header.get("reply") == "error":
                raise_fault(header)
        return True

    def _send_frames(self, frames: list[Buffer]) -> None:
        assert self._child.stdin is not None
        try:
            write_frames(self._child.stdin, frames)
        except OSError:
            raise BackendLost("The way to the backend broke.") from None

    def _arrived(self, seconds: float) -> tuple[bool, Frames | None]:
        try:
            frames = self._came.get(timeout=seconds)
        except queue.Empty:
            return False, None
        if frames is None:
            raise BackendLost("The backend ended unexpectedly.")
        return True, frames

    def _listen(self) -> None:
        assert self._child.stdout is not None
        with contextlib.suppress(NightFlashError, OSError, ValueError), self._child.stdout as pipe:
            while (frames := read_frames(pipe)) is not None:
                self._came.put(frames)
        self._came.put(None)
