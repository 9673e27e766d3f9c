"""The two light models, and the choice of one."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from nightflash.light.bracket import PLACES
from nightflash.light.flash import flash_light
from nightflash.light.incidence import Incidence, incidence
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

    def unlit(self, photo: Tensor) -> Tensor:
        """Linear night picture (3, H, W) of linear ``photo`` without the flash."""


def light_scene(scene: Scene, settings: Settings, known: Incidence | None = None) -> Light:
    """Light ``scene`` by the method that ``settings`` name.

    Args:
        scene: What the photo shows.
        settings: What the user wants.
        known: ``incidence(scene, PLACES[settings.flash_from])`` where that is known already.
    """
    if settings.method == "published":
        return style_light(scene)
    met = known or incidence(scene, PLACES[settings.flash_from])
    return flash_light(scene, met, settings)
