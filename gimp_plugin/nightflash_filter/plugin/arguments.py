"""The settings of NightFlash as arguments of a GIMP procedure, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gi.repository import Gimp, GObject
from nightflash.presets import PRESETS, look_of, whole_look
from nightflash.settings import DEFAULTS, SETTING_INFO

from plugin.labels import LABELS, PRESET_NAMES
from plugin.record import DIALOG_ONLY
from plugin.texts import translated as _

FLAGS = GObject.ParamFlags.READWRITE
OUTPUTS = {
    "one": "One layer",
    "parts": "A group of two layers, night and flash",
}
ON_NIGHT = {
    "add": "Another night above it",
    "replace": "A night with these settings in its place",
    "edit": "The same with its own settings, but for those given that are no defaults",
}
"""What a call without a dialog does where the layer is a night."""
NOWHERE = -1.0
INTEGER = 2**31 - 1


def add_arguments(procedure: Any) -> None:
    """Add every setting, the kind of result, a point to aim at, and the layer returned."""
    for setting, info in SETTING_INFO.items():
        _add_setting(procedure, setting, info, DEFAULTS[setting])
    procedure.add_choice_argument(
        "output", label("output"), _("What is added to the image."), _choice(OUTPUTS), "one", FLAGS
    )
    procedure.add_choice_argument(
        *("on-night", _("On a night"), _("What is made where the layer is a night.")),
        *(_choice(ON_NIGHT), "add", FLAGS),
    )
    procedure.add_string_aux_argument(
        *("preset", label("preset"), _("The kind of night that the settings began with.")),
        *(next(iter(PRESETS)), FLAGS),
    )
    for axis in ("x", "y"):
        procedure.add_double_argument(
            f"point-{axis}",
            _("Aim") + f" {axis}",
            _("A point on the main object in pixels of the image; -1 for none."),
            NOWHERE,
            2.0**20,
            NOWHERE,
            FLAGS,
        )
    procedure.add_layer_return_value(
        "layer", _("Layer"), _("The layer or group that was added."), False, FLAGS
    )


def _add_setting(procedure: Any, setting: str, info: Any, default: Any) -> None:
    name, nick, blurb = argument_name(setting), label(setting), _(info.help)
    if info.choices:
        choice = _choice({word: word.capitalize() for word in info.choices if word != DIALOG_ONLY})
        procedure.add_choice_argument(name, nick, blurb, choice, default, FLAGS)
    elif isinstance(default, bool):
        procedure.add_boolean_argument(name, nick, blurb, default, FLAGS)
    elif isinstance(default, int):
        high = min(int(info.high), INTEGER)
        procedure.add_int_argument(name, nick, blurb, int(info.low), high, default, FLAGS)
    else:
        number = default if default is not None else info.low
        procedure.add_double_argument(name, nick, blurb, info.low, info.high, number, FLAGS)
    if info.can_be_off:
        procedure.add_boolean_argument(
            f"{name}-off", label(f"{setting}_off"), blurb, default is None, FLAGS
        )


def _choice(labels: Mapping[str, str]) -> Any:
    choice = Gimp.Choice.new()
    for number, (word, name) in enumerate(labels.items()):
        choice.add(word, number, _(name), "")
    return choice


def argument_name(setting: str) -> str:
    """The name of a setting's argument."""
    return setting.replace("_", "-")


def label(setting: str) -> str:
    """The name of a setting for people, with its unit and a letter for Alt."""
    if setting in LABELS:
        return _(LABELS[setting])
    info = SETTING_INFO[setting]
    return f"{_(info.label)} ({info.unit})" if info.unit else _(info.label)


def letter(setting: str) -> str:
    """The letter for Alt of a setting."""
    text = label(setting)
    return text[text.index("_") + 1].lower()


def preset_name(preset: str) -> str:
    """The name of a preset for people."""
    return PRESET_NAMES.get(preset, preset.replace("-", " ").capitalize())


def chosen_settings(config: Any) -> dict[str, Any]:
    """The settings that a procedure's configuration holds, as the backend takes them."""
    chosen: dict[str, Any] = {}
    for setting, info in SETTING_INFO.items():
        name = argument_name(setting)
        off = info.can_be_off and config.get_property(f"{name}-off")
        chosen[setting] = None if off else config.get_property(name)
    return chosen


def set_settings(config: Any, values: Mapping[str, Any]) -> None:
    """Put settings, as the backend takes them, into a configuration."""
    for setting, value in values.items():
        name = argument_name(setting)
        if SETTING_INFO[setting].can_be_off:
            config.set_property(f"{name}-off", value is None)
        if value is not None:
            config.set_property(name, value)


Looks = Mapping[str, Mapping[str, Any]]
"""Presets by name: the settings of each that make up how the night looks."""


def looks_of(own: Looks) -> Looks:
    """The looks of all presets, those of the user's own last."""
    brought = {name: look_of(name) for name in PRESETS}
    return brought | {name: whole_look(changes) for name, changes in own.items()}


def preset_of(config: Any, looks: Looks) -> tuple[str, bool]:
    """The preset that the settings are, else the one that they began with; whether they differ."""
    chosen = chosen_settings(config)
    began = config.get_property("preset")
    for name in (began, *looks):
        if name in looks and all(alike(chosen[key], value) for key, value in looks[name].items()):
            return name, False
    return began if began in looks else next(iter(PRESETS)), True


def set_preset(config: Any, name: str, looks: Looks) -> None:
    """Have the settings of a preset."""
    config.set_property("preset", name)
    set_settings(config, looks[name])


def alike(value: Any, other: Any) -> bool:
    """Whether two values of a setting are the same, as exactly as GIMP keeps them."""
    numbers = isinstance(value, float) and isinstance(other, float)
    return math.isclose(value, other, abs_tol=1e-6) if numbers else bool(value == other)


def point(config: Any) -> tuple[float, float] | None:
    """The point aimed at in pixels of the image, or None."""
    x, y = config.get_property("point-x"), config.get_property("point-y")
    return None if x == NOWHERE or y == NOWHERE else (x, y)


def set_point(config: Any, place: tuple[float, float] | None) -> None:
    """Aim at a point of the image, or at none."""
    x, y = place or (NOWHERE, NOWHERE)
    config.set_property("point-x", x)
    config.set_property("point-y", y)
