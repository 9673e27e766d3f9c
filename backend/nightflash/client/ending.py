"""Ending backends, whether they answer or not.

Standard library and pyzmq only.
"""

from __future__ import annotations

import time

from nightflash.client.holder import end, holders
from nightflash.client.link import BackendLost

END_SECONDS = 5.0  # for a backend to end in order


def end_backend(pids: set[int] | None = None) -> set[int]:
    """End backends of this user, in order where they can; gives those that had to be killed.

    Args:
        pids: Those alone, or None for every one.

    Raises:
        NightFlashError: ``not_private`` where the runtime folder could be another user's.
    """

    def running() -> set[int]:
        return holders() if pids is None else holders() & pids

    for pid in running():
        end(pid, at_once=False)
    until = time.monotonic() + END_SECONDS
    while (left := running()) and time.monotonic() < until:
        time.sleep(0.05)
    for pid in left:
        end(pid, at_once=True)
    while left & running():
        if time.monotonic() > until + END_SECONDS:
            raise BackendLost(
                f"The backend (process {min(left)}) does not end.", "End it by hand, or restart."
            )
        time.sleep(0.05)
    return left
