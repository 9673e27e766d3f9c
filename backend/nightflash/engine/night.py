"""What the engine gives: a night, or a preview of one, and what it was made from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nightflash.light import Light
from nightflash.light.incidence import subject_median
from nightflash.photo import Photo
from nightflash.scene import Scene


@dataclass(frozen=True)
class Report:
    """What was done to make a night.

    Attributes:
        seconds: Wall time of every stage.
        networks: Role to network name.
        subject_box: (x, y, w, h) in pixels of the photo.
        subject_from: How the subject was found.
        subject_metres: Its depth, where a network gives metres; None where depth is relative.
        working_size: (width, height).
        losses: Loss curve of the refinement, empty without it.
        device: Where the networks ran.
        notes: Sentences for the user.
    """

    seconds: dict[str, float]
    networks: dict[str, str]
    subject_box: tuple[float, float, float, float]
    subject_from: str
    subject_metres: float | None
    working_size: tuple[int, int]
    losses: tuple[float, ...]
    device: str
    notes: tuple[str, ...]


def subject_metres(scene: Scene) -> float | None:
    """Depth of the subject along the optical axis, where the scene's depth is metric."""
    if scene.metres is None:
        return None
    nearness = float(subject_median(scene.inverse_depth, scene.subject))
    return round(scene.metres / nearness, 2) if nearness > 0 else None


@dataclass(frozen=True)
class Night:
    """A photo taken at night, with everything it was made from.

    Attributes:
        photo: The night; encoding, EXIF and alpha are the daylight photo's. Working size for the
            quality ``preview``, else full size.
        scene, light: Depth, subject and light at the working size.
        refined: (3, h, w) linear picture after refinement, or None.
        report: What was done.
    """

    photo: Photo
    scene: Scene
    light: Light
    refined: Tensor | None
    report: Report


@dataclass(frozen=True)
class Preview:
    """The light alone at the working size, and what it was made from.

    Attributes:
        picture: (3, h, w) linear night.
        scene, light: See ``Night``.
        provisional: Whether a slow network is still looking for the main object.
    """

    picture: Tensor
    scene: Scene
    light: Light
    provisional: bool = False
