"""What is seen at every sample: the surface that a ray meets and the light on it, in its parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.scenes.composition import Composition
from training.scenes.geometry import Array, cross, dot, unit, vector
from training.scenes.light import Lit, hemisphere, lobe, luminance, mirrored
from training.scenes.texture import Material
from training.scenes.trace import Bodies, Indices, Numbers


@dataclass(frozen=True)
class Shaded:
    """Samples that met a surface, (3, N) or (N,).

    place: their numbers in the grid of samples. Radiance by day, of the flash and of the ambient
    light of the night, before exposure, with gloss and haze; irradiance by day, straight from the
    flash and from the flash by way of other surfaces; sun: 1 where the sun reaches the surface.
    """

    place: Numbers
    lit: Lit
    day: Array
    flash: Array
    ambient: Array
    day_irradiance: Array
    flash_irradiance: Array
    flash_bounce: Array
    sun: Array


def _relief(
    bodies: Bodies, material: Material, number: Indices, local: Array, normal: Array, width: Array
) -> Array:
    """Tilt normals by the slope of the material's relief."""
    assert material.relief is not None
    step = np.asarray(np.maximum(width, np.float32(0.004)), np.float32)
    height = material.relief(local, width)
    level = np.where(np.abs(normal[1]) < 0.9, vector(0, 1, 0), vector(1, 0, 0))
    side = unit(cross(level, normal))
    slope = np.zeros_like(normal)
    for tangent in (side, cross(normal, side)):
        ahead = material.relief(local + step * bodies.turned(number, tangent), width)
        slope += tangent * ((ahead - height) / step)
    return unit(np.asarray(normal - np.float32(material.depth) * slope, np.float32))


def surfaces_at(
    bodies: Bodies, number: Indices, origin: Array, rays: Array, away: Array, pixel: float
) -> Lit:
    """What lies `away` metres (N,) from the origin (3, 1) along rays (3, N).

    number: that of the surface there (N,), sorted by material. pixel: width of a sample as a share
    of the distance.
    """
    points = np.asarray(origin + rays * away, np.float32)
    normal = bodies.normals(number, points)
    normal *= np.where(dot(normal, rays) > 0, np.float32(-1), np.float32(1))
    slant = np.maximum(-dot(normal, rays), np.float32(0.05))
    width = np.asarray(away * np.float32(pixel) / np.sqrt(slant), np.float32)
    local = bodies.local(number, points)
    albedo = np.empty_like(points)
    gloss, roughness = np.empty((2, number.size), np.float32)
    for material, here in bodies.by_material(number):
        albedo[:, here] = material.albedo(local[:, here], width[here])
        gloss[here], roughness[here] = material.gloss, material.roughness
        if material.relief is not None:
            tilted = _relief(
                bodies, material, number[here], local[:, here], normal[:, here], width[here]
            )
            slack = np.minimum(-dot(tilted, rays[:, here]), np.float32(0.02))
            turned = tilted - rays[:, here] * (np.float32(0.02) - slack)
            normal[:, here] = unit(np.asarray(turned, np.float32))
    free = bodies.openness(points, normal)
    lift = np.float32(2e-3) + away * np.float32(1e-4)
    return Lit(points, normal, -rays, albedo, gloss, roughness, free, lift)


def reached(bodies: Bodies, lit: Lit, to_light: Array, reach: Array | float) -> Array:
    """1 (N,) where a light shines on the surface, 0 where it faces away or is in shadow."""
    facing = dot(lit.normal, to_light) > 0
    limit = np.where(facing, np.float32(reach), np.float32(-1))
    lifted = np.asarray(lit.position + lit.normal * lit.lift, np.float32)
    return np.asarray(facing & ~bodies.shadowed(lifted, to_light, limit), np.float32)


def shade(
    scene: Composition,
    bodies: Bodies,
    direction: Array,
    distance: Array,
    number: Indices,
    pixel: float,
) -> Shaded:
    """Light on what rays along directions (3, N) met at distances (N,), where they met anything.

    pixel: width of a sample as a share of the distance.
    """
    hit = np.flatnonzero(number >= 0)
    hit = hit[bodies.sorted_by_material(number[hit])]
    rays, away = direction[:, hit], distance[hit]
    lit = surfaces_at(bodies, number[hit], scene.camera.position, rays, away, pixel)
    day = scene.day
    sun = np.zeros(hit.size, np.float32)
    ambient = hemisphere(lit, day.dome, day.bounce)
    irradiance, seen = ambient, mirrored(lit, day.sky, day.bounce)
    if day.to_sun is not None:
        sun = reached(bodies, lit, day.to_sun, np.inf)
        sunlight = np.array(day.sun, np.float32)[:, None] * (dot(lit.normal, day.to_sun) * sun)
        irradiance = irradiance + sunlight
        seen += lobe(lit, day.to_sun) * sunlight
    seen += lit.albedo * irradiance
    if np.isfinite(day.haze):
        veil = 1 - np.exp(-away / np.float32(day.haze))
        seen += veil * (np.array(day.sky.horizon, np.float32)[:, None] - seen)

    strength, to_lamp, reach = scene.flash.irradiance(lit.position)
    flash = strength * np.maximum(dot(lit.normal, to_lamp), 0)
    flash = flash * reached(bodies, lit, to_lamp, reach)
    return Shaded(
        place=hit,
        lit=lit,
        day=seen,
        flash=(lit.albedo + lobe(lit, to_lamp)) * flash,
        ambient=lit.albedo * ambient,
        day_irradiance=irradiance,
        flash_irradiance=np.repeat(flash[None], 3, axis=0),
        flash_bounce=np.zeros_like(irradiance),
        sun=sun,
    )


def night_sky(scene: Composition, direction: Array) -> Array:
    """Radiance (3, N) of the ambient light of the night where rays along (3, N) meet nothing."""
    level = np.float32(luminance(np.array(scene.day.dome, np.float32)[:, None])[0])
    grey = level * (0.55 - 0.3 * np.clip(direction[1], 0, 1))
    return np.repeat(np.asarray(grey, np.float32)[None], 3, axis=0)
