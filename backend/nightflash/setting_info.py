"""What is known of one setting beside its value, how it is written, how a dataclass declares it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OFF = "off"
WORDS = {"on": True, "true": True, "1": True, "yes": True} | dict.fromkeys(
    (OFF, "false", "0", "no"), False
)


@dataclass(frozen=True)
class SettingInfo:
    """What a user needs to know of one setting.

    Attributes:
        group: Heading under which the setting is shown.
        label: What people call it, without its unit; an underscore is before its letter for Alt.
        help: One sentence that says what it does.
        low, high: Inclusive range of a number, in ``unit``.
        unit: Unit of a number, or empty.
        choices: The legal words of a choice.
        can_be_off: Whether the word ``off`` (``None`` in Python, ``null`` in JSON) is legal.
    """

    group: str
    label: str
    help: str
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    choices: tuple[str, ...] = ()
    can_be_off: bool = False

    @property
    def name(self) -> str:
        """What people call it, with its unit."""
        name = self.label.replace("_", "")
        return f"{name} ({self.unit})" if self.unit else name

    def takes(self, value: object, default: object) -> bool:
        """Whether a value is legal for the setting, whose kind ``default`` shows."""
        if self.choices:
            return value in self.choices
        if isinstance(default, bool):
            return isinstance(value, bool)
        if value is None:
            return self.can_be_off
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        right_kind = type(value) is int or not isinstance(default, int)
        return right_kind and self.low <= value <= self.high

    def parse(self, text: str, default: object) -> Any:
        """Read a value as typed on a command line.

        Raises:
            ValueError: It is none; whether one is in range is not asked.
        """
        text = text.strip()
        if self.can_be_off and text.lower() == OFF:
            return None
        if self.choices:
            return text
        if isinstance(default, bool):
            if text.lower() not in WORDS:
                raise ValueError(text)
            return WORDS[text.lower()]
        return int(text) if isinstance(default, int) else float(text)

    def legal_values(self, default: object) -> str:
        """Say in words which values it takes."""
        if self.choices:
            return " or ".join(self.choices)
        if isinstance(default, bool):
            return "on or off"
        whole = isinstance(default, int)
        low, high = (int(n) if whole else word(n) for n in (self.low, self.high))
        span = f"{low} to {high}" + (f" {self.unit}" if self.unit else "")
        return (
            ("a whole number " if whole else "") + span + (f", or {OFF}" if self.can_be_off else "")
        )


def word(value: object) -> str:
    """Write the value of a setting the way a command line takes it."""
    if value is None:
        return OFF
    if isinstance(value, bool):
        return "on" if value else OFF
    return f"{value:g}" if isinstance(value, float) else str(value)


def number(
    default: float,
    low: float,
    high: float,
    unit: str,
    group: str,
    label: str,
    text: str,
    off: bool = False,
) -> Any:
    """A setting that is a number, perhaps also ``off``."""
    info = SettingInfo(group, label, text, low, high, unit, can_be_off=off)
    return field(default=default, metadata={"info": info})


def whole(default: int, low: int, high: int, unit: str, group: str, label: str, text: str) -> Any:
    """A setting that is a whole number."""
    return field(
        default=default, metadata={"info": SettingInfo(group, label, text, low, high, unit)}
    )


def switch(default: bool, group: str, label: str, text: str) -> Any:
    """A setting that is on or off."""
    return field(default=default, metadata={"info": SettingInfo(group, label, text)})


def choice(default: str, choices: tuple[str, ...], group: str, label: str, text: str) -> Any:
    """A setting that is one of a few words."""
    return field(
        default=default, metadata={"info": SettingInfo(group, label, text, choices=choices)}
    )
