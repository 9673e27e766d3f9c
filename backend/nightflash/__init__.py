"""NightFlash: a daylight photo in, the same photo taken at night with a flash out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nightflash.errors import Cancelled, NightFlashError
from nightflash.settings import Settings

if TYPE_CHECKING:
    from nightflash.aim import Aim
    from nightflash.batch.dataset import NightFlash
    from nightflash.engine.engine import Engine
    from nightflash.engine.night import Night
    from nightflash.photo import Photo

__version__ = "0.2.0"
__all__ = [
    "Aim",
    "Cancelled",
    "Engine",
    "Night",
    "NightFlash",
    "NightFlashError",
    "Photo",
    "Settings",
]

_HEAVY = {
    "Engine": "nightflash.engine.engine",
    "Night": "nightflash.engine.night",
    "Photo": "nightflash.photo",
    "Aim": "nightflash.aim",
    "NightFlash": "nightflash.batch.dataset",
}


def __getattr__(name: str) -> Any:
    """Import what needs numpy and torch only when it is asked for (PEP 562)."""
    if name in _HEAVY:
        from importlib import import_module

        return getattr(import_module(_HEAVY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
