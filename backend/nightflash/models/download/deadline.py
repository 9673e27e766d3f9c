"""Limits on blocking work.

A time-out of a socket begins anew with every byte, so a server that drips headers or the frame
around a body could hold its reader for days.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Self, TypeVar

T = TypeVar("T")


def begun(work: Callable[[], T]) -> Future[T]:
    """Begin ``work`` in a thread of its own, which keeps no process from ending."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as fault:  # whoever waits gets it
            outcome.set_exception(fault)

    Thread(target=run, daemon=True).start()
    return outcome


class Watchdog:
    """Ends work that gives no sign for too long; a context manager around that work.

    Args:
        seconds: Between two signs at most.
        end: Lets the work fail, called from another thread; it may raise what sockets raise.

    Attributes:
        bit: Whether it had to.
    """

    def __init__(self, seconds: float, end: Callable[[], object]) -> None:
        self.bit = False
        self._seconds, self._end = seconds, end
        self._signs: SimpleQueue[bool] = SimpleQueue()

    def __enter__(self) -> Self:
        Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._signs.put(False)

    def sign(self) -> None:
        """Have it wait anew."""
        self._signs.put(True)

    def _watch(self) -> None:
        try:
            while self._signs.get(timeout=self._seconds):
                pass
        except Empty:
            self.bit = True
            with suppress(OSError, RuntimeError, ValueError):  # the work is at its end already
                self._end()
