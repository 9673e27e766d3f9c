"""A limit on blocking work.

A time-out of a socket begins anew with every byte, so a server that drips headers or the frame
around a body could hold its reader for days.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """Do ``work`` in a thread of its own, which is left behind where it takes too long.

    Raises:
        TimeoutError: It took longer than ``seconds``.
        Exception: What ``work`` raises.
    """
    return begun(work).result(seconds)


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
