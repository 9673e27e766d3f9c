"""Options that several commands share: which networks run, and where."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_networks(parser: argparse.ArgumentParser) -> None:
    """Add ``--networks``, ``--weights`` and ``--device``."""
    parser.add_argument("--weights", metavar="DIR", type=Path, help="folder of network files")
    parser.add_argument(
        "--networks",
        metavar="NAMES",
        default="auto",
        help="a set (official, lite, builtin, rules), networks by name, or both, separated by"
        " commas; the best present that suit the device (auto) where nothing is named",
    )
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where to compute: the GPU if there is one (auto, the default) or the one named",
    )
