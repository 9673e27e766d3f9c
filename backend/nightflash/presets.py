"""Kinds of night to begin with: those that NightFlash brings, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightflash import own_presets
from nightflash.errors import NightFlashError
from nightflash.settings import DEFAULTS, Settings

PRESETS: dict[str, dict[str, Any]] = {
    "flash-at-night": {},
    "moonlit": {"ambient": -5.0, "ambient_temperature": 9500.0, "purkinje": 0.5, "flash_ev": -0.5},
    "street": {"ambient": -5.5, "ambient_temperature": 2800.0, "flash_temperature": 5000.0},
    "pitch-black": {"ambient": None, "falloff": 1.3, "beam": 0.7},
    "published": {"method": "published", "grain": None},
}
"""Kinds of night to begin with: what each changes of the defaults."""

NO_TASTE = ("quality", "seed", "several", "working_size", "steps")
"""Settings that are the work's and not the picture's: choosing a preset leaves them as they are."""


def look_of(preset: str) -> dict[str, Any]:
    """The settings of a preset, one of ``PRESETS``, that make up how the night looks."""
    return whole_look(PRESETS[preset])


def whole_look(changes: Mapping[str, Any]) -> dict[str, Any]:
    """All settings that make up how the night looks, with these changes of the defaults."""
    looks = {**DEFAULTS, **changes}
    return {name: value for name, value in looks.items() if name not in NO_TASTE}


def key_of(name: str) -> str:
    """The name of one of ``PRESETS`` as it would be written there."""
    return name.strip().lower().replace(" ", "-").replace("_", "-")


def settings_of(name: str) -> Settings:
    """The settings of a preset, over the defaults.

    Args:
        name: One of ``PRESETS`` or of the user's own; case does not matter, nor, in the former, a
            space for the hyphen.

    Raises:
        NightFlashError: There is no such preset.
    """
    if (key := key_of(name)) in PRESETS:
        return Settings.from_values(PRESETS[key])
    own = own_presets.read()
    for known in (name, *(n for n in own if n.casefold() == name.strip().casefold())):
        if known in own:
            return Settings.from_values(own[known])
    raise NightFlashError(
        f"There is no preset named {name!r}.",
        f"Take one of: {', '.join((*PRESETS, *own))}.",
        code="bad_setting",
    )


def save(name: str, settings: dict[str, Any]) -> str:
    """Keep how a night looks as a preset of the user's own; gives its name.

    Raises:
        NightFlashError: The name does not serve, or the file cannot be written.
    """
    name = _free(name)
    own_presets.put(name, {key: settings[key] for key in look_of(next(iter(PRESETS)))})
    return name


def rename(old: str, new: str) -> str:
    """Give a preset of the user's own another name; gives it.

    Raises:
        NightFlashError: The name does not serve, or the file cannot be written.
    """
    new = _free(new)
    own_presets.rename(old, new)
    return new


def _free(name: str) -> str:
    name = own_presets.checked(name)
    if key_of(name) in PRESETS:
        raise NightFlashError(
            f"{name} is a preset that NightFlash brings.", "Take another name.", code="bad_setting"
        )
    return name
