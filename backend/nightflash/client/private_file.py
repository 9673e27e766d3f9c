"""Files with keys: the user's own, whole or not at all. Standard library only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nightflash.client.connection import (
    STATE_VARIABLE,
    make_private,
    plain_text,
    require_private,
)
from nightflash.errors import NightFlashError
from nightflash.whole_file import written_whole


def read_private(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is no such file.

    Raises:
        NightFlashError: ``not_private`` where others could read or have written it, ``spoilt``
            where it holds no object.
    """
    try:
        require_private(path.parent, STATE_VARIABLE)
        require_private(path, STATE_VARIABLE)
        content = json.loads(plain_text(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as fault:
        raise _spoilt(path) from fault
    if not isinstance(content, dict):
        raise _spoilt(path)
    return content


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object that this user alone can read; its folder is made where it lacks.

    Raises:
        NightFlashError: ``not_private`` where the folder is another user's or open to others,
            ``not_written`` where the disk is full.
    """
    make_private(path.parent, STATE_VARIABLE)
    try:
        with written_whole(path, private=True) as file:
            file.write(json.dumps(content, indent=1).encode())
    except OSError as error:
        raise NightFlashError(
            f"{path} cannot be written: {error.strerror}.",
            f"Make room, or let {STATE_VARIABLE} name another folder.",
            code="not_written",
        ) from error


def _spoilt(path: Path) -> NightFlashError:
    return NightFlashError(
        f"{path} cannot be read or is spoilt.", "Mend it, or move it away.", code="spoilt"
    )
