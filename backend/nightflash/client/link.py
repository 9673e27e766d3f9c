"""One connection to a running backend: a request and its answer, signs of its death.

Standard library only: `zmq_link` and `pipe_link` carry the messages.
"""

from __future__ import annotations

import itertools
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nightflash.client.progress import ReportProgress, ignore_progress
from nightflash.client.protocol import (
    VERSION,
    Buffer,
    Header,
    Message,
    Pixels,
    check_version,
    raise_fault,
    read_header,
)
from nightflash.errors import Cancelled, NightFlashError

AHEAD = 4  # requests under way at once: a line of some delay is full


class BackendLost(NightFlashError):
    """The backend ended; the next request finds or starts another one."""

    def __init__(self, sentence: str, remedy: str = "Try again: it is started anew.") -> None:
        super().__init__(sentence, remedy, code="backend_lost")


class BackendHangs(BackendLost):
    """The backend runs and does not answer.

    Args:
        pid: Its process.
        remedy: What to do.
    """

    def __init__(
        self, pid: int, remedy: str = "Stop it with 'nightflash stop' and try again."
    ) -> None:
        super().__init__("The backend does not answer.", remedy)
        self.pid, self.code = pid, "backend_hangs"


@dataclass(frozen=True)
class Request:
    """What is asked of the backend.

    Attributes:
        header: Without version and number.
        pictures: What goes with it.
        seconds: Until the answer must be there, whatever signs of life there are.
        parts: Coded parts of pictures that go with it.
    """

    header: Header
    pictures: Sequence[Pixels] = ()
    seconds: float = float("inf")
    parts: Sequence[Buffer] = ()


Frames = Sequence[Buffer]
"""Of one message: the header's, then those of its pictures."""


class Link(ABC):
    """A connection to one backend, for one thread.

    Args:
        pid: The backend's process.
        silence: Seconds without a sign of life after which the backend hangs. What comes from the
            other side is one, a message or an echo of the backend's loop, and nothing else is.

    Attributes:
        about: What the backend said of itself, once `greet` has asked.
        transport: ``ipc``, ``tcp`` or ``relay``.
    """

    transport: str

    def __init__(self, pid: int, silence: float) -> None:
        self._pid, self._silence = pid, silence
        self._numbers = itertools.count(1)
        self.about: Header = {}

    @abstractmethod
    def close(self) -> None:
        """Close the connection; the backend goes on."""

    @abstractmethod
    def arrives(self) -> bool:
        """Wait for the connection; False where nobody listens any more.

        Raises:
            NightFlashError: ``no_key`` or ``no_way``.
            BackendHangs: Somebody listens and does not greet.
        """

    @abstractmethod
    def _send_frames(self, frames: list[Buffer]) -> None:
        """Send a message.

        Raises:
            BackendLost: Nobody takes it.
        """

    @abstractmethod
    def _arrived(self, seconds: float) -> tuple[bool, Frames | None]:
        """Wait so long for something: whether the other side gave a sign of life, and a message.

        Raises:
            BackendLost: The connection broke.
        """

    def greet(self) -> bool:
        """Wait for the connection and ask the backend for what it is; False where none is there.

        Raises:
            NightFlashError: As `arrives` and `exchange`.
        """
        if not self.arrives():
            return False
        self.about = self.exchange(Request({"request": "hello"})).header
        return True

    def exchange(
        self,
        request: Request,
        report_progress: ReportProgress = ignore_progress,
        cancel: threading.Event | None = None,
    ) -> Message:
        """Send a request and wait for its result.

        Raises:
            NightFlashError: What the backend refuses.
            BackendLost: It has ended or does not answer.
            Cancelled: ``cancel`` was set, and the backend has stopped the work.
        """
        number = next(self._numbers)
        self._send(number, request)
        heard = started = time.monotonic()
        cancelling = False
        while True:
            alive, frames = self._arrived(0.05)
            now = time.monotonic()
            if alive:
                heard = now
            if frames is not None:
                answer = _answer_to(number, frames, report_progress)
                if answer is not None:
                    return answer
            if cancel is not None and cancel.is_set() and not cancelling:
                cancelling = True
                self._send(next(self._numbers), Request({"request": "cancel", "job": number}))
            if now - started > request.seconds or now - heard > self._silence:
                raise BackendHangs(self._pid)

    def exchange_all(
        self, requests: Iterable[Request], cancel: threading.Event | None = None
    ) -> Iterator[Message]:
        """Make requests that are answered at once, some ahead; gives their results in order.

        Raises:
            NightFlashError: What the backend refuses; those behind it may have been made.
            BackendLost: It has ended or does not answer.
            Cancelled: ``cancel`` was set.
        """
        coming, waiting, heard = iter(requests), deque[int](), time.monotonic()
        while True:
            while len(waiting) < AHEAD and (request := next(coming, None)) is not None:
                waiting.append(next(self._numbers))
                self._send(waiting[-1], request)
            if not waiting:
                return
            if cancel is not None and cancel.is_set():
                raise Cancelled
            alive, frames = self._arrived(0.05)
            if alive:
                heard = time.monotonic()
            if frames is not None:
                answer = _answer_to(waiting[0], frames, ignore_progress)
                if answer is not None:
                    waiting.popleft()
                    yield answer
            if time.monotonic() - heard > self._silence:
                raise BackendHangs(self._pid)

    def _send(self, number: int, request: Request) -> None:
        header = {"v": VERSION, "id": number, **request.header}
        self._send_frames(Message(header, request.pictures, request.parts).frames())


def _answer_to(number: int, frames: Frames, report_progress: ReportProgress) -> Message | None:
    """The result, if this message is that of request ``number``; its progress is reported."""
    header = read_header(frames[0])
    check_version(header, "client")
    reply, whose = header.get("reply"), header.get("id")
    if reply == "error" and whose in (number, None):
        raise_fault(header)
    if whose != number:
        return None  # a sign of life, or what is left of a request given up
    if reply == "progress":
        report_progress(str(header["stage"]), float(header["fraction"]), str(header["message"]))
        return None
    return Message.from_frames(header, frames[1:])
