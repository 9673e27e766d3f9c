"""Render one geometry twice, by day and at night with a flash; everything about it is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.scenes.composition import Composition, compose
from training.scenes.geometry import Array, dot, unit, vector
from training.scenes.light import (
    Lit,
    from_dome,
    kelvin,
    luminance,
    mirrored,
    reflected,
    soft,
)
from training.scenes.trace import Surface, nearest_surfaces, openness, shadowed

# Constants of the product are chosen on the first and reported on the second, never the reverse.
TUNING_SEEDS = (1, 2, 3, 4, 5, 6, 7, 8)
HELD_OUT_SEEDS = (101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112)

_STRIP = 700_000  # samples traced at once


@dataclass(frozen=True)
class RenderedScene:
    """A scene with its true day and its true night.

    day, night: (H, W, 3) float32, linear sRGB, 0..1, after exposure and a soft shoulder.
    distance: (H, W) metres from the lens, inf for sky. normal: (H, W, 3) unit vectors, x right,
    y up, z forward; zero for sky. mask: (H, W) 0..1, coverage of the main object. albedo:
    (H, W, 3) linear; zero for sky. box: x, y, width, height of the main object in pixels. fov:
    horizontal field of view in degrees. night_stops: how far the exposed ambient light of the
    night lies under that of the day; beam_stops: the beam at the picture's corner against its
    middle, negative; kelvin: colour temperature of the ambient light of the night.
    """

    name: str
    seed: int
    day: NDArray[np.float32]
    night: NDArray[np.float32]
    distance: NDArray[np.float32]
    normal: NDArray[np.float32]
    mask: NDArray[np.float32]
    albedo: NDArray[np.float32]
    box: tuple[int, int, int, int]
    fov: float
    night_stops: float
    beam_stops: float
    kelvin: float


@dataclass(frozen=True)
class _Radiance:
    """Unexposed radiance and geometry of some rows, averaged from samples to pixels."""

    day: Array
    flash: Array
    ambient: Array
    albedo: Array
    mask: Array
    distance: Array
    normal: Array


def _relief(surface: Surface, points: Array, normal: Array, width: Array) -> Array:
    """Tilt normals by the slope of the material's relief."""
    material, frame = surface.material, surface.frame
    assert material.relief is not None
    step = np.maximum(width, np.float32(0.004))
    local = frame.local(points)
    height = material.relief(local, width)
    level = np.where(np.abs(normal[1]) < 0.9, vector(0, 1, 0), vector(1, 0, 0))
    side = unit(np.cross(level.T, normal.T).T)
    other = np.cross(normal.T, side.T).T
    slope = np.zeros_like(normal)
    for tangent in (side, other):
        ahead = material.relief(local + step * (frame.turn.T @ tangent), width)
        slope += tangent * ((ahead - height) / step)
    return unit(np.asarray(normal - np.float32(material.depth) * slope, np.float32))


def _shade_surface(
    surface: Surface, points: Array, rays: Array, pixel: Array
) -> tuple[Array, Array]:
    """Normal and albedo of one surface at points (3, N) seen along rays (3, N)."""
    normal = surface.shape.normal(points)
    normal = np.where(dot(normal, rays) > 0, -normal, normal)
    slant = np.maximum(-dot(normal, rays), 0.05)
    width = np.asarray(pixel / np.sqrt(slant), np.float32)
    albedo = surface.material.albedo(surface.frame.local(points), width)
    if surface.material.relief is not None:
        normal = _relief(surface, points, normal, width)
        away = np.minimum(-dot(normal, rays), 0.02)
        normal = unit(normal - rays * np.maximum(0.02 - away, 0) * (away < 0.02))
    return normal, albedo


