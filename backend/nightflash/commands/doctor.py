"""``nightflash doctor``: is everything there, and if not, what to do."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nightflash import streams


def add(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser(
        "doctor", help="look at everything NightFlash needs", allow_abbrev=False
    )
    parser.add_argument("--weights", metavar="DIR", type=Path, help="folder of network files")
    parser.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from nightflash.doctor import examine

    sound = True
    for finding in examine(options.weights):
        streams.put(str(finding))
        sound = sound and finding.sound
    return 0 if sound else 1
