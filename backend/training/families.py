"""The families of scenes, and which of their seeds are for training and which for tests."""

from __future__ import annotations

from dataclasses import dataclass

from training.scenes.composition import compose
from training.scenes.outdoors import compose_figure
from training.scenes.photo_texture import Photos
from training.scenes.render import RenderedScene, render
from training.scenes.rooms import compose_room
from training.wild import wild_scene


@dataclass(frozen=True)
class Seeds:
    """Seeds for training and seeds for tests and figures, which are never trained on."""

    training: range
    tests: range


FAMILIES = {
    "plausible": Seeds(training=range(10_000, 100_000), tests=range(1_000)),
    "wild": Seeds(training=range(100_000, 300_000), tests=range(3_000, 4_000)),
    "rooms": Seeds(training=range(300_000, 400_000), tests=range(1_000, 2_000)),
    "figures": Seeds(training=range(400_000, 500_000), tests=range(2_000, 3_000)),
}


def scene_of(family: str, seed: int, width: int, height: int, photos: Photos = ()) -> RenderedScene:
    """Render the scene of a seed of a family.

    Args:
        family: One of ``FAMILIES``: "plausible" objects outdoors, the same gone "wild", furnished
            "rooms", and "figures": people, vehicles and statues outdoors.
        seed: The same gives the same scene from the same photos.
        width, height: Pixels.
        photos: (h, w, 3) encoded pictures from which surfaces are cut; the wild ones need some.
    """
    if family == "wild":
        return wild_scene(seed, width, height, photos)
    if family == "plausible":
        return render(compose(seed, width / height), width, height, seed=seed)
    composed = {"rooms": compose_room, "figures": compose_figure}[family]
    return render(composed(seed, width / height, photos), width, height, seed=seed)
