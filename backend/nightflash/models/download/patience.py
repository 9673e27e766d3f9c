"""How long a download waits for a server, and how often it tries again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from nightflash.errors import NightFlashError
from nightflash.models.download.faults import UNREACHED, Interrupted


@dataclass(frozen=True)
class Patience:
    """How long a download waits for what, in seconds, and how often it tries.

    Attributes:
        connect: For a connection.
        read: For the next byte.
        tries: Failures in a row after which it gives up.
        calls: The same where the host is not even reached.
        pause: After the first failure; doubled with every further one.
        longest_pause: Where the doubling ends, also if the server asks for more.
        floor: Bytes per second; a server slower than that is left.
        window: Over which the speed is taken.
        sleep: What pauses.
    """

    connect: float = 15.0
    read: float = 30.0
    tries: int = 6
    calls: int = 3
    pause: float = 1.0
    longest_pause: float = 30.0
    floor: float = 1024.0
    window: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    @property
    def longest_wait(self) -> float:
        """For an answer, or for more of one, whatever trickles in meanwhile."""
        return self.connect + self.read + self.window


PATIENT = Patience()


class Tries:
    """Counts failures in a row, and pauses after each.

    Args:
        patience: How many, and how long.
        report: Is given a sentence before each pause.
    """

    def __init__(self, patience: Patience, report: Callable[[str], None]) -> None:
        self.patience = patience
        self._report = report
        self._failures = 0
        self._furthest = 0

    def failed(self, fault: NightFlashError, position: int) -> None:
        """Pause after a failure; the count starts again where the try before it brought something.

        That is what a server at the lowest speed allowed brings within the window: one that drips
        or breaks off after every byte does not keep a download going for days.

        Args:
            fault: What went wrong.
            position: Bytes that have come.

        Raises:
            NightFlashError: ``fault``, where it is one too many.
        """
        patience = self.patience
        if position - self._furthest >= patience.floor * patience.window:
            self._failures = 0
        self._furthest = max(self._furthest, position)
        self._failures += 1
        if self._failures >= (patience.calls if fault.code == UNREACHED else patience.tries):
            raise fault
        asked = fault.wait if isinstance(fault, Interrupted) else 0.0
        doubled = patience.pause * 2 ** (self._failures - 1)
        pause = min(max(doubled, asked), patience.longest_pause)
        self._report(f"{fault.sentence} Trying again in {pause:.0f} s.")
        patience.sleep(pause)
