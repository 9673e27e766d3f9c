"""How far a scene is closed in, so that its own surfaces throw the flash's light back."""

from __future__ import annotations

from torch import Tensor

from nightflash.imaging.colour import encode
from nightflash.scene.open_air import foliage_share
from nightflash.scene.scene import Scene

FAR = 0.1  # of the subject's inverse depth, and less: no room is ten times as deep
FAR_RANGE = 0.02, 0.07  # share of what is far, from a window to the open
THROWN_BACK = 0.15  # of the light on the subject, everywhere, where nothing shows the open
WALLS = 0.1  # share of the picture that is farther away than walls are
AT_THE_WALLS = 0.4  # of the light on a subject as far away as walls; rendered rooms have 0.3


def thrown_back(scene: Scene, at_subject: Tensor) -> float:
    """Light of the flash by way of walls, ceiling and ground, against that on the subject.

    Metric depth says how far walls are. Light that fills a room is spread over them, and their
    area goes with the square of their distance, as what comes straight from the flash goes with
    the square of the subject's; in the open walls are far.

    Relative depth does not say. That a photo was taken in the open is known from the sky, all that
    is far, and by foliage; without them light falls to this much and no further.

    Args:
        scene: What the photo shows.
        at_subject: Inverse depth of the subject, scalar.
    """
    foliage = foliage_share(encode(scene.photo.clamp(0, 1)))
    if scene.metres is not None:
        step = max(1, scene.inverse_depth.numel() // 100_000)
        at_walls = scene.inverse_depth.flatten()[::step].quantile(WALLS)
        subject_to_walls = float((at_walls / at_subject).clamp(0, 1))
        return AT_THE_WALLS * subject_to_walls**2 * (1 - foliage)
    least, most = FAR_RANGE
    far = float((scene.inverse_depth < FAR * at_subject).float().mean())
    seen = min(max((far - least) / (most - least), 0.0), 1.0)
    return THROWN_BACK * (1 - max(seen, foliage))
