"""What surfaces look like: procedural albedo, relief and gloss.

A texture is a function of points (3, N) in metres, in the surface's own frame, and of the width in
metres that a pixel covers there (N,); it returns linear albedo (3, N). Detail finer than a pixel
fades to its mean, so that far surfaces do not alias.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.scenes import rays
from training.scenes.geometry import Array, dot

Texture = Callable[[Array, Array], Array]
Pattern = Callable[[Array, Array], Array]
Colour = tuple[float, float, float]

# Value noise on this lattice, repeated.
LATTICE = np.random.default_rng(20).random(64**3, np.float32)


@dataclass(frozen=True)
class Fractal:
    """Sum of noise octaves, the coarsest `scale` metres wide; values about 0..1, mean 0.5."""

    scale: float
    octaves: int = 4
    seed: float = 0.0
    gain: float = 0.55

    def __call__(self, points: Array, pixel: Array) -> Array:
        """Values (N,) at points (3, N)."""
        return np.asarray(
            rays.fractal(points, pixel, LATTICE, self.scale, self.octaves, self.seed, self.gain)
        )


def fractal(scale: float, octaves: int = 4, seed: float = 0.0, gain: float = 0.55) -> Fractal:
    """The pattern of these numbers."""
    return Fractal(float(scale), octaves, float(seed), gain)


def ramp(pattern: Pattern, low: float, high: float) -> Pattern:
    """Stretch a pattern so that low..high becomes 0..1, smoothly and clipped."""

    def stretched(points: Array, pixel: Array) -> Array:
        t = np.clip((pattern(points, pixel) - np.float32(low)) / np.float32(high - low), 0, 1)
        return np.asarray(t * t * (3 - 2 * t), np.float32)

    return stretched


def blend(a: Texture, b: Texture, pattern: Pattern) -> Texture:
    """Texture `a` where the pattern is 0, `b` where it is 1."""

    def blended(points: Array, pixel: Array) -> Array:
        first = a(points, pixel)
        return first + pattern(points, pixel) * (b(points, pixel) - first)

    return blended


def plain(colour: Colour) -> Texture:
    """One albedo everywhere."""
    column = np.array(colour, np.float32)[:, None]
    return lambda points, pixel: np.repeat(column, points.shape[1], axis=1)


def speckle(
    dark: Colour, light: Colour, scale: float, seed: float, octaves: int = 5, gain: float = 0.7
) -> Texture:
    """Rough natural matter: grass, plaster, soil, fur."""
    return blend(plain(dark), plain(light), ramp(fractal(scale, octaves, seed, gain), 0.25, 0.75))


def _square(phase: Array, width: float, blur: Array) -> Array:
    """1 in the given share of each period, 0 elsewhere, with an antialiased edge."""
    distance = np.abs(phase - np.floor(phase) - 0.5)
    blur = np.maximum(blur, np.float32(0.01))
    sharp = np.clip((np.float32(width / 2) - distance) / blur + 0.5, 0, 1)
    fade = np.clip(blur * 2 - 0.5, 0, 1)
    return np.asarray(sharp + fade * (np.float32(width) - sharp), np.float32)


def bands(axis: Colour, period: float, width: float = 0.5, wobble: float = 0.0) -> Pattern:
    """Stripes across the direction `axis`; `wobble` in periods bends them."""
    across = np.array(axis, np.float32) / np.linalg.norm(axis).astype(np.float32)
    bend = fractal(period * 3, 3, 5.0)

    def pattern(points: Array, pixel: Array) -> Array:
        phase = dot(across[:, None], points) / np.float32(period)
        if wobble:
            phase = phase + np.float32(wobble) * (bend(points, pixel) - 0.5)
        return _square(np.asarray(phase, np.float32), width, pixel / np.float32(period))

    return pattern


def checks(a: Colour, b: Colour, size: float) -> Texture:
    """A chequered floor or cloth in the x, z plane and up the walls."""
    patterns = [bands((1, 0, 0), 2 * size), bands((0, 1, 0), 2 * size), bands((0, 0, 1), 2 * size)]

    def odd(points: Array, pixel: Array) -> Array:
        x, y, z = (p(points + np.float32(0.013), pixel) for p in patterns)
        xy = x + y - 2 * x * y
        return np.asarray(xy + z - 2 * xy * z)

    return blend(plain(a), plain(b), odd)


def bricks(brick: Colour, other: Colour, mortar: Colour, length: float, height: float) -> Texture:
    """Masonry in running bond, on walls along x or z, or as paving (height along z) on floors."""
    grain = fractal(0.06, 3, 3.0)

    def texture(points: Array, pixel: Array) -> Array:
        along = points[0] + points[2]
        row = np.floor(points[1] / np.float32(height))
        shifted = along / np.float32(length) + 0.5 * (row % 2)
        joint = 0.09 * height
        inside = _square(shifted, 1 - joint / length, pixel / np.float32(length)) * _square(
            points[1] / np.float32(height), 1 - joint / height, pixel / np.float32(height)
        )
        cell = np.stack([np.floor(shifted), row, np.zeros_like(row)])
        tone = rays.noise(cell * np.float32(1.37) + np.float32(0.5), LATTICE)
        face = plain(brick)(points, pixel)
        face = face + tone * (plain(other)(points, pixel) - face)
        face = face * (0.65 + 0.7 * grain(points, pixel))
        base = plain(mortar)(points, pixel) * (0.8 + 0.4 * grain(points, pixel))
        return np.asarray(base + inside * (face - base))

    return texture


def paving(stone: Colour, other: Colour, gap: Colour, size: float) -> Texture:
    """Slabs laid on the ground: bricks turned into the x, z plane."""
    wall = bricks(stone, other, gap, size * 1.4, size)

    def texture(points: Array, pixel: Array) -> Array:
        return wall(np.stack([points[0], points[2], np.zeros_like(points[0])]), pixel)

    return texture


def wood(dark: Colour, light: Colour, plank: float, axis: Colour = (0, 1, 0)) -> Texture:
    """Planks `plank` metres wide whose grain runs along `axis`, the gaps between them dark."""
    grain_axis = np.array(axis, np.float32) / np.linalg.norm(axis).astype(np.float32)
    across = (1.0, 0.0, 1.0) if axis[1] else (axis[2], 1.0, axis[0])
    gaps = bands(across, plank, 0.94)
    fibres = fractal(0.05, 4, 9.0)

    def texture(points: Array, pixel: Array) -> Array:
        squeezed = np.asarray(
            points - np.float32(0.93) * grain_axis[:, None] * dot(grain_axis[:, None], points),
            np.float32,
        )
        tone = ramp(fibres, 0.2, 0.8)(squeezed, pixel)
        colour = blend(plain(dark), plain(light), lambda p, w: tone)(points, pixel)
        return np.asarray(colour * (0.25 + 0.75 * gaps(points, pixel)))

    return texture


def tinted(texture: Texture, scale: float, seed: float, strength: float = 0.35) -> Texture:
    """The same texture, lighter and darker in large patches: wear, moss, dirt."""
    patches = fractal(scale, 4, seed)

    def texture_in_patches(points: Array, pixel: Array) -> Array:
        tone = 1 + np.float32(2 * strength) * (patches(points, pixel) - 0.5)
        return np.clip(texture(points, pixel) * tone, 0.01, 0.9)

    return texture_in_patches


def stretched(texture: Texture, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> Texture:
    """The same texture drawn out by these factors: the grain of bark or fur."""
    shrink = np.array([[1 / x], [1 / y], [1 / z]], np.float32)
    return lambda points, pixel: texture(points * shrink, pixel)


@dataclass(frozen=True)
class Material:
    """A texture with relief and gloss.

    relief: a height in metres as a pattern times `depth`; gloss: reflectance at normal incidence
    of a clear coat, 0 for a matt surface (0.04 paint, 0.2 and more metal); roughness: GGX alpha;
    glow: radiance that it has of itself by day, a lamp's.
    """

    albedo: Texture
    relief: Pattern | None = None
    depth: float = 0.0
    gloss: float = 0.0
    roughness: float = 0.3
    glow: Colour | None = None
