"""Light: what falls on the scene at night, and the target picture that follows from it."""

from nightflash.light.bracket import PLACES
from nightflash.light.incidence import Incidence, incidence
from nightflash.light.model import Light, light_scene

__all__ = ["PLACES", "Incidence", "Light", "incidence", "light_scene"]
