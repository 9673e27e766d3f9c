"""Render one geometry twice, by day and at night with a flash; everything about it is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.scenes import film
from training.scenes.composition import Composition, compose
from training.scenes.geometry import Array
from training.scenes.interior import Radiosity
from training.scenes.light import kelvin, luminance, soft
from training.scenes.shade import night_sky, shade, thrown_back
from training.scenes.trace import Bodies

# Constants of the product are chosen on the first and reported on the second, never the reverse.
TUNING_SEEDS = (1, 2, 3, 4, 5, 6, 7, 8)
HELD_OUT_SEEDS = (101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112)

SKY, SURROUNDINGS = 0, 1  # numbers that are no objects in `things`

_STRIP = 700_000  # samples traced at once
_DARK = 1e-3  # weight that black matter has in the mean of the light on a pixel


@dataclass(frozen=True)
class RenderedScene:
    """A scene with its true day, its true night, and all that is true of it.

    Light is linear; "exposed" light is in units in which 1 is white. Shading is the irradiance on
    the surfaces in a pixel, weighted by their albedo, so that (without gloss, haze and sky)

        day   = soft(albedo * day_shading)
        night = soft(flash_gain * albedo * (flash_shading + flash_bounce) + ambient)

    Attributes:
        day, night: (H, W, 3) float32, linear sRGB, 0..1, after exposure and a soft shoulder.
        distance: (H, W) metres from the lens, inf for sky.
        normal: (H, W, 3) unit vectors, x right, y up, z forward; zero for sky.
        albedo: (H, W, 3) linear; zero for sky.
        mask: (H, W) 0..1, coverage of the main object; zero where the scene has none.
        things: (H, W) uint8, the object at the middle sample of a pixel: 0 the sky, 1 what
            surrounds, from 2 on the objects, each a number of its own.
        main: The main object's number in `things`, 0 where there is none.
        day_shading: (H, W, 3) exposed light of the day; zero for sky.
        sun: (H, W) 0..1, share of the pixel that the sun shines on.
        flash_shading: (H, W, 3) light straight from the flash, with its fall-off, beam and shadow,
            before exposure: 1 across the middle of the beam at 1 m.
        flash_bounce: (H, W, 3) light of the flash by way of other surfaces, in the same unit.
        flash_gain: Exposure of the flash's light.
        ambient: (H, W, 3) exposed ambient light of the night.
        box: x, y, width, height of the main object in pixels.
        fov: Horizontal field of view in degrees.
        night_stops: How far the exposed ambient light of the night lies under that of the day.
        beam_stops: The beam at the picture's corner against its middle, negative.
        kelvin: Colour temperature of the ambient light of the night.
    """

    name: str
    seed: int
    day: NDArray[np.float32]
    night: NDArray[np.float32]
    distance: NDArray[np.float32]
    normal: NDArray[np.float32]
    albedo: NDArray[np.float32]
    mask: NDArray[np.float32]
    things: NDArray[np.uint8]
    main: int
    day_shading: NDArray[np.float32]
    sun: NDArray[np.float32]
    flash_shading: NDArray[np.float32]
    flash_bounce: NDArray[np.float32]
    flash_gain: float
    ambient: NDArray[np.float32]
    box: tuple[int, int, int, int]
    fov: float
    night_stops: float
    beam_stops: float
    kelvin: float

    @property
    def inverse_depth(self) -> NDArray[np.float32]:
        """(H, W) 1 / metres, exactly zero for the sky."""
        return np.asarray(1 / self.distance, np.float32)

    @property
    def log_day_shading(self) -> NDArray[np.float32]:
        """(H, W) stops: log2 of the luminance of ``day_shading``, at least -16."""
        return _stops(self.day_shading)

    @property
    def log_flash_shading(self) -> NDArray[np.float32]:
        """(H, W) stops: log2 of the luminance of all the flash's light, at least -16."""
        return _stops(self.flash_shading + self.flash_bounce)

    @property
    def subject_distance(self) -> float:
        """Median distance of the main object in metres, inf where there is none."""
        solid = self.mask > 0.5
        return float(np.median(self.distance[solid])) if solid.any() else np.inf


