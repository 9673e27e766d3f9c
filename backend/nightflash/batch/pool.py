"""A pool of processes that make nights; one that dies is replaced, and its photos tried again.

The pools of the standard library and of its kin break when a process is killed, or hand each
process one task at a time, so that nothing can be read ahead.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Self

from nightflash.batch.order import Entry, Order, Tools
from nightflash.batch.worker import READY, work
from nightflash.errors import NightFlashError

AT_ONCE = 3  # orders a worker has: one is read, one made into a night, one written
MOST_FALSE_STARTS = 3  # processes in a row that die before they are ready
PATIENCE = 5.0  # seconds that a worker may take to end


class Pool:
    """Processes that have read the networks, each once.

    Args:
        workers: How many.
        threads: How many each computes with.
        tools: What the engines are made of.
        job: What each process does, like ``worker.work``.
    """

    def __init__(
        self,
        workers: int,
        threads: int,
        tools: Tools,
        job: Callable[[Connection, Tools, int], None] = work,
    ) -> None:
        self._threads, self._tools, self._job = threads, tools, job
        self._again: deque[Order] = deque()
        self._false_starts = 0
        self._members = [self._member() for _ in range(workers)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for member in self._members:
            member.end(at_once=kind is not None)

    def do(self, orders: Iterable[Order]) -> Iterator[Entry]:
        """Do orders; gives the line of each for the report as soon as it is done.

        Raises:
            NightFlashError: No worker can work, for lack of networks or memory.
        """
        coming = iter(orders)
        self._feed(coming)
        while any(member.orders for member in self._members):
            for ready in wait([member.wire for member in self._members]):
                member = next(one for one in self._members if one.wire is ready)
                yield from self._heard(member)
            self._feed(coming)

    def _heard(self, member: _Member) -> Iterator[Entry]:
        """What a worker says, or has left when it died."""
        try:
            answer = member.wire.recv()
        except (EOFError, OSError):
            yield from self._died(member)
            return
        if isinstance(answer, NightFlashError):
            raise answer
        if answer == READY:
            self._false_starts = 0
            member.ready = True
            return
        member.orders.popleft()
        yield answer

    def _died(self, member: _Member) -> Iterator[Entry]:
        """Replace a worker. Orders are tried again, each alone, since any may be to blame."""
        self._false_starts += not member.ready
        member.end(at_once=True)
        if self._false_starts >= MOST_FALSE_STARTS:
            raise NightFlashError(
                "The processes end before they have read the networks.",
                "Take fewer with --workers, or smaller networks with --networks.",
                code="no_memory",
            )
        if member.alone and member.ready:
            order = member.orders.popleft()
            yield {
                "photo": order.photo,
                "out": order.out,
                "fault": f"The process that worked at {order.photo} was ended twice,"
                " perhaps for lack of memory. Take fewer with --workers, or scale the photo down.",
            }
        self._again.extend(member.orders)
        self._members[self._members.index(member)] = self._member()

    def _feed(self, coming: Iterator[Order]) -> None:
        """Give every worker as many orders as it may have, in turns."""
        for depth in range(AT_ONCE):
            for member in self._members:
                if len(member.orders) > depth:
                    continue
                if (order := self._next_for(member, coming)) is not None:
                    member.give(order)

    def _next_for(self, member: _Member, coming: Iterator[Order]) -> Order | None:
        """Orders that are tried again come first, and each alone."""
        if not member.orders:
            member.alone = bool(self._again)
            return self._again.popleft() if member.alone else next(coming, None)
        return None if member.alone or self._again else next(coming, None)

    def _member(self) -> _Member:
        return _Member(self._job, (self._tools, self._threads))


class _Member:
    """One worker, seen from the pool.

    Attributes:
        wire: To it.
        orders: What it has not answered yet, the oldest first.
        ready: Whether it has read the networks.
        alone: Whether its order is one that is tried again.
    """

    def __init__(self, job: Callable[..., None], given: tuple[Tools, int]) -> None:
        self.wire, theirs = multiprocessing.Pipe()
        spawning = multiprocessing.get_context("spawn")  # threads and a GPU survive no fork
        self._process = spawning.Process(target=job, args=(theirs, *given), daemon=True)
        self._process.start()
        theirs.close()
        self.orders: deque[Order] = deque()
        self.ready = self.alone = False

    def give(self, order: Order) -> None:
        """Send it an order; one that has died has it among those that are tried again."""
        self.orders.append(order)
        self._send(order)

    def end(self, at_once: bool) -> None:
        """Let it end; ``at_once`` where its work is not wanted any more."""
        if at_once:
            self._process.kill()
        else:
            self._send(None)
            self._process.join(PATIENCE)
            self._process.kill()
        self._process.join()
        self.wire.close()

    def _send(self, order: Order | None) -> None:
        try:
            self.wire.send(order)
        except OSError:  # it has died, which the next look at the wire tells
            return
