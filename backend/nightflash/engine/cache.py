"""A store bounded in bytes that forgets what was least recently used, and what is too old."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Values by key, for one thread.

    Args:
        limit: Bytes of all values together; the least recently used make room.
        seconds: Age since their last use at which values are forgotten by `expire`.
        clock: Gives the time in seconds.
    """

    def __init__(
        self,
        limit: int,
        seconds: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.bytes = 0
        self._seconds = seconds
        self._clock = clock
        self._entries: OrderedDict[K, tuple[V, int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        """Whether ``key`` is kept; no use of it."""
        return key in self._entries

    def get(self, key: K) -> V | None:
        """The value of ``key``, which counts as a use, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries[key] = (entry[0], entry[1], self._clock())
        self._entries.move_to_end(key)
        return entry[0]

    def peek(self, key: K) -> V | None:
        """The value of ``key``, which is no use of it, or None."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def put(self, key: K, value: V, size: int) -> bool:
        """Keep ``value`` of ``size`` bytes; False where it alone is over the limit."""
        self.drop(key)
        if size > self.limit:
            return False
        while self.bytes + size > self.limit:
            self.drop(next(iter(self._entries)))
        self._entries[key] = (value, size, self._clock())
        self.bytes += size
        return True

    def oldest(self) -> K | None:
        """The key of what was least recently used, None where nothing is kept."""
        return next(iter(self._entries), None)

    def drop(self, key: K) -> None:
        """Forget ``key`` if it is there."""
        if (entry := self._entries.pop(key, None)) is not None:
            self.bytes -= entry[1]

    def expire(self) -> None:
        """Forget what has not been used for too long."""
        oldest = self._clock() - self._seconds
        while self._entries and (key := next(iter(self._entries))) is not None:
            if self._entries[key][2] > oldest:
                break
            self.drop(key)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.bytes = 0
