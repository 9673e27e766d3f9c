"""Files that appear whole or not at all. Standard library only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file beside ``path`` to write to, which takes its name at the end.

    Whatever is raised meanwhile, ``path`` stays as it was before, and nothing is left beside it.

    Args:
        path: In a folder that is there; what has its name is replaced.
        private: Whether the user alone may read it.

    Raises:
        OSError: It cannot be written.
    """
    beside = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600 if private else 0o666)

    try:
        with open(beside, "x+b", opener=opener) as file:
            yield file
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
