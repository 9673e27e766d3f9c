"""How well a click finds the object under it, against masks made by people.

    python -m tests.benchmarks.clicks PHOTOS MASKS [--networks auto] [--weights DIR] [--share 0/2]

MASKS has a PNG of the photo's name for each photo of PHOTOS that counts: 0 background, 255 objects,
128 uncertain, which is left out. Every part of a mask is an object. In each it is clicked at a few
places drawn at random well inside, and at another ten pixels beside each: both should light the
same.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from nightflash import Aim, Engine, Settings
from nightflash.photo import read_photo
from numpy.typing import NDArray

from tests.benchmarks.main_object import truth_of, with_mask

CLICKS = 3
BESIDE = 10.0  # pixels of the photo between a click and the one beside it
LEAST = 0.01  # of the picture that an object takes
GOOD, ANOTHER = 0.7, 0.3  # intersection over union: the object is found, and another is not
Truth = NDArray[np.bool_]


@dataclass(frozen=True)
class Clicked:
    """One click: overlap with the object, the most with another, and with what the next lights."""

    object: float
    others: float
    beside: float
    found_by: str


def objects(mask: Path) -> tuple[list[Truth], Truth]:
    """The objects (h, w) of a mask, and where it is certain."""
    truth, known = truth_of(mask)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(truth.astype(np.uint8))
    large = [i for i in range(1, count) if facts[i, cv2.CC_STAT_AREA] >= LEAST * truth.size]
    return [labels == i for i in large], known


def places(inside: Truth, draw: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Places (x, y) in an object, not at its very edge."""
    deep = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    rows, columns = np.nonzero(deep >= min(4.0, 0.5 * float(deep.max())))
    for i in draw.integers(0, len(rows), CLICKS):
        yield float(columns[i]), float(rows[i])


def beside(
    place: tuple[float, float], inside: Truth, draw: np.random.Generator
) -> tuple[float, float]:
    """Another place of the object about ten pixels away, or the same where there is none."""
    for angle in draw.uniform(0, 2 * np.pi, 16):
        x, y = place[0] + BESIDE * np.cos(angle), place[1] + BESIDE * np.sin(angle)
        if 0 <= x < inside.shape[1] and 0 <= y < inside.shape[0] and inside[int(y), int(x)]:
            return float(x), float(y)
    return place


def overlap(one: Truth, other: Truth, known: Truth | None = None) -> float:
    """Intersection over union."""
    both, either = one & other, one | other
    if known is not None:
        both, either = both & known, either & known
    return float(both.sum() / max(either.sum(), 1))


def clicked(engine: Engine, photo: Path, mask: Path, draw: np.random.Generator) -> list[Clicked]:
    """Click at every object of a photo."""
    truths, known = objects(mask)
    read = read_photo(photo)

    def lit(place: tuple[float, float]) -> tuple[Truth, str]:
        scene = engine.analyse(read, Settings(), Aim(point=place))
        wide = cv2.resize(scene.subject.cpu().numpy(), known.shape[::-1])
        return wide > 0.5, scene.subject_from

    found = []
    for i, truth in enumerate(truths):
        others = truths[:i] + truths[i + 1 :]
        for place in places(truth, draw):
            light, found_by = lit(place)
            again, _ = lit(beside(place, truth, draw))
            most = max((overlap(light, other, known) for other in others), default=0.0)
            found.append(
                Clicked(overlap(light, truth, known), most, overlap(light, again), found_by)
            )
    return found


def main() -> None:
    """Print the figures of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("--networks", default="auto")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--only", default="", help="what the names of the photos begin with")
    parser.add_argument("--share", default="0/1", help="I/N: every Nth photo, from the Ith")
    options = parser.parse_args()
    first, step = map(int, options.share.split("/"))
    engine = Engine(options.networks, options.weights, "cpu")
    draw = np.random.default_rng(7)
    counted = with_mask(options.photos, options.masks, options.only)[first::step]
    clicks = [
        click
        for photo in counted
        for click in clicked(engine, photo, options.masks / f"{photo.stem}.png", draw)
    ]
    mine, others, same = np.array([(c.object, c.others, c.beside) for c in clicks]).T
    print(f"{len(counted)} photos, {len(clicks)} clicks, {engine.networks['subject']}")
    print(f"IoU {np.median(mine):.3f} in the median, {mine.mean():.3f} mean")
    print(f"good {(mine >= GOOD).mean():.0%}, lost {(mine < ANOTHER).mean():.0%}")
    print(f"with another under {ANOTHER}: {(others < ANOTHER).mean():.0%}")
    print(f"the click beside: {same.mean():.3f} mean, {(same < GOOD).mean():.0%} under {GOOD}")
    for found_by in sorted({c.found_by for c in clicks}):
        these = np.array([c.object for c in clicks if c.found_by == found_by])
        print(f"  {found_by}: {len(these)}, IoU {np.median(these):.3f}, {these.mean():.3f} mean")


if __name__ == "__main__":
    main()
