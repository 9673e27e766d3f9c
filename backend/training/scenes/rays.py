"""Compiled: rays against many shapes, and the noise that makes gaps in them.

A shape is one of five canonical shapes seen through an affine map. The map is given from the world
to the canonical coordinates, (3, 4), so that a distance along a ray is the same in both:

    SPHERE    the unit sphere
    BOX       the cube -1..1
    FRUSTUM   0 <= y <= 1, radius from the first to the second size; the third is its height
    CAPSULE   within 1 of the y axis from 0 to the first size
    TRIANGLE  x >= 0, y >= 0, x + y <= 1, z = 0
"""

from __future__ import annotations

from typing import Any

import numpy as np
from nightflash.imaging.compiled import compiled

SPHERE, BOX, FRUSTUM, CAPSULE, TRIANGLE = range(5)
LEAST = 1e-3  # metres: what is nearer to a point is the surface that it lies on
_DEPTH = 64  # of the tree, never reached

Array = Any  # Numba has types of its own
Ray = tuple[float, float, float, float, float, float]  # origin and direction


@compiled
def _noise(x: float, y: float, z: float, lattice: Array) -> Any:
    """Value noise 0..1, one lattice cell per unit length; the lattice is (64³,), x slowest."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    i, j, k = np.uint32(int(fx) & 63), np.uint32(int(fy) & 63), np.uint32(int(fz) & 63)
    near, far = i << np.uint32(12), ((i + np.uint32(1)) & np.uint32(63)) << np.uint32(12)
    low, high = j << np.uint32(6), ((j + np.uint32(1)) & np.uint32(63)) << np.uint32(6)
    k1 = (k + np.uint32(1)) & np.uint32(63)
    x, y, z = x - fx, y - fy, z - fz
    x, y, z = x * x * (3 - 2 * x), y * y * (3 - 2 * y), z * z * (3 - 2 * z)
    a, b = lattice[near + low + k], lattice[near + high + k]
    c, d = lattice[far + low + k], lattice[far + high + k]
    e = a + z * (lattice[near + low + k1] - a)
    f = b + z * (lattice[near + high + k1] - b)
    g = c + z * (lattice[far + low + k1] - c)
    h = d + z * (lattice[far + high + k1] - d)
    e += y * (f - e)
    g += y * (h - g)
    return e + x * (g - e)


@compiled
def _fractal(
    x: float,
    y: float,
    z: float,
    pixel: float,
    lattice: Array,
    frequency: float,
    octaves: int,
    shift: float,
    gain: float,
) -> Any:
    total, weight = 0.0, 1.0
    for _ in range(octaves):
        total += weight
        weight *= gain
    value, weight = 0.5, 2.0 / total
    for _ in range(octaves):
        seen = min(1.6 - 1.6 * frequency * pixel, 1.0)
        if seen <= 0:
            break
        at = shift % 61.7
        wave = _noise(x * frequency + at, y * frequency + at, z * frequency + at, lattice) - 0.5
        value += weight * seen * wave
        frequency, weight, shift = frequency * 2.03, weight * gain, shift + 13.7
    return min(max(value, 0.0), 1.0)


@compiled
def noise(points: Array, lattice: Array) -> Array:
    """Value noise (N,) at points (3, N)."""
    out = np.empty(points.shape[1], np.float32)
    for n in range(out.size):
        out[n] = _noise(points[0, n], points[1, n], points[2, n], lattice)
    return out


@compiled
def fractal(
    points: Array,
    pixel: Array,
    lattice: Array,
    scale: float,
    octaves: int,
    seed: float,
    gain: float,
) -> Array:
    """Octaves of noise (N,) at points (3, N), those finer than a pixel (N,) faded out."""
    out = np.empty(points.shape[1], np.float32)
    for n in range(out.size):
        out[n] = _fractal(
            points[0, n],
            points[1, n],
            points[2, n],
            pixel[n],
            lattice,
            1.0 / scale,
            octaves,
            seed,
            gain,
        )
    return out


@compiled
def _apart(x: float) -> float:
    return 1e-8 if abs(x) < 1e-8 else x


@compiled
def _seen(m: Array, k: int, ray: Ray) -> Ray:
    """A ray in the coordinates to which map k of (S, 3, 4) leads."""
    x, y, z, dx, dy, dz = ray
    return (
        m[k, 0, 0] * x + m[k, 0, 1] * y + m[k, 0, 2] * z + m[k, 0, 3],
        m[k, 1, 0] * x + m[k, 1, 1] * y + m[k, 1, 2] * z + m[k, 1, 3],
        m[k, 2, 0] * x + m[k, 2, 1] * y + m[k, 2, 2] * z + m[k, 2, 3],
        m[k, 0, 0] * dx + m[k, 0, 1] * dy + m[k, 0, 2] * dz,
        m[k, 1, 0] * dx + m[k, 1, 1] * dy + m[k, 1, 2] * dz,
        m[k, 2, 0] * dx + m[k, 2, 1] * dy + m[k, 2, 2] * dz,
    )


@compiled
def _crossing(kind: int, size: float, top: float, ray: Ray) -> tuple[float, float]:
    """Where a ray in canonical coordinates enters and leaves a shape; infinite for a miss."""
    ox, oy, oz, dx, dy, dz = ray
    near, far = np.inf, -np.inf
    if kind == SPHERE:
        a = dx * dx + dy * dy + dz * dz
        b = ox * dx + oy * dy + oz * dz
        # The distance from the line to the centre keeps its precision where b² - a c would not.
        fx, fy, fz = ox - b / a * dx, oy - b / a * dy, oz - b / a * dz
        h = a * (1 - fx * fx - fy * fy - fz * fz)
        if h > 0:
            root = np.sqrt(h)
            return (-b - root) / a, (-b + root) / a
    elif kind == BOX:
        dx, dy, dz = 1 / _apart(dx), 1 / _apart(dy), 1 / _apart(dz)
        near = max(-ox * dx - abs(dx), -oy * dy - abs(dy), -oz * dz - abs(dz))
        far = min(-ox * dx + abs(dx), -oy * dy + abs(dy), -oz * dz + abs(dz))
        if near < far:
            return near, far
    elif kind == FRUSTUM:
        slope = top - size
        reach = size + slope * oy
        a = _apart(dx * dx + dz * dz - slope * slope * dy * dy)
        b = ox * dx + oz * dz - reach * slope * dy
        h = b * b - a * (ox * ox + oz * oz - reach * reach)
        if h > 0:
            root = np.sqrt(h)
            for sign in (-1, 1):
                t = (-b + sign * root) / a
                if 0 < oy + t * dy < 1:
                    near, far = min(near, t), max(far, t)
        dy = _apart(dy)
        for y, radius in ((0.0, size), (1.0, top)):
            t = (y - oy) / dy
            x, z = ox + t * dx, oz + t * dz
            if x * x + z * z < radius * radius:
                near, far = min(near, t), max(far, t)
        if far > -np.inf:
            return near, far
    elif kind == CAPSULE:
        a = max(dx * dx + dz * dz, 1e-12)
        b = ox * dx + oz * dz
        h = b * b - a * (ox * ox + oz * oz - 1)
        if h > 0:
            root = np.sqrt(h)
            for sign in (-1, 1):
                t = (-b + sign * root) / a
                if 0 <= oy + t * dy <= size:
                    near, far = min(near, t), max(far, t)
        a = dx * dx + dy * dy + dz * dz
        for y in (0.0, size):
            b = ox * dx + (oy - y) * dy + oz * dz
            h = b * b - a * (ox * ox + (oy - y) * (oy - y) + oz * oz - 1)
            if h > 0:
                root = np.sqrt(h)
                near, far = min(near, (-b - root) / a), max(far, (-b + root) / a)
        if far > -np.inf:
            return near, far
    else:
        t = -oz / (dz if abs(dz) > 1e-12 else 1e-12)
        x, y = ox + t * dx, oy + t * dy
        if t > 0 and x >= 0 and y >= 0 and x + y <= 1:
            return t, t
    return np.inf, np.inf


@compiled
def _first(k: int, shapes: Array, lattice: Array, ray: Ray) -> float:
    """Distance to the first point of shape k beyond 1 mm that is no gap, inf for none."""
    kinds, maps, sizes, _, gaps, frames = shapes
    near, far = _crossing(kinds[k], sizes[k, 0], sizes[k, 1], _seen(maps, k, ray))
    if gaps[k, 0] == 0:
        return near if near > LEAST else (far if far > LEAST else np.inf)
    x, y, z, dx, dy, dz = _seen(frames, k, ray)
    frequency, octaves, seed, gain = 1 / gaps[k, 0], int(gaps[k, 1]), gaps[k, 2], gaps[k, 3]
    for t in (near, far):
        if LEAST < t < np.inf:
            px, py, pz = x + t * dx, y + t * dy, z + t * dz
            there = _fractal(px, py, pz, 0.0, lattice, frequency, octaves, seed, gain)
            if there > gaps[k, 4]:
                return t
    return np.inf


@compiled
def _reached(k: int, box: Array, ray: Ray, most: float) -> float:
    """Distance at which a ray enters box k, 1/direction in place of its direction; inf if not."""
    x, y, z, dx, dy, dz = ray
    a, b = (box[k, 0] - x) * dx, (box[k, 3] - x) * dx
    c, d = (box[k, 1] - y) * dy, (box[k, 4] - y) * dy
    e, f = (box[k, 2] - z) * dz, (box[k, 5] - z) * dz
    near = max(min(a, b), min(c, d), min(e, f), 0.0)
    far = min(max(a, b), max(c, d), max(e, f), most)
    return near if near <= far * (1 + 1e-6) + 1e-6 else np.inf


@compiled
def nearest(
    shapes: Array,
    tree: Array,
    lattice: Array,
    origin: Array,
    direction: Array,
    reach: Array,
    anything: bool,
) -> tuple[Array, Array]:
    """What rays from origins (3, N) or (3, 1) along directions (3, N) or (3, 1) meet.

    Shapes count from 1 mm to `reach` (N,) metres. With `anything` the first that is found will do:
    enough for shadows.

    Returns the distances (N,), inf for none, and the numbers of the shapes (N,), -1 for none.
    """
    corners, nodes, order = tree
    count = reach.size
    distance = np.full(count, np.inf, np.float32)
    number = np.full(count, -1, np.int32)
    stack = np.empty(_DEPTH, np.uint32)
    begin = np.empty(_DEPTH, np.float64)
    if order.size == 0:
        return distance, number
    for n in range(count):
        i = 0 if origin.shape[1] == 1 else n
        j = 0 if direction.shape[1] == 1 else n
        x, y, z = float(origin[0, i]), float(origin[1, i]), float(origin[2, i])
        dx, dy, dz = float(direction[0, j]), float(direction[1, j]), float(direction[2, j])
        ray = (x, y, z, dx, dy, dz)
        inverse = (x, y, z, 1 / _apart(dx), 1 / _apart(dy), 1 / _apart(dz))
        most, found = float(reach[n]), -1
        stack[0], begin[0], height = 0, 0.0, np.uint32(1)
        while height:
            height -= np.uint32(1)
            if begin[height] > most:
                continue
            node = stack[height]
            first, size = nodes[node, 0], nodes[node, 1]
            if size:
                for m in range(first, first + size):
                    k = order[m]
                    t = _first(k, shapes, lattice, ray)
                    if t < most:
                        most, found = t, int(k)
                if anything and found >= 0:
                    break
                continue
            nearer, other = first, first + np.uint32(1)
            a = _reached(nearer, corners, inverse, most)
            b = _reached(other, corners, inverse, most)
            if a > b:
                nearer, other, a, b = other, nearer, b, a
            if b < np.inf:
                stack[height], begin[height] = other, b
                height += np.uint32(1)
            if a < np.inf:
                stack[height], begin[height] = nearer, a
                height += np.uint32(1)
        if found >= 0:
            number[n], distance[n] = found, most
    return distance, number


@compiled
def crossings(shapes: Array, origin: Array, direction: Array) -> tuple[Array, Array]:
    """Where rays (3, N) enter and leave the first shape, (N,) each; infinite for a miss."""
    kinds, maps, sizes = shapes[:3]
    near, far = np.empty((2, direction.shape[1]), np.float32)
    for n in range(near.size):
        x, y, z = float(origin[0, n]), float(origin[1, n]), float(origin[2, n])
        dx, dy, dz = float(direction[0, n]), float(direction[1, n]), float(direction[2, n])
        ray = (x, y, z, dx, dy, dz)
        near[n], far[n] = _crossing(kinds[0], sizes[0, 0], sizes[0, 1], _seen(maps, 0, ray))
    return near, far
