"""``nightflash settings``: every setting, its range and default, and the presets."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from nightflash import own_presets
from nightflash.commands import streams
from nightflash.presets import PRESETS
from nightflash.setting_info import word
from nightflash.settings import DEFAULTS, SETTING_INFO, legal_values


def add(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser(
        "settings",
        help="list every setting, its range and default, and the presets",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=_settings)


def _settings(options: argparse.Namespace) -> int:
    if options.json:
        table = {
            name: {**asdict(info), "default": DEFAULTS[name]} for name, info in SETTING_INFO.items()
        }
        streams.print_output(json.dumps(table, indent=1))
        return 0
    group = ""
    for name, info in SETTING_INFO.items():
        if info.group != group:
            group = info.group
            streams.print_output(f"{group}:")
        streams.print_output(f"  {name}={word(DEFAULTS[name])}  ({legal_values(name)})")
        streams.print_output(f"      {info.name}. {info.help}")
    _put_presets("Presets:", PRESETS)
    if own := own_presets.read():
        _put_presets("Your own presets:", own)
    return 0


def _put_presets(heading: str, presets: Mapping[str, Mapping[str, Any]]) -> None:
    streams.print_output(heading)
    for name, changes in presets.items():
        pairs = (f"{key}={word(value)}" for key, value in changes.items() if value != DEFAULTS[key])
        streams.print_output(f"  {name}  ({' '.join(pairs) or 'the defaults'})")
