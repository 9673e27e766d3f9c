"""What is known of one setting beside its value, and how a dataclass declares it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Knob:
    """What a user needs to know of one setting.

    Attributes:
        group: Heading under which the setting is shown.
        help: One sentence that says what it does.
        low, high: Inclusive range of a number, in ``unit``.
        unit: Unit of a number, or empty.
        choices: The legal words of a choice.
        can_be_off: Whether the word ``off`` (``None`` in Python, ``null`` in JSON) is legal.
    """

    group: str
    help: str
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    choices: tuple[str, ...] = ()
    can_be_off: bool = False


def number(
    default: float, low: float, high: float, unit: str, group: str, text: str, off: bool = False
) -> Any:
    """A setting that is a number, perhaps also ``off``."""
    knob = Knob(group, text, low, high, unit, can_be_off=off)
    return field(default=default, metadata={"knob": knob})


def whole(default: int, low: int, high: int, unit: str, group: str, text: str) -> Any:
    """A setting that is a whole number."""
    return field(default=default, metadata={"knob": Knob(group, text, low, high, unit)})


def switch(default: bool, group: str, text: str) -> Any:
    """A setting that is on or off."""
    return field(default=default, metadata={"knob": Knob(group, text)})


def choice(default: str, choices: tuple[str, ...], group: str, text: str) -> Any:
    """A setting that is one of a few words."""
    return field(default=default, metadata={"knob": Knob(group, text, choices=choices)})
