"""What several commands share: the options and words for which networks run, and where."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightflash.models.choice import Choice


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


def choices(words: Sequence[str]) -> list[Choice]:
    """Choices of one set or one network each, from words separated by blanks or commas.

    Raises:
        NightFlashError: ``bad_setting`` for a word that is neither.
    """
    from nightflash.models.choice import Choice

    return [Choice.of(word) for text in words or ["auto"] for word in text.split(",")]
