"""What the things in a room, and what people wear, are made of: plain matter and bits of photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.scenes.builder import Rng, paint, scaled, seed_of
from training.scenes.photo_texture import Photos, cut, mirrored, printed
from training.scenes.texture import (
    Colour,
    Material,
    Texture,
    bands,
    blend,
    checks,
    fractal,
    plain,
    speckle,
    stretched,
    tinted,
    wood,
)

CREAM: Colour = (0.72, 0.68, 0.6)


def timber(rng: Rng, lightest: float = 1.5) -> Material:
    """Furniture's wood, varnished or not, from dark to light; the grain runs along x."""
    light = scaled((0.42, 0.27, 0.15), float(rng.uniform(0.35, lightest)))
    grain = stretched(speckle(scaled(light, 0.6), scaled(light, 1.15), 0.06, seed_of(rng)), x=9)
    return Material(tinted(grain, 0.7, seed_of(rng), 0.15), gloss=0.04, roughness=0.35)


def lacquer(rng: Rng, colour: Colour, gloss: float = 0.05, roughness: float = 0.3) -> Material:
    """Smooth matter of one colour."""
    albedo = speckle(scaled(colour, 0.95), scaled(colour, 1.05), 0.1, seed_of(rng))
    return Material(albedo, gloss=gloss, roughness=roughness)


@dataclass(frozen=True)
class Looks:
    """Chooses materials; with no photos all of them are plain or drawn.

    photos: (h, w, 3) encoded pictures from which surfaces are cut.
    """

    photos: Photos = ()

    def _photo(self, rng: Rng, share: float) -> bool:
        return bool(rng.random() < share) and len(self.photos) > 0

    def cloth(self, rng: Rng) -> Material:
        """Plain, striped, checked or printed cloth, for clothes, covers and curtains."""
        folds = fractal(float(rng.uniform(0.1, 0.25)), 3, seed_of(rng))
        depth = float(rng.uniform(0.004, 0.02))
        if self._photo(rng, 0.35):
            part = cut(rng, self.photos, (0.1, 0.5))
            size = float(rng.uniform(0.15, 0.8))
            return Material(mirrored(part, size, float(rng.uniform(0, 6.3))), folds, depth)
        colour = paint(rng, float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.06, 0.7)))
        other = paint(rng, float(rng.uniform(0, 0.6)), float(rng.uniform(0.1, 0.75)))
        pattern = rng.random()
        albedo: Texture
        if pattern < 0.6:
            dark, light = scaled(colour, 0.85), scaled(colour, 1.15)
            albedo = speckle(dark, light, 0.02, seed_of(rng), 3, 0.9)
        elif pattern < 0.85:
            axis = ((0, 1, 0), (1, 0, 0), (0.6, 1, 0))[int(rng.integers(3))]
            stripes = bands(axis, float(rng.uniform(0.03, 0.14)), float(rng.uniform(0.2, 0.6)))
            albedo = blend(plain(colour), plain(other), stripes)
        else:
            albedo = checks(colour, scaled(colour, 0.4), float(rng.uniform(0.02, 0.08)))
        return Material(albedo, folds, depth)

    def skin(self, rng: Rng) -> Material:
        """Human skin, from dark to light."""
        return lacquer(rng, scaled((0.52, 0.33, 0.24), float(rng.uniform(0.2, 1.15))), 0.02, 0.5)

    def wall(self, rng: Rng) -> Material:
        """Paint, wallpaper or panels; light more often than not."""
        value = (
            float(rng.uniform(0.35, 0.78)) if rng.random() < 0.85 else float(rng.uniform(0.08, 0.3))
        )
        colour = paint(rng, float(rng.uniform(0.0, 0.35)), value)
        kind = rng.random()
        if kind < 0.6:
            dark, light = scaled(colour, 0.96), scaled(colour, 1.03)
            return Material(
                tinted(speckle(dark, light, 0.4, seed_of(rng)), 2.5, seed_of(rng), 0.06)
            )
        if kind < 0.75:
            stripes = bands((1, 0, 1), float(rng.uniform(0.12, 0.4)), 0.5)
            return Material(blend(plain(colour), plain(scaled(colour, 0.82)), stripes))
        if self._photo(rng, 0.6):
            part = cut(rng, self.photos, (0.3, 0.55))
            paper = mirrored(part, float(rng.uniform(0.3, 0.9)), 0.0)
            return Material(
                blend(plain(colour), paper, lambda points, pixel: np.full_like(pixel, 0.35))
            )
        light = scaled((0.5, 0.36, 0.22), float(rng.uniform(0.4, 1.4)))
        return Material(wood(scaled(light, 0.75), light, 0.14), gloss=0.03, roughness=0.5)

    def floor(self, rng: Rng) -> Material:
        """Boards, tiles or carpet."""
        kind = rng.random()
        if kind < 0.5:
            light = scaled((0.42, 0.27, 0.15), float(rng.uniform(0.4, 1.5)))
            boards = wood(scaled(light, 0.6), light, float(rng.uniform(0.08, 0.2)), (0, 0, 1))
            return Material(tinted(boards, 1.0, seed_of(rng), 0.12), gloss=0.04, roughness=0.35)
        if kind < 0.7:
            tile = scaled(paint(rng, 0.2, 0.6), float(rng.uniform(0.3, 1.1)))
            other = scaled(tile, float(rng.uniform(0.3, 0.9)))
            squares = checks(tile, other, float(rng.uniform(0.2, 0.5)))
            return Material(tinted(squares, 0.8, seed_of(rng), 0.1), gloss=0.04, roughness=0.25)
        return self.carpet(rng)

    def carpet(self, rng: Rng) -> Material:
        """Something soft underfoot in one colour."""
        colour = paint(rng, float(rng.uniform(0.0, 0.6)), float(rng.uniform(0.1, 0.6)))
        return Material(
            speckle(scaled(colour, 0.75), scaled(colour, 1.2), 0.03, seed_of(rng), 3, 0.9),
            fractal(0.02, 2, seed_of(rng)),
            0.002,
        )

    def picture(
        self, rng: Rng, width: float, height: float, right: int = 0, up: int = 1
    ) -> Material:
        """A picture on a face of width × height metres: a photo, or a few bands of colour."""
        if self._photo(rng, 1.0):
            part = cut(rng, self.photos, (0.12, 0.45), 0.7)
            return Material(printed(part, width, height, right, up), gloss=0.02, roughness=0.4)
        a, b = (plain(paint(rng, 0.7, float(rng.uniform(0.1, 0.7)))) for _ in range(2))
        axis = [0.0, 0.0, 0.0]
        axis[up] = 1.0
        stripes = bands((axis[0], axis[1], axis[2]), height / 2, 0.6, 0.3)
        return Material(blend(a, b, stripes), gloss=0.02, roughness=0.4)

    def finish(self, rng: Rng) -> Material:
        """Painted or lacquered furniture, plastic, enamel."""
        if rng.random() < 0.4:
            return lacquer(rng, scaled(CREAM, float(rng.uniform(0.5, 1.15))))
        colour = paint(rng, float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.1, 0.7)))
        return lacquer(rng, colour)
