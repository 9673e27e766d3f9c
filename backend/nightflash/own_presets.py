"""The user's own presets: a file of the user's configuration, for GIMP and the command line.

The file is JSON: ``{"presets": {NAME: {SETTING: VALUE}}}``. What another version wrote there and
this one does not know stays in it. Standard library only.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from nightflash.errors import NightFlashError
from nightflash.settings import DEFAULTS, SETTING_INFO
from nightflash.whole_file import written_whole

CONFIG_VARIABLE = "NIGHTFLASH_CONFIG_DIR"
FILE = "presets.json"
MOST_BYTES = 2**20  # of the file
MOST_LETTERS = 60  # of a name


def folder() -> Path:
    """The user's folder of configuration, outside of a flatpak's own where GIMP is in one."""
    if chosen := os.environ.get(CONFIG_VARIABLE):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData/Roaming") / "nightflash"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/nightflash"
    name = "HOST_XDG_CONFIG_HOME" if "FLATPAK_ID" in os.environ else "XDG_CONFIG_HOME"
    return Path(os.environ.get(name) or Path.home() / ".config") / "nightflash"


def read() -> dict[str, dict[str, Any]]:
    """What each of them changes of the defaults, by name; only what is legal today.

    Raises:
        NightFlashError: The file cannot be read.
    """
    return {name: _legal(kept) for name, kept in _presets(_content()).items()}


def checked(name: str) -> str:
    """A name without spaces around it.

    Raises:
        NightFlashError: It is none for a preset.
    """
    name = name.strip()
    if not 1 <= len(name) <= MOST_LETTERS or not name.isprintable():
        raise NightFlashError(
            f"A preset's name has 1 to {MOST_LETTERS} letters.", code="bad_setting"
        )
    return name


def put(name: str, settings: dict[str, Any]) -> None:
    """Add one, or change it.

    Raises:
        NightFlashError: The file cannot be read or written.
    """
    content = _content()
    _write({**content, "presets": {**_presets(content), name: settings}})


def rename(old: str, new: str) -> None:
    """Give one another name; one that has this name already is replaced.

    Raises:
        NightFlashError: The file cannot be read or written.
    """
    content = _content()
    presets = {new if n == old else n: k for n, k in _presets(content).items() if n != new}
    _write({**content, "presets": presets})


def delete(name: str) -> None:
    """Remove one; nothing happens where there is none.

    Raises:
        NightFlashError: The file cannot be read or written.
    """
    content = _content()
    left = {known: kept for known, kept in _presets(content).items() if known != name}
    _write({**content, "presets": left})


def _presets(content: dict[str, Any]) -> dict[str, Any]:
    presets = content.get("presets")
    return presets if isinstance(presets, dict) else {}


def _legal(kept: object) -> dict[str, Any]:
    known = kept if isinstance(kept, dict) else {}
    return {
        name: known[name]
        for name, info in SETTING_INFO.items()
        if name in known and info.takes(known[name], DEFAULTS[name])
    }


def _content() -> dict[str, Any]:
    path = folder() / FILE
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MOST_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as fault:
        raise _unreadable(path) from fault
    if not isinstance(content, dict):
        raise _unreadable(path)
    return content


def _unreadable(path: Path) -> NightFlashError:
    return NightFlashError(
        f"The file {path} of your own presets cannot be read.", "Mend it, or move it away."
    )


def _write(content: dict[str, Any]) -> None:
    path = folder() / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path, private=True) as file:
            file.write(json.dumps(content, indent=1, ensure_ascii=False).encode())
    except OSError as fault:
        raise NightFlashError(
            f"Your own presets cannot be written to {path}: {fault.strerror}."
        ) from fault
