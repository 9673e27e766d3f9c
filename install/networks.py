"""The networks that the installers fetch: the best for this machine, or those that are asked for.

What was done about them is noted in the folder they lie in, so that a set-up without a network does
not wait for it again with every photo, and whoever wants none is not asked twice.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from checkout import run_in
from environment import Environment, SetupError, say
from requirements import Stamp

from nightflash import __version__  # both need the standard library alone
from nightflash.folders import data_folder

OPTION, SOURCE, FOLDER = "--download", "--from", "--weights"
SETS = ("auto", "official", "lite", "none")
NOTE = ".set-up.json"
REACH = "8"  # seconds for all servers together to answer, where nobody asked for networks
FAULT, OUT_OF_REACH, INTERRUPTED = 2, 3, 130  # exit codes of the download
DAY = 86400.0  # seconds


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


@dataclass(frozen=True)
class Note:
    """What an installer last did about the networks of a folder.

    Attributes:
        chosen: The set that it fetched.
        best_for: What ``auto`` chose for: the NightFlash and the PyTorch of then.
        complete: Whether all of it came.
    """

    chosen: str
    best_for: tuple[str, ...]
    complete: bool

    @classmethod
    def read(cls, path: Path) -> Note | None:
        """The note in the file ``path``, or None where there is no sound one."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(fields["chosen"], tuple(fields["best_for"]), fields["complete"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write the note to the file ``path``; where that fails, the next run does it all again."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        except OSError as fault:
            say(f"{path} could not be written: {fault.strerror}")


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
    """Download the set that is asked for; without one, the best where that is due.

    A folder named for this run alone is left as it is, unless a set is asked for.

    Args:
        python: The interpreter of NightFlash's environment.
        wanted: What the arguments say.

    Raises:
        SetupError: The set asked for was not downloaded.
    """
    note = _folder() / NOTE
    if wanted.chosen is None:
        if FOLDER not in wanted.options and is_due(note):
            _fetch_the_best(python, note)
        return
    if wanted.chosen != "none" and _download(python, wanted.chosen, *wanted.options) != 0:
        raise SetupError(
            f"The networks were not downloaded; everything else is in place, and {OPTION}"
            f" {wanted.chosen} goes on from here."
        )
    if FOLDER not in wanted.options:
        Note(wanted.chosen, _best_for(), True).write(note)


def is_due(path: Path) -> bool:
    """Whether the best networks shall be fetched, as far as the note at ``path`` says.

    They are once for a NightFlash and a PyTorch, and what did not come is tried again after a day;
    never in place of a set that the user has named before, nor where they could not be put.
    """
    if not _is_writable(path.parent):
        return False
    note = Note.read(path)
    if note is None or note.chosen != "auto":
        return note is None
    since = abs(time.time() - path.stat().st_mtime)  # a clock may have been wrong
    return note.best_for != _best_for() or (not note.complete and since > DAY)


def _fetch_the_best(python: Path, note: Path) -> None:
    """Download what is best here; where that fails, the networks that are there have to do."""
    say(f"Fetching the networks that suit this machine best ({OPTION} none refuses them)")
    code = _download(python, "auto", "--reach", REACH)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (0, OUT_OF_REACH):  # which the download has printed in a line
        say(
            "Not all networks came: the built-in ones do the work of those missing;"
            f" `bash install/run.sh {OPTION} auto` goes on from here"
        )
    if code in (0, FAULT, OUT_OF_REACH):  # else it was killed, and the next run goes on
        Note("auto", _best_for(), code == 0).write(note)


def _download(python: Path, *words: str) -> int:
    return run_in(python, "nightflash", "models", "download", *words, to_stderr=True)


def _folder() -> Path:
    """Where the networks lie, as NightFlash itself finds it."""
    named = os.environ.get("NIGHTFLASH_WEIGHTS")
    return Path(named).expanduser() if named else data_folder() / "weights"


def _best_for() -> tuple[str, ...]:
    """What the choice of the best networks depends on."""
    stamp = Stamp.read(Environment(data_folder()).stamp)
    pytorch = os.environ.get("NIGHTFLASH_PYTHON") or (stamp.torch_index if stamp else "")
    return __version__, pytorch


def _is_writable(folder: Path) -> bool:
    """Whether files can be put into ``folder``, which may have to be made."""
    places = (folder, *folder.absolute().parents)
    return os.access(next(place for place in places if os.access(place, os.F_OK)), os.W_OK)
