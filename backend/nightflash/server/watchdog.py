"""Memory outside all accounts: what libzmq holds of messages that never end.

libzmq takes in a message whole before anybody sees it, and knows a limit for a frame alone. Whoever
has the key, or the user's own files, could fill the machine so. Where the system does not say what
a process takes (all but Linux) nothing is watched.
"""

from __future__ import annotations

import os
import sys

UNDER_WAY = 2 * 2**30  # bytes, at the least, for messages under way and a network that still looks
NETWORKS = 4 * 2**30  # bytes at the most that all networks take
LEAST_FREE = 256 * 2**20  # bytes of the machine's memory: with less, it begins to swap


class Watchdog:
    """Looks whether the process takes more than it can account for.

    Args:
        under_way: Bytes of messages that may be on their way in at once.

    Attributes:
        outside: Bytes outside all accounts at the last look.
        alarmed: Whether more than half of what may be under way was: time to look more often.
    """

    def __init__(self, under_way: int) -> None:
        self._most = max(under_way, UNDER_WAY)
        self.outside = 0
        self.alarmed = False
        self._first: int | None = None  # outside all accounts, before there were networks
        self._rest: int | None = None  # the same with networks, while nothing is done
        self._process = self._machine = -1
        if sys.platform == "linux":  # opened once: descriptors may be used up later
            self._process = os.open("/proc/self/statm", os.O_RDONLY)
            self._machine = os.open("/proc/meminfo", os.O_RDONLY)

    def look(self, accounted: int, busy: bool, loading: bool = False) -> str:
        """What is wrong, or nothing.

        Args:
            accounted: Bytes of pictures kept or on their way out.
            busy: Whether work is being done, whose memory nobody knows before.
            loading: Whether networks are read, after which more memory is at rest.
        """
        if sys.platform != "linux":
            return ""
        outside = self.outside = self.resident() - accounted
        if self._first is None:
            self._first = outside
        if loading:
            self._rest = None
        elif not busy:
            most = self._first + NETWORKS if self._rest is None else self._rest
            self._rest = min(outside, most)
            self.alarmed = outside - self._rest > self._most / 2
            if outside - self._rest > self._most:
                return f"messages that never end took {(outside - self._rest) / 2**20:.0f} MB"
        if outside > LEAST_FREE and self.available() < LEAST_FREE:
            return "the machine's memory was used up"
        return ""

    def resident(self) -> int:
        """Bytes of memory that this process has; 0 where the system does not say."""
        if sys.platform != "linux":
            return 0
        return int(_read(self._process).split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def available(self) -> int:
        """Bytes of the machine's memory that can be had without swapping."""
        for line in _read(self._machine).splitlines():
            if line.startswith(b"MemAvailable:"):
                return int(line.split()[1]) * 1024
        return 2**63


def _read(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 2**16)
