"""What falls on the surfaces: sun, sky and flash, and how they send it back.

Radiance is in units in which a white diffuse surface under irradiance 1 has radiance 1 (the 1/pi
of Lambert's law is left out throughout). All colours are linear sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.scenes.geometry import Array, dot, unit
from training.scenes.texture import Colour, fractal

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def luminance(colour: Array) -> Array:
    """Luminance (N,) of linear colours (3, N)."""
    return dot(LUMINANCE[:, None], colour)


def kelvin(temperature: float) -> Array:
    """Colour (3, 1) of a black body in a picture balanced for 5500 K; luminance 1.

    A quadratic fit in log(temperature) to the chromaticities of black bodies from 2500 to 10000 K.
    """
    t = np.log(temperature / 5500.0)
    colour = np.array(
        [[np.exp(-0.75 * t + 0.28 * t * t)], [1.0], [np.exp(1.25 * t - 0.62 * t * t)]]
    )
    return np.asarray(colour / (LUMINANCE @ colour), np.float32)


@dataclass(frozen=True)
class Lit:
    """Points that light falls on: all arrays (3, N) or (N,).

    open: the share of the sky that near bodies leave free; lift: metres along the normal from where
    rays to a light start; glow: radiance of lamps by day, None where there is none.
    """

    position: Array
    normal: Array
    to_eye: Array
    albedo: Array
    gloss: Array
    roughness: Array
    open: Array
    lift: Array
    glow: Array | None = None

    @cached_property
    def lifted(self) -> Array:
        """The points (3, N) from where rays to a light start."""
        return np.asarray(self.position + self.normal * self.lift, np.float32)


@dataclass(frozen=True)
class Sky:
    """A dome from `horizon` to `zenith`, `clouds` 0..1 of it covered."""

    zenith: Colour
    horizon: Colour
    clouds: float = 0.0
    cloud: Colour = (0.95, 0.95, 0.96)
    seed: float = 0.0

    def radiance(self, direction: Array) -> Array:
        """Radiance (3, N) seen along unit directions (3, N)."""
        up = np.clip(direction[1], 0.0, 1.0)
        zenith = np.array(self.zenith, np.float32)[:, None]
        horizon = np.array(self.horizon, np.float32)[:, None]
        sky = horizon + (zenith - horizon) * np.sqrt(up)
        if self.clouds:
            place = direction / (up + np.float32(0.12))
            place[1] = 0
            still = np.zeros(up.shape, np.float32)
            shape = fractal(1.6, 6, self.seed, 0.5)(place, still)
            low = 0.72 - 0.45 * self.clouds
            cover = np.clip((shape - low) / 0.2, 0, 1) * np.clip(up * 9, 0, 1)
            inner = fractal(0.5, 4, self.seed + 7, 0.55)(place, still)
            cloud = np.array(self.cloud, np.float32)[:, None] * (0.72 + 0.45 * inner)
            sky = sky + cover**1.3 * (cloud - sky)
        return np.asarray(sky, np.float32)


@dataclass(frozen=True)
class Day:
    """Daylight: the direction to the sun (3, 1) with its colour, or none; the sky; haze in metres.

    `bounce` is the colour that the ground throws up at what faces down.
    """

    sky: Sky
    dome: Colour
    bounce: Colour
    to_sun: Array | None = None
    sun: Colour = (1.0, 0.96, 0.9)
    haze: float = np.inf


@dataclass(frozen=True)
class Flash:
    """A small lamp at `position` (3, 1) aimed along `aim`; gaussian beam of `spread` radians."""

    position: Array
    aim: Array
    spread: float

    def irradiance(self, points: Array) -> tuple[Array, Array, Array]:
        """Irradiance across the beam (N,), direction to the lamp (3, N), distance (N,)."""
        away = np.asarray(self.position - points, np.float32)
        distance = np.sqrt(dot(away, away))
        to_lamp = unit(away)
        angle = np.arccos(np.clip(-dot(to_lamp, unit(self.aim)), -1, 1))
        beam = np.exp(-0.5 * (angle / np.float32(self.spread)) ** 2)
        return np.asarray(beam / distance**2), to_lamp, distance


def lobe(lit: Lit, to_light: Array) -> Array:
    """Share (N,) of the light from a direction (3, N) or (3, 1) that gloss throws to the eye.

    A GGX lobe (Walter et al. 2007) with Kelemen's visibility 1/(4 (l.h)^2).
    """
    out = np.zeros(lit.gloss.size, np.float32)
    shiny = np.flatnonzero((lit.gloss > 0) & (dot(lit.normal, to_light) > 0))
    if shiny.size:
        light = to_light if to_light.shape[1] == 1 else to_light[:, shiny]
        half = unit(lit.to_eye[:, shiny] + light)
        a2 = lit.roughness[shiny] ** 4
        nh = dot(lit.normal[:, shiny], half)
        lh = np.maximum(dot(half, light), 0.05)
        d = a2 / np.maximum(nh * nh * (a2 - 1) + 1, 1e-6) ** 2
        gloss = lit.gloss[shiny]
        fresnel = gloss + (1 - gloss) * (1 - lh) ** 5
        out[shiny] = d * fresnel / (4 * lh * lh)
    return out


def hemisphere(lit: Lit, dome: Colour, bounce: Colour) -> Array:
    """Irradiance (3, N) under an even dome (hemisphere lighting) and light from the ground."""
    up = 0.5 + 0.5 * lit.normal[1]
    above = np.array(dome, np.float32)[:, None]
    below = np.array(bounce, np.float32)[:, None]
    return np.asarray(lit.open * (above * up + below * (1 - up)), np.float32)


def mirrored(lit: Lit, sky: Sky, floor: Colour) -> Array:
    """Radiance (3, N) of sky and floor mirrored in a clear coat (Schlick's Fresnel)."""
    out = np.zeros_like(lit.albedo)
    shiny = np.flatnonzero(lit.gloss > 0)
    if shiny.size:
        n, eye = lit.normal[:, shiny], lit.to_eye[:, shiny]
        cosine = np.clip(dot(n, eye), 0, 1)
        direction = 2 * cosine * n - eye
        gloss = lit.gloss[shiny]
        fresnel = gloss + (1 - gloss) * (1 - cosine) ** 5 * (1 - lit.roughness[shiny]) ** 2
        above = np.clip(direction[1] * 5 + 0.5, 0, 1)
        below = np.array(floor, np.float32)[:, None]
        seen = below + above * (sky.radiance(direction) - below)
        out[:, shiny] = fresnel * (1 - lit.roughness[shiny]) * lit.open[shiny] * seen
    return out


def soft(radiance: Array, knee: float = 0.75) -> Array:
    """Exposed radiance to 0..1: straight up to the knee, then a shoulder that reaches 1 softly."""
    room = np.float32(1 - knee)
    over = np.maximum(radiance - np.float32(knee), 0) / room
    return np.asarray(np.minimum(radiance, knee) + room * np.tanh(over), np.float32)
