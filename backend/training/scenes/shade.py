"""What is seen at every sample: the surface that a ray meets and the light on it, in its parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.scenes.composition import Composition
from training.scenes.geometry import Array, cross, dot, unit, vector
from training.scenes.interior import PATCHES, Radiosity, directions, flash_light, solved
from training.scenes.light import Day, Lit, Sky, hemisphere, lobe, luminance, mirrored
from training.scenes.texture import Material
from training.scenes.trace import Bodies, Indices, Numbers

_COARSE = 0.15  # width of a patch of a room, of whose colour the mean counts, per metre away


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
    glow = None
    for material, here in bodies.by_material(number):
        albedo[:, here] = material.albedo(local[:, here], width[here])
        gloss[here], roughness[here] = material.gloss, material.roughness
        if material.glow is not None:
            glow = np.zeros_like(points) if glow is None else glow
            glow[:, here] = np.array(material.glow, np.float32)[:, None]
        if material.relief is not None:
            tilted = _relief(
                bodies, material, number[here], local[:, here], normal[:, here], width[here]
            )
            slack = np.minimum(-dot(tilted, rays[:, here]), np.float32(0.02))
            turned = tilted - rays[:, here] * (np.float32(0.02) - slack)
            normal[:, here] = unit(np.asarray(turned, np.float32))
    free = bodies.openness(points, normal)
    lift = np.float32(2e-3) + away * np.float32(1e-4)
    return Lit(points, normal, -rays, albedo, gloss, roughness, free, lift, glow)


def _sunshine(bodies: Bodies, lit: Lit, to_sun: Array) -> Array:
    """1 (N,) where the sun shines on the surface, 0 where it faces away or is in shadow."""
    facing = dot(lit.normal, to_sun) > 0
    limit = np.where(facing, np.float32(np.inf), np.float32(-1))
    return np.asarray(facing & ~bodies.shadowed(lit.lifted, to_sun, limit), np.float32)


def _sunlight(day: Day, lit: Lit, sun: Array) -> Array:
    """Irradiance (3, N) by the sun, which shines on the share `sun` (N,)."""
    if day.to_sun is None:
        return np.zeros_like(lit.position)
    return np.array(day.sun, np.float32)[:, None] * (dot(lit.normal, day.to_sun) * sun)


def shade(
    scene: Composition,
    bodies: Bodies,
    room: Radiosity | None,
    direction: Array,
    distance: Array,
    number: Indices,
    sample: Numbers,
    pixel: float,
) -> Shaded:
    """Light on what rays along directions (3, N) met at distances (N,), where they met anything.

    room: what the room's surfaces throw back, where the scene is in one. sample: number (N,)
    of each ray among those of its pixel; pixel: width of a sample as a share of the distance.
    """
    hit = np.flatnonzero(number >= 0)
    hit = hit[bodies.sorted_by_material(number[hit])]
    rays, away = direction[:, hit], distance[hit]
    lit = surfaces_at(bodies, number[hit], scene.camera.position, rays, away, pixel)
    day = scene.day
    ambient = hemisphere(lit, day.dome, day.bounce)
    irradiance, seen = ambient, mirrored(lit, day.sky, day.bounce)
    bounce = np.zeros_like(ambient)
    if room is not None and scene.interior is not None:
        inside = scene.interior.within(lit.position)
        by_night, by_day, bounce = room.at(lit)
        by_window = scene.interior.sky_light(bodies, lit, sample[hit])
        by_day += by_window + scene.interior.lamp_light(bodies, lit)
        ambient = np.where(inside, by_window + by_night, ambient)
        irradiance = np.where(inside, by_day, irradiance)
        around = mirrored(lit, Sky(room.by_day, room.by_day), room.by_day)
        seen = np.where(inside, around, seen)
        bounce *= inside
    sun = np.zeros(hit.size, np.float32)
    if day.to_sun is not None:
        sun = _sunshine(bodies, lit, day.to_sun)
        sunlight = _sunlight(day, lit, sun)
        irradiance = irradiance + sunlight
        seen += lobe(lit, day.to_sun) * sunlight
    seen += lit.albedo * irradiance
    if lit.glow is not None:
        seen += lit.glow
    if np.isfinite(day.haze):
        veil = 1 - np.exp(-away / np.float32(day.haze))
        seen += veil * (np.array(day.sky.horizon, np.float32)[:, None] - seen)

    flash = flash_light(scene.flash, bodies, lit)
    to_lamp = unit(scene.flash.position - lit.position)
    return Shaded(
        place=hit,
        lit=lit,
        day=seen,
        flash=(lit.albedo + lobe(lit, to_lamp)) * flash + lit.albedo * bounce,
        ambient=lit.albedo * ambient,
        day_irradiance=irradiance,
        flash_irradiance=np.repeat(flash[None], 3, axis=0),
        flash_bounce=bounce,
        sun=sun,
    )


def thrown_back(scene: Composition, bodies: Bodies) -> Radiosity | None:
    """What the surfaces of the scene's room throw back, None outdoors."""
    interior = scene.interior
    if interior is None:
        return None
    rays = directions(PATCHES)
    away, number = bodies.nearest(interior.middle, rays)
    order = bodies.sorted_by_material(number)
    rays, away, number = rays[:, order], away[order], number[order]
    inside = interior.within(interior.middle + rays * np.minimum(away, 1e3))
    edge = np.minimum(away, np.float32(max(interior.size)))
    solid = np.flatnonzero(number >= 0)
    lit = Lit(
        position=interior.middle + rays * edge,
        normal=-rays,
        to_eye=-rays,
        albedo=np.zeros_like(rays),
        gloss=np.zeros_like(away),
        roughness=np.ones_like(away),
        open=np.ones_like(away),
        lift=np.full_like(away, 1e-2),
    )
    found = surfaces_at(
        bodies, number[solid], interior.middle, rays[:, solid], away[solid], _COARSE
    )
    lit.normal[:, solid] = found.normal
    lit.albedo[:, solid] = found.albedo * inside[solid]
    by_window = interior.sky_light(bodies, lit, np.arange(away.size))
    by_day = by_window + interior.lamp_light(bodies, lit)
    if scene.day.to_sun is not None:
        sun = _sunshine(bodies, lit, scene.day.to_sun)
        by_day += _sunlight(scene.day, lit, sun)
    flash = np.repeat(flash_light(scene.flash, bodies, lit)[None], 3, axis=0)
    return solved(lit, interior.middle, np.concatenate([by_window, by_day, flash]))


def night_sky(scene: Composition, direction: Array) -> Array:
    """Radiance (3, N) of the ambient light of the night where rays along (3, N) meet nothing."""
    level = np.float32(luminance(np.array(scene.day.dome, np.float32)[:, None])[0])
    grey = level * (0.55 - 0.3 * np.clip(direction[1], 0, 1))
    return np.repeat(np.asarray(grey, np.float32)[None], 3, axis=0)
