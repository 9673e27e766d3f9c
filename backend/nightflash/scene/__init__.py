"""Scene: what the photo shows."""

from nightflash.scene.estimate import DepthSource
from nightflash.scene.recognition import aim_at, settled, survey
from nightflash.scene.scene import Scene, Survey

__all__ = ["DepthSource", "Scene", "Survey", "aim_at", "settled", "survey"]
