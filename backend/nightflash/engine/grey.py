"""A grey photo stays grey, unless coloured light is asked for."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from nightflash.settings import DEFAULTS, Settings

NEUTRAL_KELVIN = 5400.0
LIGHT_COLOURS = ("ambient_temperature", "flash_temperature")


def stays_grey(photo: Tensor, settings: Settings) -> bool:
    """Whether a photo (3, h, w) is grey, and no light's colour differs from its default."""
    asked = any(getattr(settings, name) != DEFAULTS[name] for name in LIGHT_COLOURS)
    red, green, blue = photo
    return (
        not asked
        and not settings.purkinje
        and bool(torch.equal(red, green) and torch.equal(red, blue))
    )


def without_colour(settings: Settings) -> Settings:
    """The settings with neutral lights."""
    neutral = NEUTRAL_KELVIN
    return replace(settings, ambient_temperature=neutral, flash_temperature=neutral)
