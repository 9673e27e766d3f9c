"""The command line: arguments in, exit code out.

Only light modules are imported at the top, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from nightflash import __version__
from nightflash.client.remotes import remotes
from nightflash.commands import (
    backend,
    batch,
    doctor,
    gimp,
    models,
    remote,
    render,
    settings,
    streams,
)
from nightflash.errors import NightFlashError

FAULT = 2
NO_MEMORY = ("failed to map segment", "Cannot allocate memory", "can't start new thread")
"""What the system says where libraries cannot even be loaded."""

INTERRUPTED = 130
VIA = "--via-backend"
WAITING = {"OMP_WAIT_POLICY": "PASSIVE"}
"""For the libraries' threads, to be set before they are loaded: threads that spin while they wait
for each other take eight times as long on a busy machine, and no less on an idle one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 0, or 2 after a fault, which is printed."""
    streams.prepare()
    os.environ.update(WAITING | os.environ)
    try:
        options = _options(sys.argv[1:] if arguments is None else arguments)
        code: int = options.run(options)
        streams.flush()
    except SystemExit as end:  # argparse has said what it had to say
        code = end.code if isinstance(end.code, int) else FAULT
    except NightFlashError as error:
        streams.print_error(f"nightflash: {error}")
        code = FAULT
    except (MemoryError, ImportError, OSError, RuntimeError) as fault:
        if not isinstance(fault, MemoryError) and not any(w in str(fault) for w in NO_MEMORY):
            raise
        streams.print_error("nightflash: There is not enough memory.")
        code = FAULT
    except KeyboardInterrupt:
        streams.print_error("nightflash: stopped; nothing half-written is left.")
        code = INTERRUPTED
    return code


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse; options may stand between the photos and OUT, and a box may begin with a minus.

    What follows ``--via-backend`` is its own where it is the name of a remote, else a photo or OUT.
    """
    known = remotes() if VIA in arguments else {}
    tied: list[str] = []
    for argument in arguments:
        last = tied[-1] if tied else ""
        if last in ("--subject-box", "--subject-point") or (last == VIA and argument in known):
            tied[-1] += f"={argument}"
        else:
            tied.append(argument)
    tied = [f"{VIA}=" if argument == VIA else argument for argument in tied]
    parser = _parser()
    options, rest = parser.parse_known_args(tied)
    strange = [text for text in rest if text.startswith("-") or not hasattr(options, "paths")]
    if strange:
        parser.error(f"unrecognized arguments: {' '.join(strange)}")
    if rest:
        options.paths += rest
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nightflash",
        description="A daylight photo in, the same photo taken at night with a flash out.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nightflash {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for group in (render, batch, settings, models, backend, remote, gimp, doctor):
        group.add(commands)
    return parser