def _render_rows(
    scene: Composition, width: int, height: int, rows: range, flash: bool = True
) -> _Radiance:
    surfaces, camera, day = scene.surfaces, scene.camera, scene.day
    direction, distance, number = nearest_surfaces(surfaces, camera, width, height, rows)
    count = number.size
    hit = np.flatnonzero(number >= 0)
    hit = hit[np.argsort(number[hit], kind="stable")]
    rays = direction[:, hit]
    position = np.asarray(camera.position + rays * distance[hit], np.float32)
    pixel = distance[hit] * np.float32(2 * np.tan(np.radians(camera.fov) / 2) / width)
    normal = np.empty((3, hit.size), np.float32)
    albedo = np.empty((3, hit.size), np.float32)
    gloss = np.empty(hit.size, np.float32)
    roughness = np.empty(hit.size, np.float32)
    numbers, starts = np.unique(number[hit], return_index=True)
    stops = np.append(starts[1:], hit.size)[: numbers.size]
    for k, start, stop in zip(numbers, starts, stops, strict=True):
        here = slice(int(start), int(stop))
        surface = surfaces[k]
        normal[:, here], albedo[:, here] = _shade_surface(
            surface, position[:, here], rays[:, here], pixel[here]
        )
        gloss[here], roughness[here] = surface.material.gloss, surface.material.roughness
    flat = position + normal * (np.float32(2e-3) + distance[hit] * np.float32(1e-4))
    lit = Lit(
        position, normal, -rays, albedo, gloss, roughness, openness(surfaces, position, normal)
    )

    by_day = from_dome(lit, day.dome, day.bounce) + mirrored(lit, day.sky, day.bounce)
    if day.to_sun is not None:
        sunny = np.flatnonzero(dot(normal, day.to_sun) > 0)
        dark = shadowed(surfaces, flat[:, sunny], day.to_sun, np.inf)
        share = np.zeros(hit.size, np.float32)
        share[sunny[~dark]] = 1
        sun = np.array(day.sun, np.float32)[:, None] * share
        by_day += reflected(lit, day.to_sun, sun)
    if np.isfinite(day.haze):
        veil = 1 - np.exp(-distance[hit] / np.float32(day.haze))
        by_day += veil * (np.array(day.sky.horizon, np.float32)[:, None] - by_day)

    by_flash = np.zeros_like(by_day)
    if flash:
        irradiance, to_lamp, reach = scene.flash.irradiance(position)
        facing = np.flatnonzero((dot(normal, to_lamp) > 0) & (reach < 60))
        dark = shadowed(
            surfaces, flat[:, facing], to_lamp[:, facing], reach[facing], scene.flash.position
        )
        share = np.zeros(hit.size, np.float32)
        share[facing[~dark]] = 1
        by_flash = reflected(lit, to_lamp, irradiance * share)
    by_night = from_dome(lit, day.dome, day.bounce)

    def picture(values: Array, sky: Array | None = None) -> Array:
        out = np.zeros((3, count), np.float32)
        out[:, hit] = values
        if sky is not None:
            out[:, number < 0] = sky
        ss = scene.samples
        grid = out.reshape(3, len(rows) // ss, ss, width // ss, ss)
        return np.asarray(grid.mean(axis=(2, 4)).transpose(1, 2, 0), np.float32)

    heaven = direction[:, number < 0]
    sky = day.sky.radiance(heaven)
    level = np.float32(luminance(np.array(day.dome, np.float32)[:, None])[0])
    night_sky = level * (0.55 - 0.3 * np.clip(heaven[1], 0, 1)) * np.ones((3, 1), np.float32)

    def blocks(values: Array) -> Array:
        """Samples of each pixel along the last axis: (rows, columns, samples²)."""
        ss = scene.samples
        grid = values.reshape(len(rows) // ss, ss, width // ss, ss)
        return grid.transpose(0, 2, 1, 3).reshape(len(rows) // ss, width // ss, ss * ss)

    depth = blocks(distance)
    middle = np.argsort(depth, axis=2)[:, :, (depth.shape[2] - 1) // 2, None]
    facing_all = np.zeros((3, count), np.float32)
    facing_all[:, hit] = normal
    is_main = np.array([s.main for s in surfaces] + [False])
    return _Radiance(
        day=picture(by_day, sky),
        flash=picture(by_flash),
        ambient=picture(by_night, night_sky),
        albedo=picture(albedo),
        mask=blocks(is_main[number].astype(np.float32)).mean(axis=2),
        distance=np.take_along_axis(depth, middle, axis=2)[:, :, 0],
        normal=np.stack(
            [np.take_along_axis(blocks(n), middle, axis=2)[:, :, 0] for n in facing_all], axis=-1
        ),
    )


def _day_exposure(day: Array) -> float:
    """Gain of a normal daylight photo: median luma 0.45 encoded, few per cent clipped."""
    luma = luminance(day.reshape(-1, 3).T)
    return float(min(0.175 / np.median(luma), 1.0 / np.percentile(day.max(axis=2), 96)))


@dataclass(frozen=True)
class RenderedDay:
    """A scene by day alone: what a network of depth and main objects learns from.

    day: (H, W, 3) float32, linear sRGB, 0..1. distance: (H, W) metres, inf for sky. mask: (H, W)
    0..1, coverage of the main object, zero everywhere where the scene has none.
    """

    day: NDArray[np.float32]
    distance: NDArray[np.float32]
    mask: NDArray[np.float32]


def render_day(scene: Composition, width: int, height: int) -> RenderedDay:
    """Render a composition by day, with or without a main object in it."""
    parts = [
        _render_rows(scene, width * scene.samples, height * scene.samples, rows, flash=False)
        for rows in _strips(scene, width, height)
    ]
    day = np.concatenate([p.day for p in parts])
    return RenderedDay(
        day=soft((day * np.float32(_day_exposure(day))).astype(np.float32)),
        distance=np.concatenate([p.distance for p in parts]).astype(np.float32),
        mask=np.concatenate([p.mask for p in parts]).astype(np.float32),
    )


def _strips(scene: Composition, width: int, height: int) -> list[range]:
    """Rows of samples that are traced at once."""
    ss = scene.samples
    step = max(1, _STRIP // (width * ss * ss)) * ss
    return [range(y, min(y + step, height * ss)) for y in range(0, height * ss, step)]


def render(
    scene: Composition, width: int, height: int, noise: float = 0.0, seed: int = 0
) -> RenderedScene:
    """Render a composition.

    noise: variance of the night picture per unit of light (photon noise), 0 for none.
    """
    ss = scene.samples
    strips = [
        _render_rows(scene, width * ss, height * ss, rows) for rows in _strips(scene, width, height)
    ]

    def join(name: str) -> Array:
        return np.concatenate([getattr(s, name) for s in strips]).astype(np.float32)

    day, flash, ambient, albedo = (join(n) for n in ("day", "flash", "ambient", "albedo"))
    mask = join("mask")
    solid = mask > 0.95
    if not solid.any():
        raise ValueError(f"the main object of {scene.name} is out of the picture")
    gain = _day_exposure(day)
    tint = kelvin(scene.kelvin)[:, 0]
    ambient = ambient * np.float32(gain * 2.0**-scene.night_stops) * tint
    # A flash's automatic exposure evens objects out, but only in part: black stays darker.
    own = float(np.median(luminance(albedo[solid].T)))
    aim = float(np.clip(0.2 * (own / 0.25) ** 0.35, 0.13, 0.27))
    power = aim / max(float(np.median(luminance(flash[solid].T))), 1e-9)
    night = flash * np.float32(power) + ambient
    if noise:
        spread = np.sqrt(np.maximum(night, 0) * noise).astype(np.float32)
        random = np.random.default_rng(seed).standard_normal(night.shape, np.float32)
        night = np.maximum(night + spread * random, 0)
    ys, xs = np.nonzero(mask > 0.5)
    return RenderedScene(
        name=scene.name,
        seed=seed,
        day=soft(day * np.float32(gain)),
        night=soft(night),
        distance=join("distance"),
        normal=join("normal"),
        mask=mask,
        albedo=albedo,
        box=(int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1),
        fov=scene.camera.fov,
        night_stops=scene.night_stops,
        beam_stops=scene.beam_stops,
        kelvin=scene.kelvin,
    )


@lru_cache(maxsize=64)
def render_scene(seed: int, width: int = 480, height: int = 320) -> RenderedScene:
    """The scene of a seed, at any size; the same seed gives the same scene."""
    return render(compose(seed, width / height), width, height, seed=seed)


def relative_inverse_depth(scene: RenderedScene, rng: np.random.Generator) -> NDArray[np.float32]:
    """What a MiDaS-like network would say: s / distance + t with random s > 0 and t; sky is t."""
    scale, shift = rng.uniform(0.5, 2000.0), rng.uniform(-100.0, 500.0)
    return (scale / scene.distance + shift).astype(np.float32)
