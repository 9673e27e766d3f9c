"""How the work is divided: as many workers as the machine bears, and the threads of each."""

from __future__ import annotations

import os
from dataclasses import dataclass

from nightflash.models.device import capacity, choose_device

WORKER_MEMORY = 3 * 2**30  # bytes: networks, and three photos of 24 megapixels at work
MOST_ON_A_GPU = 4  # more only wait for each other


@dataclass(frozen=True)
class Share:
    """How many workers there are, and with how many threads each computes."""

    workers: int
    threads: int


def share(device: str, photos: int, workers: int | None = None) -> Share:
    """Divide the machine.

    Args:
        device: As ``Engine`` takes it.
        photos: No more workers than these are of use.
        workers: As many as the user wants; None for as many as cores and memory allow.

    Raises:
        NightFlashError: The device is not there.
    """
    chosen = choose_device(device)
    most = cores()
    if workers is None:
        memory = capacity(chosen).memory
        if memory is not None:
            most = min(most, memory // WORKER_MEMORY)
        workers = min(most, MOST_ON_A_GPU) if chosen.type != "cpu" else most
    workers = max(1, min(workers, photos))
    return Share(workers, max(1, cores() // workers))


def cores() -> int:
    """Of this machine, as many as this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        return os.cpu_count() or 1
