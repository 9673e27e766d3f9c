"""Every setting of NightFlash, once: name, range, unit, default, explanation.

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
from nightflash.setting_info import SettingInfo, choice, number, switch, whole, word


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
        "_Method",
        "How the night is made: flash keeps colours and works in linear light; published is the"
        " dark grey picture of the published research, made for depth by MiDaS.",
    )
    quality: str = choice(
        "best",
        ("preview", "fast", "best"),
        "Method",
        "_Quality",
        "How much work goes into it: preview is the light alone in a small picture, fast the"
        " same at full size, best refines it.",
    )
    ambient: float | None = number(
        -7.0,
        -20.0,
        2.0,
        "EV",
        "Night",
        "_Night brightness",
        "How much of the day's light is left, in stops: 0 is the day, -7 a dark night.",
        off=True,
    )
    ambient_temperature: float = number(
        8000.0,
        1800.0,
        15000.0,
        "K",
        "Night",
        "Colour of the nig_ht",
        "Colour of the light that is left: 2800 is street lamps, 8000 moonlight.",
    )
    softness: float = number(
        0.7,
        0.0,
        1.0,
        "",
        "Night",
        "Softn_ess of the dark",
        "How soft the dark surroundings become, so that what is lit looks crisp.",
    )
    purkinje: float = number(
        0.0,
        0.0,
        1.0,
        "",
        "Night",
        "Pale and bluish _dark",
        "How pale and bluish the dark parts are, as eyes see them at night and a camera does not.",
    )
    flash: bool = switch(
        True, "Flash", "_Flash", "Fire the flash; without it the light of the night alone is left."
    )
    flash_ev: float = number(
        0.0,
        -4.0,
        4.0,
        "EV",
        "Flash",
        "Flash _strength",
        "Brighter or darker than the automatic exposure of the main object, in stops.",
    )
    flash_temperature: float = number(
        5400.0,
        1800.0,
        15000.0,
        "K",
        "Flash",
        "_Colour of the flash",
        "Colour of the flash: 5400 is white, less is warmer, more is colder.",
    )
    beam: float = number(
        1.0,
        0.2,
        4.0,
        "",
        "Flash",
        "Beam _width",
        "How wide the flash shines around the main object: 1 leaves the corners dim, 2 far less"
        " so.",
    )
    falloff: float = number(
        1.0,
        0.0,
        2.0,
        "",
        "Flash",
        "Fa_ll-off",
        "How fast the flash fades with distance: 1 as in nature, 0 not at all.",
    )
    flash_from: str = choice(
        "camera",
        ("camera", "above", "left", "right"),
        "Flash",
        "P_osition of the flash",
        "Where the flash is: at the camera, or above it or beside it, with the shadows that it"
        " throws.",
    )
    night: float = number(
        1.0,
        0.0,
        1.0,
        "",
        "Flash",
        "_Keep surroundings dark",
        "How far surroundings that the flash would light too brightly are taken back to night; 0"
        " is physics alone.",
    )
    flatten: float = number(
        0.5,
        0.0,
        1.0,
        "",
        "Flash",
        "E_ven out sunlight",
        "How far hard sun and shadow on lit parts are evened out.",
    )
    content: float = number(
        1.0,
        0.05,
        20.0,
        "",
        "Refinement",
        "Cr_ispness",
        "How much of the photo's own texture is kept; more is crisper.",
    )
    steps: int = whole(
        16,
        1,
        1000,
        "",
        "Refinement",
        "Ma_x. steps",
        "Most steps of the refinement; it stops earlier when nothing changes any more.",
    )
    grain: float | None = number(
        200.0,
        50.0,
        12800.0,
        "ISO",
        "Camera",
        "_Grain",
        "Sensor noise of the night exposure, added last.",
        off=True,
    )
    seed: int = whole(
        0,
        0,
        2**31 - 1,
        "",
        "Camera",
        "Gr_ain pattern",
        "Another number is another pattern of the same grain.",
    )
    several: bool = switch(
        False,
        "Subject",
        "Light several o_bjects",
        "Light all objects as large as the main one, not the largest alone.",
    )
    working_size: float = number(
        0.25,
        0.02,
        2.0,
        "MP",
        "Subject",
        "Si_ze of working",
        "Size at which depth, light and refinement are worked out; larger is finer and slower.",
    )

    def __post_init__(self) -> None:
        for name, info in SETTING_INFO.items():
            value = getattr(self, name)
            if not info.takes(value, DEFAULTS[name]):
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

    @property
    def iso(self) -> float | None:
        """Sensitivity whose grain the night has, None where it has none."""
        return self.grain if self.nightness > 0 or self.flash else None

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


def _renamed(name: str, value: Any) -> tuple[str, Any]:
    """The setting of today for an old name, with a ``FutureWarning``."""
    if name != "emphasis":
        return name, value
    with suppress(TypeError, ValueError):
        share = min(1.0, max(0.0, 2 * float(value)))  # 0.5 EV was its default
        value = share if isinstance(value, int | float) else word(share)
    warnings.warn(f"'emphasis' has become 'night', here {value}.", FutureWarning, stacklevel=4)
    return "night", value


def _known(name: str) -> str:
    if name not in SETTING_INFO:
        near = get_close_matches(name, SETTING_INFO, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "See: nightflash settings"
        raise NightFlashError(f"There is no setting named {name!r}.", hint, code="bad_setting")
    return name


def _parsed(name: str, text: str) -> Any:
    try:
        return SETTING_INFO[name].parse(text, DEFAULTS[name])
    except ValueError:
        raise _refusal(name, text) from None


def legal_values(name: str) -> str:
    """Say in words which values the setting ``name`` takes."""
    return SETTING_INFO[name].legal_values(DEFAULTS[name])


def _refusal(name: str, value: object) -> NightFlashError:
    return NightFlashError(
        f"The setting {name!r} cannot be {value!r}: it takes {legal_values(name)}.",
        code="bad_setting",
    )


SETTING_INFO: dict[str, SettingInfo] = {f.name: f.metadata["info"] for f in fields(Settings)}
DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(Settings)}
