"""Options that several commands share: which networks run, and where."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_networks(parser: argparse.ArgumentParser) -> None:
    """Add ``--networks``, ``--weights`` and ``--device``."""
    parser.add_argument("--weights", metavar="DIR", type=Path, help="folder of network files")
    for name, choices, text in (
        ("--networks", ("official", "lite", "builtin"), "set of networks: the best present"),
        ("--device", ("cpu", "cuda", "mps"), "where to compute: the GPU if there is one"),
    ):
        text = f"{text} (auto, the default) or the one named"
        parser.add_argument(name, choices=("auto", *choices), default="auto", help=text)
