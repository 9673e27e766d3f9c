"""The bundled example picture: a red telephone box by a garden path on a fine day.

python -m training.scenes.example OUT.jpg [WIDTH HEIGHT]
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.scenes import plants, scenery
from training.scenes.beings import fox
from training.scenes.builder import Builder
from training.scenes.composition import Composition
from training.scenes.geometry import Array, unit, vector
from training.scenes.light import Day, Flash, Sky
from training.scenes.objects import potted_plant, telephone_box
from training.scenes.render import RenderedScene, render
from training.scenes.terrain import Ground
from training.scenes.texture import Material, blend, bricks, fractal, paving, tinted
from training.scenes.trace import Camera, Surface

_BOX = (-0.35, 6.2)  # where the telephone box stands: x, z in metres


def _path(points: Array, pixel: Array) -> Array:
    """1 on the path that winds from the camera past the box to the house."""
    middle = 0.95 + 0.12 * points[2] * np.sin(points[2] * 0.22)
    rough = 0.25 * (fractal(0.5, 4, 11)(points, pixel) - 0.5)
    edge = (0.72 + rough - np.abs(points[0] - middle)) / 0.05
    return np.asarray(np.clip(edge + 0.5, 0, 1), np.float32)


def _off_the_path(blades: list[Surface]) -> list[Surface]:
    centres = np.concatenate([b.solid.centre for b in blades], axis=1)
    on = _path(centres, np.zeros(centres.shape[1], np.float32)) > 0.3
    return [b for b, walked in zip(blades, on, strict=True) if not walked]


def example() -> Composition:
    """The composition of the example picture."""
    rng = np.random.default_rng(4)
    lawn = plants.grass(rng)
    stones = tinted(
        paving((0.25, 0.22, 0.18), (0.44, 0.4, 0.33), (0.1, 0.09, 0.06), 0.34), 1.2, 8, 0.3
    )
    floor = Material(blend(lawn.albedo, stones, _path), fractal(0.05, 4, 6, 0.7), 0.007)
    surfaces = [Surface(Ground(), floor), *scenery.ridges(rng, 75)]
    walls = Material(
        tinted(
            bricks((0.42, 0.2, 0.12), (0.5, 0.34, 0.22), (0.42, 0.39, 0.34), 0.24, 0.085),
            1.6,
            3,
            0.25,
        ),
        fractal(0.03, 3, 4),
        0.002,
    )
    surfaces += scenery.house(np.random.default_rng(3), 5.6, 19.5, -0.35, walls)
    for x, z, height in (
        (-7.4, 15.5, 7.5),
        (-11.5, 24.0, 9.0),
        (0.6, 31.0, 8.5),
        (14.5, 27.0, 9.5),
    ):
        surfaces += plants.tree(rng, x, z, height, leafy=260)
    surfaces += plants.tree(rng, -4.4, 22.0, 7.0, conifer=True, leafy=200)
    for x, z, size in (
        (-2.6, 9.5, 0.95),
        (-3.9, 9.9, 1.15),
        (2.9, 15.6, 0.9),
        (8.6, 15.4, 1.1),
        (-5.4, 10.4, 1.0),
    ):
        surfaces += plants.bush(rng, x, z, size, leafy=240)
    surfaces += scenery.fence(rng, 11.2, 3.0, 7.4)
    kiosk = Builder(vector(_BOX[0], -0.01, _BOX[1]), 0.42, main=True)
    telephone_box(kiosk, np.random.default_rng(2))
    animal = Builder(vector(1.62, -0.01, 5.0), 0.3)
    fox(animal, np.random.default_rng(11))
    pot = Builder(vector(-1.5, 0, 5.75), 0.4)
    potted_plant(pot, np.random.default_rng(5))
    surfaces += kiosk.surfaces + animal.surfaces + pot.surfaces
    for count, near, far, height in ((9000, 1.6, 8.0, 0.1), (900, 1.6, 9.0, 0.17)):
        surfaces += _off_the_path(plants.blades(rng, count, near, far, 0.66, height))
    camera = Camera(1.35, -0.03, 56)
    sky = Sky((0.05, 0.17, 0.56), (0.46, 0.66, 0.93), 0.45, (1.0, 1.0, 1.0), 21.0)
    to_sun = unit(vector(-0.62, 0.72, -0.55))
    day = Day(sky, (0.24, 0.3, 0.4), (0.14, 0.14, 0.08), to_sun, (1.06, 0.97, 0.83), 900)
    lamp = camera.position + vector(0.05, 0.1, 0)
    aim = unit(vector(_BOX[0], 1.15, _BOX[1]) - lamp)
    return Composition(
        "example", tuple(surfaces), camera, day, Flash(lamp, aim, 0.42), 6.0, -1.5, 3200, 3
    )


def render_example(width: int = 1536, height: int = 1024, samples: int = 3) -> RenderedScene:
    """The example by day and at night, with `samples`² rays per pixel."""
    return render(replace(example(), samples=samples), width, height)


def encoded(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Linear sRGB 0..1 to 8-bit encoded sRGB (IEC 61966-2-1)."""
    curve = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )
    return (curve * 255 + 0.5).astype(np.uint8)


def main(arguments: list[str]) -> None:
    """Write the day picture to OUT.jpg as sRGB, quality 90."""
    size = (int(arguments[1]), int(arguments[2])) if len(arguments) > 2 else (1536, 1024)
    scene = render_example(*size)
    Image.fromarray(encoded(scene.day)).save(Path(arguments[0]), quality=90)


if __name__ == "__main__":
    main(sys.argv[1:])
