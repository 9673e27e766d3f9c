"""The networks that the installers fetch: those named by --download, or after a question, once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from checkout import run_in
from environment import SetupError, data_folder, say

OPTION = "--download"
SETS = ("official", "lite", "none")
QUESTION = """NightFlash sees far better with trained networks, which it can download now:
  official  the best for this machine: 0.3 GB, or 1.6 GB with a GPU
  lite      small ones: 6 MB
  none      geometry and salience have to do; `--download` fetches networks at any time
Which? [official] """


def wanted(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take ``--download SET`` out of the arguments.

    Returns:
        The set, or None where the option is not there; and the other arguments.

    Raises:
        SetupError: The option names no set.
    """
    rest = list(arguments)
    chosen = None
    while (at := next((i for i, a in enumerate(rest) if a.split("=")[0] == OPTION), -1)) >= 0:
        option, _, value = rest.pop(at).partition("=")
        if option == OPTION and not value:
            value = rest.pop(at) if at < len(rest) else ""
        if value not in SETS:
            raise SetupError(f"{OPTION} takes one of {', '.join(SETS)}, not {value or 'nothing'}.")
        chosen = value
    return chosen, rest


def fetch(python: Path, chosen: str | None) -> None:
    """Download a set of networks; without one, offer it the first time on a terminal.

    Args:
        python: The interpreter of NightFlash's environment.
        chosen: What ``wanted`` gave.

    Raises:
        SetupError: The download failed.
    """
    if chosen is None:
        chosen = _asked()
    if chosen in (None, "none"):
        return
    if run_in(python, "nightflash", "models", "download", chosen) != 0:
        raise SetupError(
            f"The networks were not downloaded; everything else is in place, and {OPTION} {chosen}"
            " goes on from here."
        )


def _asked() -> str | None:
    """Ask which set to download; None where nobody can answer, or was asked before."""
    asked = data_folder() / "networks-offered"
    if asked.exists() or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    answer = "?"
    while answer not in SETS:
        print(QUESTION, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        answer = "none" if not line else line.strip().lower() or "official"
        answer = next((name for name in SETS if name.startswith(answer)), "?")
    try:
        asked.touch()
    except OSError as fault:
        say(f"{asked} could not be written: {fault.strerror}; the question will come again")
    return answer
