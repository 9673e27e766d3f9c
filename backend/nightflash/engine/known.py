"""What the engine remembers of a photo: its survey, and how the flash meets it at an aim."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from nightflash.engine.grey import stays_grey, without_colour
from nightflash.engine.working import Working
from nightflash.light import PLACES, Incidence, Light, incidence, light_scene
from nightflash.scene import Scene, Survey
from nightflash.settings import Settings

# Floats per working pixel, features, objects remembered and incidence included.
SURVEY_PLANES, SCENE_PLANES = 32, 8


@dataclass
class Surveyed:
    """What is known of one photo, whatever the aim.

    Attributes:
        survey: Its depth, and what was detected.
        features: For the refinement, once they were needed.
    """

    survey: Survey
    features: Tensor | None = None


@dataclass
class Aimed:
    """What is known of one photo and aim.

    Attributes:
        surveyed: The photo.
        scene: What it shows.
        provisional: Whether a slow network still looks for the main object.
    """

    surveyed: Surveyed
    scene: Scene
    provisional: bool
    _incidence: dict[str, Incidence] = field(default_factory=dict)

    def lit(self, settings: Settings) -> Light:
        """The light of the night; where the flash is, is remembered for the last place."""
        if stays_grey(self.scene.photo, settings):
            settings = without_colour(settings)
        if settings.method != "flash":
            return light_scene(self.scene, settings)
        place = settings.flash_from
        if place not in self._incidence:
            self._incidence = {place: incidence(self.scene, PLACES[place])}
        return light_scene(self.scene, settings, self._incidence[place])


def planes(count: int, working: Working) -> int:
    """Bytes of ``count`` floats per working pixel."""
    width, height = working.dimensions
    return count * 4 * width * height
