"""Kinds of night to begin with."""

from __future__ import annotations

from typing import Any

from nightflash.settings import DEFAULTS

CHANGES: dict[str, dict[str, Any]] = {
    "Flash at night": {},
    "Moonlit": {"ambient": -5.0, "ambient_temperature": 9500.0, "purkinje": 0.5, "flash_ev": -0.5},
    "Street": {"ambient": -5.5, "ambient_temperature": 2800.0, "flash_temperature": 5000.0},
    "Pitch black": {"ambient": None, "falloff": 1.3, "beam": 0.7},
    "Published": {"method": "published", "grain": None},
}
KEPT = ("quality", "seed", "several", "working_size", "steps")


def preset(name: str) -> dict[str, Any]:
    """The settings of a preset; those that are no matter of taste are not among them."""
    return {k: v for k, v in {**DEFAULTS, **CHANGES[name]}.items() if k not in KEPT}
