"""A lock between processes that the system lets go of when its holder ends, however it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def one_at_a_time(path: Path, on_wait: Callable[[], None]) -> Iterator[IO[bytes]]:
    """Hold the lock file ``path``; where another process does, call ``on_wait`` and wait for it."""
    with path.open("ab") as file:
        if not _take(file):
            on_wait()
            while not _take(file):
                time.sleep(0.5)
        yield file


def _take(file: IO[bytes]) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
    else:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
