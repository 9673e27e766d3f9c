"""Every knob of NightFlash, once: name, range, unit, default, explanation; and the presets.

The command line, the protocol and the GIMP dialog all read this module, so nothing heavy is
imported here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Self

from nightflash.errors import NightFlashError
from nightflash.setting_info import Knob, choice, number, switch, whole, word


@dataclass(frozen=True)
class Settings:
    """What the user wants. Immutable; out-of-range values raise ``NightFlashError``.

    Stops are powers of two of linear light. ``NightFlashError`` names the setting, the value,
    and what is legal.
    """

    method: str = choice(
        "flash",
        ("flash", "published"),
        "Method",
        "Light model: 'flash' works in colour and linear light, 'published' is the grey style"
        " image of the published method, made for depth by MiDaS.",
    )
    quality: str = choice(
        "best",
        ("preview", "fast", "best"),
        "Method",
        "'preview' is the light alone at working size, 'fast' at full size, 'best' adds the"
        " refinement by style transfer.",
    )

    ambient: float | None = number(
        -7.0,
        -20.0,
        2.0,
        "EV",
        "Night",
        "Light left in the night, in stops against the daylight photo (0 = unchanged);"
        " 'off' is none.",
        off=True,
    )
    ambient_temperature: float = number(
        8000.0,
        1800.0,
        15000.0,
        "K",
        "Night",
        "Colour of the light left in the night: street lamps 2800, moonlit look 8000.",
    )
    softness: float = number(
        0.7, 0.0, 1.0, "", "Night", "How soft the dark background becomes under refinement."
    )
    purkinje: float = number(
        0.0,
        0.0,
        1.0,
        "",
        "Night",
        "Looks of human night vision in the dark parts (bluish, pale); a camera has none.",
    )

    flash: bool = switch(
        True, "Flash", "Fire the flash; off leaves the ambient light, without auto-exposure."
    )
    flash_ev: float = number(
        0.0, -4.0, 4.0, "EV", "Flash", "Compensation to the automatic exposure of the subject."
    )
    flash_temperature: float = number(
        5400.0, 1800.0, 15000.0, "K", "Flash", "Colour of the flash; 5400 is neutral to daylight."
    )
    beam: float = number(
        1.0,
        0.2,
        4.0,
        "",
        "Flash",
        "Width of the beam around the subject; 1 loses 1.35 stops to the corners, 2 far less.",
    )
    falloff: float = number(
        1.0,
        0.0,
        2.0,
        "",
        "Flash",
        "Fall-off of the flash with distance; 1 is the inverse square law as far as a photo's depth"
        " can be believed.",
    )
    flash_from: str = choice(
        "camera",
        ("camera", "above", "left", "right"),
        "Flash",
        "Where the flash is: at the camera, or above it or beside it on a bracket, which shades"
        " the subject and throws its shadow on what is close behind.",
    )
    night: float = number(
        1.0,
        0.0,
        1.0,
        "",
        "Flash",
        "How far surroundings that the flash would light too brightly are taken back to night;"
        " 0 is physics alone.",
    )
    flatten: float = number(
        0.5, 0.0, 1.0, "", "Flash", "How far hard sun and shadow on lit parts are evened out."
    )

    content: float = number(
        1.0,
        0.05,
        20.0,
        "",
        "Refinement",
        "Weight of the photo's content against the light; more keeps more of its texture.",
    )
    steps: int = whole(
        28, 1, 1000, "", "Refinement", "Most optimiser steps; it stops earlier when converged."
    )

    grain: float | None = number(
        200.0,
        50.0,
        12800.0,
        "ISO",
        "Camera",
        "Sensor noise of the night exposure, added last; 'off' is none.",
        off=True,
    )
    seed: int = whole(0, 0, 2**31 - 1, "", "Camera", "Seed of the grain.")

    several: bool = switch(
        False, "Subject", "Light all objects as large as the main one, not the largest alone."
    )
    working_size: float = number(
        0.25, 0.02, 2.0, "MP", "Subject", "Size at which depth, light and refinement are computed."
    )

    def __post_init__(self) -> None:
        for name, knob in KNOBS.items():
            value = getattr(self, name)
            if not knob.takes(value, DEFAULTS[name]):
                raise _refusal(name, value)

    @property
    def ambient_gain(self) -> float:
        """Linear factor of the ambient light against daylight; 0 when it is off."""
        return 0.0 if self.ambient is None else 2.0**self.ambient

    @property
    def nightness(self) -> float:
        """0 where the ambient light is daylight, 1 from two stops below: how far it is night."""
        return 1.0 if self.ambient is None else min(max(-self.ambient / 2, 0.0), 1.0)

    @property
    def is_daylight(self) -> bool:
        """Whether nothing happens to the light: the night is then the photo itself."""
        unchanged = self.ambient == 0 and not self.flash and self.purkinje == 0
        return unchanged and self.method == "flash"

    @classmethod
    def from_words(cls, words: Mapping[str, str], base: Self | None = None) -> Self:
        """Read ``key=value`` words as typed on a command line, over ``base`` or the defaults.

        Raises:
            NightFlashError: Unknown key, unreadable or out-of-range value.
        """
        current = dict(_renamed(key, word) for key, word in words.items())
        return cls.from_values({k: _parsed(_known(k), v) for k, v in current.items()}, base)

    @classmethod
    def from_values(cls, values: Mapping[str, Any], base: Self | None = None) -> Self:
        """Make settings from typed values (as in JSON), over ``base`` or the defaults.

        Raises:
            NightFlashError: Unknown key, wrong type or out-of-range value.
        """
        current = dict(_renamed(key, value) for key, value in values.items())
        for key in current:
            _known(key)
        return replace(base if base is not None else cls(), **current)

    @classmethod
    def from_preset(cls, name: str) -> Self:
        """The settings of a preset, over the defaults.

        Args:
            name: One of ``PRESETS``; case does not matter, nor a space for the hyphen.

        Raises:
            NightFlashError: There is no such preset.
        """
        key = name.strip().lower().replace(" ", "-").replace("_", "-")
        if key not in PRESETS:
            raise NightFlashError(
                f"There is no preset named {name!r}.",
                f"Take one of: {', '.join(PRESETS)}.",
                code="bad_setting",
            )
        return cls.from_values(PRESETS[key])


def _renamed(name: str, value: Any) -> tuple[str, Any]:
    """The setting of today for an old name, with a ``FutureWarning`` that tells."""
    if name != "emphasis":
        return name, value
    with suppress(TypeError, ValueError):
        share = min(1.0, max(0.0, 2 * float(value)))  # 0.5 EV was its default
        value = share if isinstance(value, int | float) else word(share)
    warnings.warn(f"'emphasis' has become 'night', here {value}.", FutureWarning, stacklevel=4)
    return "night", value


def _known(name: str) -> str:
    if name not in KNOBS:
        near = get_close_matches(name, KNOBS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "See: nightflash settings"
        raise NightFlashError(f"There is no setting named {name!r}.", hint, code="bad_setting")
    return name


def _parsed(name: str, text: str) -> Any:
    try:
        return KNOBS[name].parse(text, DEFAULTS[name])
    except ValueError:
        raise _refusal(name, text) from None


def legal_values(name: str) -> str:
    """Say in words which values the setting ``name`` takes."""
    return KNOBS[name].legal_values(DEFAULTS[name])


def _refusal(name: str, value: object) -> NightFlashError:
    return NightFlashError(
        f"The setting {name!r} cannot be {value!r}: it takes {legal_values(name)}.",
        code="bad_setting",
    )


KNOBS: dict[str, Knob] = {f.name: f.metadata["knob"] for f in fields(Settings)}
DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(Settings)}

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
    looks = {**DEFAULTS, **PRESETS[preset]}
    return {name: value for name, value in looks.items() if name not in NO_TASTE}
