"""Light: what falls on the scene at night, and the target picture that follows from it."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from nightflash.light.flash import flash_light
from nightflash.light.published import style_light
from nightflash.scene.scene import Scene
from nightflash.settings import Settings


class Light(Protocol):
    """A light model: maps at the working size, and how they act on a photo of any size."""

    @property
    def maps(self) -> Tensor:
        """(K, h, w): what must be interpolated to the full size along the photo's edges."""

    @property
    def target(self) -> Tensor:
        """(3, h, w) linear: what the refinement's pixels approach."""

    def shine(self, photo: Tensor, maps: Tensor) -> Tensor:
        """Linear night picture (3, H, W) of linear ``photo`` and maps (K, H, W)."""


def light_scene(scene: Scene, settings: Settings) -> Light:
    """Light ``scene`` by the method that ``settings`` name."""
    return style_light(scene) if settings.method == "published" else flash_light(scene, settings)


__all__ = ["Light", "light_scene"]
