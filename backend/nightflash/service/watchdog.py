"""Memory outside all accounts: what libzmq holds of messages that never end.

libzmq takes in a message whole before anybody sees it, and knows a limit for a frame alone. Whoever
has the key, or the user's own files, could fill the machine so. Nobody is told whose message it is;
so the process ends, and the next request starts another. Where the system does not tell what a
process takes (all but Linux) nothing is watched.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

UNDER_WAY = 2 * 2**30  # bytes, at the least, for messages under way and a network that still looks
LEAST_FREE = 256 * 2**20  # bytes of the machine's memory: with less, it begins to swap


class Watchdog:
    """Looks whether the process takes more than it can account for.

    Args:
        under_way: Bytes of messages that may be on their way in at once.
    """

    def __init__(self, under_way: int) -> None:
        self._most = max(under_way, UNDER_WAY)
        self._rest: int | None = None

    def look(self, accounted: int, busy: bool) -> str:
        """Why the process must end now, or nothing.

        Args:
            accounted: Bytes of pictures kept or on their way out.
            busy: Whether work is being done, whose memory nobody knows before.
        """
        if sys.platform != "linux":
            return ""
        outside = resident() - accounted
        if busy:
            self._rest = None
        elif self._rest is None or outside < self._rest:
            self._rest = outside
        if self._rest is not None and outside - self._rest > self._most:
            return f"messages that never end took {(outside - self._rest) / 2**20:.0f} MB"
        if outside > LEAST_FREE and available() < LEAST_FREE:
            return "the machine's memory was used up"
        return ""


def resident() -> int:
    """Bytes of memory that this process has."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def available() -> int:
    """Bytes of the machine's memory that can be had without swapping."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 2**63
