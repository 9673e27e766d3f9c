"""What the dialog keeps for the next time, in a file of this user's GIMP folder."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from gi.repository import Gimp
from nightflash.whole_file import written_whole

MOST = 2**16  # bytes of the file


def kept(name: str) -> Any:
    """What was kept by this name; None where nothing was, or the file is no good."""
    return _all().get(name)


def keep(name: str, value: Any) -> None:
    """Keep what JSON can hold; where the disk is full, all is as it was."""
    with contextlib.suppress(OSError), written_whole(_file()) as file:
        file.write(json.dumps(_all() | {name: value}, indent=1).encode())


def _all() -> dict[str, Any]:
    try:
        with _file().open("rb") as file:
            content = json.loads(file.read(MOST))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _file() -> Path:
    return Path(Gimp.directory()) / "nightflash.json"
