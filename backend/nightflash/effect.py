"""Which settings do nothing beside the others that are chosen, so that they can be shown so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightflash.settings import SETTING_INFO

FLASH = tuple(
    name for name, info in SETTING_INFO.items() if info.group == "Flash" and name != "flash"
)
REFINEMENT = ("softness", "content", "steps")
OF_THE_FLASH_METHOD = ("ambient", "ambient_temperature", "softness", "purkinje", "flash", *FLASH)


def without_effect(settings: Mapping[str, Any]) -> frozenset[str]:
    """The settings that change nothing in the night.

    Args:
        settings: All of them, as ``Settings`` has them.
    """
    idle: set[str] = set()
    if settings["method"] == "published":
        idle.update(OF_THE_FLASH_METHOD)
    if settings["quality"] != "best":
        idle.update(REFINEMENT)
    if not settings["flash"]:
        idle.update(FLASH)
    if settings["ambient"] is None or settings["ambient"] >= 0:
        idle.add("ambient_temperature")
    if settings["grain"] is None:
        idle.add("seed")
    return frozenset(idle)
