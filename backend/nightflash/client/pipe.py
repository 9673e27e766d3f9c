"""The client of the backend for a Python without pyzmq: a child process has the connection.

Standard library only. `relay` is the child.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

from nightflash.client.frames import read_message, write_message
from nightflash.client.progress import Tell, tell_nobody
from nightflash.client.protocol import Header, Message, Pixels, raise_fault
from nightflash.errors import NightFlashError


class PipeClient:
    """Like ``client.Client``, for one thread.

    Args:
        command: What starts the relay.
        environment: Its variables.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command, self._environment = list(command), dict(environment)
        self._child: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._kept: dict[int, Pixels] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child; the backend goes on."""
        if self._child is not None:
            assert self._child.stdin is not None
            with contextlib.suppress(OSError):
                self._child.stdin.close()
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._child = None
        self._kept.clear()

    def connect(self, tell: Tell = tell_nobody, cancel: threading.Event | None = None) -> Header:
        """See ``Client.connect``."""
        return self._do(Message({"do": "connect"}), tell, cancel).header

    def restart(self, tell: Tell = tell_nobody, cancel: threading.Event | None = None) -> Header:
        """See ``Client.restart``."""
        return self._do(Message({"do": "restart"}), tell, cancel).header

    def ask(self, request: str) -> Header:
        """See ``Client.ask``."""
        return self._do(Message({"do": "ask", "request": request})).header

    def forget(self, pixels: Pixels) -> None:
        """See ``Client.forget``."""
        if self._kept.pop(id(pixels), None) is not None:
            self._do(Message({"do": "forget", "key": id(pixels)}))

    def work(
        self,
        request: str,
        photo: Pixels,
        *,
        mask: Pixels | None = None,
        tell: Tell = tell_nobody,
        cancel: threading.Event | None = None,
        retry: bool = True,
        **fields: Any,
    ) -> Message:
        """See ``Client.work``."""
        for pixels in (photo, mask):
            if pixels is not None and id(pixels) not in self._kept:
                self._do(Message({"do": "keep", "key": id(pixels)}, [pixels]))
                self._kept[id(pixels)] = pixels
        header = {
            "do": "work",
            "request": request,
            "photo": id(photo),
            "mask": None if mask is None else id(mask),
            "retry": retry,
            "fields": fields,
        }
        return self._do(Message(header), tell, cancel)

    def _do(
        self, message: Message, tell: Tell = tell_nobody, cancel: threading.Event | None = None
    ) -> Message:
        child = self._running()
        assert child.stdin is not None
        stopping = False
        try:
            write_message(child.stdin, message)  # type: ignore[arg-type]
            while True:
                if cancel is not None and cancel.is_set() and not stopping:
                    stopping = True
                    write_message(child.stdin, Message({"do": "cancel"}))  # type: ignore[arg-type]
                try:
                    answer = self._answers.get(timeout=0.05)
                except queue.Empty:
                    continue
                if answer is None:
                    raise BrokenPipeError
                header = answer.header
                if header.get("reply") == "progress":
                    tell(header["stage"], header["fraction"], header["message"])
                    continue
                if header.get("reply") == "error":
                    raise_fault(header)
                return answer
        except OSError:
            self.close()
            raise NightFlashError(
                "The way to the backend broke.", "Try again.", code="backend_lost"
            ) from None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None:
            return self._child
        hidden: dict[str, Any] = {}
        if sys.platform == "win32":
            hidden = {"creationflags": subprocess.CREATE_NO_WINDOW}
        try:
            child = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                **hidden,
            )
        except OSError as error:
            raise NightFlashError(
                f"The backend cannot be started: {error.strerror or error}.",
                "Run the installer again.",
                code="start_failed",
            ) from error
        self._child, self._answers = child, queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(child, self._answers), daemon=True).start()
        return child

    @staticmethod
    def _listen(child: subprocess.Popen[bytes], answers: queue.SimpleQueue[Message | None]) -> None:
        assert child.stdout is not None
        with contextlib.suppress(NightFlashError, OSError, ValueError), child.stdout as pipe:
            while (message := read_message(pipe)) is not None:  # type: ignore[arg-type]
                answers.put(message)
        answers.put(None)
