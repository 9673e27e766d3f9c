"""Scene: what the photo shows."""

from nightflash.scene.aim import check_aim, settled, working_aim
from nightflash.scene.estimate import DepthSource
from nightflash.scene.recognition import aim_at, survey
from nightflash.scene.scene import Aim, Click, Scene, Survey

__all__ = [
    "Aim",
    "Click",
    "DepthSource",
    "Scene",
    "Survey",
    "aim_at",
    "check_aim",
    "settled",
    "survey",
    "working_aim",
]
