"""What NightFlash leaves on a machine beside the plug-in: its backend, environment and networks.

Standard library only.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from environment import Environment, SetupError, say
from lock import one_at_a_time

from nightflash.client.holder import end, holders
from nightflash.errors import NightFlashError  # all of these need the standard library alone
from nightflash.folders import data_folder

END_SECONDS = 5.0  # for a backend to end in order
QUESTION = "NightFlash: Remove them too? [y/N] "


def end_backend() -> None:
    """End the backend where one runs; the next request starts another one, of the code of then."""
    try:
        for at_once in (False, True):
            until = time.monotonic() + END_SECONDS
            for pid in holders():
                end(pid, at_once=at_once)
            while holders() and time.monotonic() < until:
                time.sleep(0.05)
        if left := holders():
            say(f"The backend (process {min(left)}) does not end; end it by hand")
    except NightFlashError as fault:
        say(f"Whether a backend runs cannot be told: {fault}")


def offer(everything: bool) -> None:
    """Remove the environment and the networks where that is wanted; else print how.

    Args:
        everything: Whether it is wanted; else somebody at a terminal is asked.
    """
    home = data_folder()
    found = [folder for folder in _large(home) if folder.exists()]
    if not found:
        return
    size = sum(map(_bytes, found)) / 1e9
    what = f"NightFlash's Python environment and its networks ({size:.1f} GB in {home})"
    if not everything:
        say(f"{what} are still there, for install/run.sh and for the next installation")
    if everything or _agrees():
        _remove(home)
        say(f"{what} were removed")
    else:
        say("'bash install/gimp.sh --uninstall --everything' removes them too")


def _large(home: Path) -> tuple[Path, ...]:
    return home / "environment", home / "weights", home / "setup"


def _agrees() -> bool:
    """Ask who sits at the terminal; where nobody does, the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(QUESTION, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _remove(home: Path) -> None:
    """Remove what NightFlash made in its data folder; of what others put there, nothing."""
    lock = home / "environment.lock"
    try:
        with one_at_a_time(lock, lambda: say("Waiting for another NightFlash that sets up")):
            Environment(home).stamp.unlink(missing_ok=True)  # half of it is no environment
            for folder in _large(home):
                if folder.is_symlink():  # to another disk: what is there is in the user's hands
                    folder.unlink()
                elif folder.exists():
                    shutil.rmtree(folder)
        for name in ("setup.log", "environment.lock", "gimp.lock"):
            (home / name).unlink(missing_ok=True)
        if not any(home.iterdir()):
            home.rmdir()
    except OSError as fault:
        raise SetupError(f"{home} could not be removed: {fault}. Is it yours to write?") from fault


def _bytes(folder: Path) -> int:
    """Size of all files in a folder."""
    paths = (path for path in folder.rglob("*") if not path.is_symlink() and path.is_file())
    return sum(path.stat().st_size for path in paths)
