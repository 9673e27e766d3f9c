"""How far a scene is closed in, so that its own surfaces throw the flash's light back."""

from __future__ import annotations

from torch import Tensor

from nightflash.imaging.colour import encode
from nightflash.scene.geometry import foliage_share
from nightflash.scene.scene import Scene

FAR = 0.1  # of the subject's inverse depth, and less: no room is ten times as deep
FAR_RANGE = 0.02, 0.07  # share of what is far, from a window to the open
THROWN_BACK = 0.15  # of the light on the subject, everywhere, where nothing shows the open


def thrown_back(scene: Scene, at_subject: Tensor) -> float:
    """Light of the flash by way of walls, ceiling and ground, against that on the subject.

    Nothing in a photo tells how far walls are. That it was taken in the open is told by the sky and
    all that is far, and by foliage; without them light falls to this much and no further.

    Args:
        scene: What the photo shows.
        at_subject: Inverse depth of the subject, scalar.
    """
    least, most = FAR_RANGE
    far = float((scene.inverse_depth < FAR * at_subject).float().mean())
    seen = min(max((far - least) / (most - least), 0.0), 1.0)
    in_the_open = max(seen, foliage_share(encode(scene.photo.clamp(0, 1))))
    return THROWN_BACK * (1 - in_the_open)
