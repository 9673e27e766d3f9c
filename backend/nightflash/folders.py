"""The data folder, which the installer and the command line share. Standard library only."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOME_VARIABLE = "NIGHTFLASH_HOME"


def data_folder() -> Path:
    """Where NightFlash keeps what it fetches and makes: NIGHTFLASH_HOME or the platform's place.

    It need not exist.
    """
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(base).absolute() / "nightflash"