def _stops(light: Array) -> Array:
    return np.log2(np.maximum(_luminance(light), np.float32(2.0**-16)))


def _luminance(picture: Array) -> Array:
    """Luminance (H, W) of linear colours (H, W, 3)."""
    return luminance(picture.reshape(-1, 3).T).reshape(picture.shape[:2])


@dataclass(frozen=True)
class _Rows:
    """Unexposed light and geometry of some rows of pixels."""

    day: Array
    flash: Array
    ambient: Array
    albedo: Array
    mask: Array
    distance: Array
    normal: Array
    things: NDArray[np.uint8]
    day_shading: Array
    sun: Array
    flash_shading: Array
    flash_bounce: Array


def _render_rows(
    scene: Composition,
    bodies: Bodies,
    room: Radiosity | None,
    width: int,
    height: int,
    rows: range,
) -> _Rows:
    """Trace and shade some rows of the grid of samples and average them to pixels."""
    ss = scene.samples
    shape = (len(rows) // ss, width // ss)
    direction = scene.camera.rays(width, height, rows)
    distance, number = bodies.nearest(scene.camera.position, direction)
    pixel = float(2 * np.tan(np.radians(scene.camera.fov) / 2) / width)
    row, column = np.divmod(np.arange(number.size), width)
    sample = row % ss * ss + column % ss
    seen = shade(scene, bodies, room, direction, distance, number, sample, pixel)
    lit = seen.lit

    def picture(values: Array, sky: Array | None = None) -> Array:
        out: Array = film.averaged(values, seen.place, shape, ss)
        return out if sky is None else out + film.averaged(sky, above, shape, ss)

    above = np.flatnonzero(number < 0)
    heaven = direction[:, above]
    weight = lit.albedo + np.float32(_DARK)
    total = np.maximum(picture(weight), np.float32(1e-12))

    def shading(irradiance: Array) -> Array:
        return np.asarray(picture(weight * irradiance) / total, np.float32)

    middle = film.middle(distance, shape, ss)
    facing = np.zeros((direction.shape[1], 3), np.float32)
    facing[seen.place] = lit.normal.T
    main = bodies.main[number[seen.place]].astype(np.float32)
    return _Rows(
        day=picture(seen.day, scene.day.sky.radiance(heaven)),
        flash=picture(seen.flash),
        ambient=picture(seen.ambient, night_sky(scene, heaven)),
        albedo=picture(lit.albedo),
        mask=picture(main[None])[..., 0],
        distance=distance[middle],
        normal=facing[middle],
        things=bodies.things[number[middle]],
        day_shading=shading(seen.day_irradiance),
        sun=picture(seen.sun[None])[..., 0],
        flash_shading=shading(seen.flash_irradiance),
        flash_bounce=shading(seen.flash_bounce),
    )


def _day_exposure(day: Array) -> float:
    """Gain of a normal daylight photo (N, 3): median luma 0.45 encoded, few per cent clipped."""
    luma = luminance(day.T)
    return float(min(0.175 / np.median(luma), 1.0 / np.percentile(day.max(axis=1), 96)))


def _flash_exposure(flash: Array, albedo: Array, mask: Array, distance: Array) -> float:
    """Gain of the flash's light: that of a photo which shows the main object well exposed.

    Without a main object it is what is nearest. A flash's automatic exposure evens objects out, but
    only in part: black stays darker.
    """
    solid = mask > (0.95 if (mask > 0.95).any() else 0.5)
    if not solid.any():
        solid = distance <= np.percentile(distance, 25)
    own = float(np.median(_luminance(albedo)[solid]))
    aim = float(np.clip(0.2 * (own / 0.25) ** 0.35, 0.13, 0.27))
    return aim / max(float(np.median(_luminance(flash)[solid])), 1e-6)


def _rows(scene: Composition, width: int, height: int) -> Callable[[str], Array]:
    """All rows rendered; gives each part of them by its name."""
    ss = scene.samples
    step = max(1, _STRIP // (width * ss * ss)) * ss
    bodies = Bodies(scene.surfaces)
    room = thrown_back(scene, bodies)
    strips = [
        _render_rows(
            scene, bodies, room, width * ss, height * ss, range(y, min(y + step, height * ss))
        )
        for y in range(0, height * ss, step)
    ]
    parts = {f.name: [getattr(s, f.name) for s in strips] for f in fields(_Rows)}
    return lambda name: np.concatenate(parts[name])


def render(
    scene: Composition, width: int, height: int, noise: float = 0.0, seed: int = 0
) -> RenderedScene:
    """Render a composition.

    Args:
        scene: What to render.
        width, height: Pixels.
        noise: Variance of the night picture per unit of light (photon noise), 0 for none.
        seed: Of the noise; is kept in the result.

    Raises:
        ValueError: The scene has a main object and it is out of the picture.
    """
    part = _rows(scene, width, height)
    day, flash, albedo, mask = part("day"), part("flash"), part("albedo"), part("mask")
    has_main = any(s.main for s in scene.surfaces)
    ys, xs = np.nonzero(mask > 0.5)
    if has_main and not ys.size:
        raise ValueError(f"the main object of {scene.name} is out of the picture")
    distance = part("distance")
    # In a room one does not expose for what is seen through the window.
    metered = distance <= (np.inf if scene.interior is None else scene.interior.across)
    gain = np.float32(_day_exposure(day[metered]))
    tint = kelvin(scene.kelvin)[:, 0]
    ambient = part("ambient") * np.float32(gain * 2.0**-scene.night_stops) * tint
    power = _flash_exposure(flash, albedo, mask, distance)
    night = flash * np.float32(power) + ambient
    if noise:
        spread = np.sqrt(np.maximum(night, 0) * noise).astype(np.float32)
        random = np.random.default_rng(seed).standard_normal(night.shape, np.float32)
        night = np.maximum(night + spread * random, 0)
    things = part("things").astype(np.uint8)
    x, y = (int(v.min()) if v.size else 0 for v in (xs, ys))
    return RenderedScene(
        name=scene.name,
        seed=seed,
        day=soft(day * gain),
        night=soft(night),
        distance=distance,
        normal=part("normal"),
        albedo=albedo,
        mask=mask,
        things=things,
        main=int(np.bincount(things[ys, xs]).argmax()) if ys.size else 0,
        day_shading=part("day_shading") * gain,
        sun=part("sun"),
        flash_shading=part("flash_shading"),
        flash_bounce=part("flash_bounce"),
        flash_gain=power,
        ambient=ambient,
        box=(x, y, int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1) if ys.size else (0, 0, 0, 0),
        fov=scene.camera.fov,
        night_stops=scene.night_stops,
        beam_stops=scene.beam_stops,
        kelvin=scene.kelvin,
    )


def main_share(scene: Composition, width: int, height: int) -> float:
    """Share of the picture that shows the main object, by one ray per pixel."""
    bodies = Bodies(scene.surfaces)
    direction = scene.camera.rays(width, height, range(height))
    _, number = bodies.nearest(scene.camera.position, direction)
    return float(bodies.main[number].mean())


@lru_cache(maxsize=64)
def render_scene(seed: int, width: int = 480, height: int = 320) -> RenderedScene:
    """The scene of a seed, at any size; the same seed gives the same scene."""
    return render(compose(seed, width / height), width, height, seed=seed)


def relative_inverse_depth(scene: RenderedScene, rng: np.random.Generator) -> NDArray[np.float32]:
    """What a MiDaS-like network would say: s / distance + t with random s > 0 and t; sky is t."""
    scale, shift = rng.uniform(0.5, 2000.0), rng.uniform(-100.0, 500.0)
    return (scale / scene.distance + shift).astype(np.float32)
