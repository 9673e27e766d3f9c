"""A grey photo stays grey, unless coloured light is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
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


def in_grey(night: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The luminance of linear RGB (H, W, 3) in every channel; what is grey stays to the bit."""
    red, green, blue = np.moveaxis(night, -1, 0)
    grey = green + np.float32(0.2126) * (red - green) + np.float32(0.0722) * (blue - green)
    return np.repeat(grey[..., None], 3, axis=-1)
