"""The networks that the installers fetch: those named by --download, or after a question, once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checkout import run_in
from environment import SetupError, data_folder, say

OPTION, SOURCE, FOLDER = "--download", "--from", "--weights"
SETS = ("official", "lite", "none")
QUESTION = """NightFlash sees far better with trained networks, which it can download now:
  official  the best for this machine: 0.3 GB, or 1.6 GB with a GPU
  lite      small ones: 7 MB
  none      geometry and salience have to do; `--download` fetches networks at any time
Which? [official] """


@dataclass(frozen=True)
class Wanted:
    """What an installer's arguments say about networks.

    Attributes:
        chosen: The set to fetch, or None where nothing is said.
        options: Of ``nightflash models download``.
    """

    chosen: str | None = None
    options: tuple[str, ...] = ()


NOTHING_SAID = Wanted()


def wanted(arguments: Sequence[str]) -> tuple[Wanted, list[str]]:
    """Take ``--download SET`` and ``--from URL|DIR`` out of the arguments.

    ``--weights DIR`` stays among them, and the download goes there too.

    Returns:
        What they say, and the other arguments.

    Raises:
        SetupError: An option without a value, or a set that there is not.
    """
    rest = list(arguments)
    chosen, options = None, []
    while (value := _taken(rest, OPTION)) is not None:
        if value not in SETS:
            raise SetupError(f"{OPTION} takes one of {', '.join(SETS)}, not {value or 'nothing'}.")
        chosen = value
    while (value := _taken(rest, SOURCE)) is not None:
        if not value or chosen is None:
            raise SetupError(f"{SOURCE} takes a server or folder, and needs {OPTION} SET.")
        options = [SOURCE, value]
    if (value := _taken(list(rest), FOLDER)) is not None:
        options += [FOLDER, value]
    return Wanted(chosen, tuple(options)), rest


def _taken(arguments: list[str], option: str) -> str | None:
    """Remove ``option VALUE`` or ``option=VALUE``; gives the value, or None without it."""
    for at, argument in enumerate(arguments):
        name, sign, value = argument.partition("=")
        if name == option:
            del arguments[at]
            if not sign:
                value = arguments.pop(at) if at < len(arguments) else ""
            return value
    return None


def fetch(python: Path, wanted: Wanted) -> None:
    """Download a set of networks; without one, offer it the first time on a terminal.

    Args:
        python: The interpreter of NightFlash's environment.
        wanted: What the arguments say.

    Raises:
        SetupError: The download failed.
    """
    chosen = _asked() if wanted.chosen is None else wanted.chosen
    if chosen in (None, "none"):
        return
    if run_in(python, "nightflash", "models", "download", chosen, *wanted.options) != 0:
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
        asked.parent.mkdir(parents=True, exist_ok=True)
        asked.touch()
    except OSError as fault:
        say(f"{asked} could not be written: {fault.strerror}; the question will come again")
    return answer
