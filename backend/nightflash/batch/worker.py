"""One process of the pool: it reads a photo ahead and writes a night behind the one at work."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Generic, TypeVar

from nightflash.batch.order import Entry, Order, Tools, fault_of
from nightflash.batch.places import at_hand, is_url, made_at
from nightflash.errors import NightFlashError

if TYPE_CHECKING:
    from nightflash.batch.way import Piece, Way

READY = "ready"
Answer = str | Entry | NightFlashError
"""What a worker says: that it is ready, what became of an order, or why it cannot work."""

T = TypeVar("T")


def work(wire: Connection, tools: Tools, threads: int) -> None:
    """Do the orders that come by ``wire``, until None comes; the main function of a process.

    Args:
        wire: Orders come in here, and an `Answer` each goes out in their order.
        tools: What the engine is made of.
        threads: How many compute at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool ends its workers itself
    threading.Thread(target=_end_with_the_pool, daemon=True).start()
    limit_threads(threads)
    from nightflash.batch.way import Way

    try:
        way = Way(tools)
        way.load()
    except NightFlashError as fault:
        wire.send(fault)
        return
    wire.send(READY)
    _Line(wire, way).run()


def limit_threads(count: int) -> None:
    """Have torch and OpenCV compute in ``count`` threads."""
    os.environ["OMP_NUM_THREADS"] = str(count)  # read when torch is imported
    import cv2
    import torch

    torch.set_num_threads(count)
    cv2.setNumThreads(count)


class _Line:
    """Three threads, of which each has one photo at most; so memory is bounded."""

    def __init__(self, wire: Connection, way: Way) -> None:
        self._wire, self._way = wire, way
        self._read, self._made = _Handover["Piece"](), _Handover["Piece"]()

    def run(self) -> None:
        beside = [threading.Thread(target=each) for each in (self._reading, self._writing)]
        for thread in beside:
            thread.start()
        while (piece := self._read.take()) is not None:
            self._read.done()
            self._made.give(_tried(self._way.render, piece))
            del piece
        self._made.give(None)
        for thread in beside:
            thread.join()

    def _reading(self) -> None:
        from nightflash.batch.way import Piece

        while (order := _received(self._wire)) is not None:
            self._read.give(_tried(self._read_one, Piece(order)))
            self._read.wait()
        self._read.give(None)

    def _writing(self) -> None:
        while (piece := self._made.take()) is not None:
            self._wire.send(_tried(self._write_one, piece).entry)
            del piece
            self._made.done()

    def _read_one(self, piece: Piece) -> None:
        with at_hand(piece.order.photo) as file:
            out = piece.order.out
            stand_in = file.with_name(f"night{Path(out).suffix}")  # of what is no local file
            self._way.read(piece, file, stand_in if is_url(out) else Path(out))

    def _write_one(self, piece: Piece) -> None:
        with made_at(piece.order.out) as file:
            self._way.write(piece, file)


class _Handover(Generic[T]):
    """Hands one thing at a time from a thread to another."""

    def __init__(self) -> None:
        self._queue: Queue[T | None] = Queue(1)

    def give(self, thing: T | None) -> None:
        """Wait until the one before is done with, then hand over; None is the last."""
        self.wait()
        self._queue.put(thing)

    def take(self) -> T | None:
        return self._queue.get()

    def done(self) -> None:
        """Say that what was taken last is done with."""
        self._queue.task_done()

    def wait(self) -> None:
        """Wait until what was given is done with."""
        self._queue.join()


def _tried(step: Callable[[Piece], None], piece: Piece) -> Piece:
    try:
        if fault_of(piece.entry) is None:
            step(piece)
    except Exception as fault:  # one bad photo never stops the rest
        piece.fail(fault)
    return piece


def _received(wire: Connection) -> Order | None:
    try:
        order: Order | None = wire.recv()
    except EOFError:
        return None
    return order


def _end_with_the_pool() -> None:
    """End at once where the pool was killed: nobody would hear of the work."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
