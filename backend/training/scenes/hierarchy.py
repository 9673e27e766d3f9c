"""Compiled: a tree of boxes over many bodies, which says fast what is near."""

from __future__ import annotations

from typing import Any

import numpy as np
from nightflash.imaging.compiled import compiled

LEAF = 4  # bodies at most in a leaf of the tree
_DEPTH = 64  # of the tree, never reached

Array = Any  # Numba has types of its own


@compiled
def grow(low: Array, high: Array) -> tuple[Array, Array, Array]:
    """A tree of boxes over boxes from low to high (S, 3): a bounding volume hierarchy.

    Nodes are split where the surface area heuristic (MacDonald and Booth 1990) is least.

    Returns the nodes' corners (M, 6), for each node (first, count) of its shapes or, with count 0,
    (its left child, 0), the right one being next to it, and the order (S,) of the shapes.
    """
    count = low.shape[0]
    corners = np.empty((2 * count + 1, 6), np.float64)
    nodes = np.zeros((2 * count + 1, 2), np.uint32)
    order = np.arange(count).astype(np.uint32)
    middle = low + high
    if not count:
        return corners, nodes, order
    nodes[0, 1] = count
    used, at = 1, 0
    while at < used:
        first, size = int(nodes[at, 0]), int(nodes[at, 1])
        inside = order[first : first + size].copy()
        for axis in range(3):
            corners[at, axis] = low[inside, axis].min()
            corners[at, 3 + axis] = high[inside, axis].max()
        best, chosen, where = np.inf, -1, 0
        if size > LEAF:
            for axis in range(3):
                ranked = inside[np.argsort(middle[inside, axis])]
                cost = np.zeros(size)
                for turn in range(2):
                    a, b = np.full(3, np.inf), np.full(3, -np.inf)
                    for n in range(size - 1):
                        k = ranked[n] if turn == 0 else ranked[size - 1 - n]
                        for c in range(3):
                            a[c], b[c] = min(a[c], low[k, c]), max(b[c], high[k, c])
                        x, y, z = b[0] - a[0], b[1] - a[1], b[2] - a[2]
                        cost[n + 1 if turn == 0 else size - 1 - n] += (n + 1) * (
                            x * y + y * z + z * x
                        )
                n = 1 + int(np.argmin(cost[1:]))
                if cost[n] < best:
                    best, chosen, where = cost[n], axis, n
        if chosen >= 0:
            order[first : first + size] = inside[np.argsort(middle[inside, chosen])]
            nodes[used, 0], nodes[used, 1] = first, where
            nodes[used + 1, 0], nodes[used + 1, 1] = first + where, size - where
            nodes[at, 0], nodes[at, 1] = used, 0
            used += 2
        at += 1
    return corners[:used], nodes[:used], order


@compiled
def unhidden(tree: Array, spheres: Array, points: Array, facing: Array) -> Array:
    """Share (N,) of the sky that spheres (S, 4) leave to points (3, N) facing along (3, N).

    A sphere hides (r/d)² of the hemisphere times the cosine to it (Quilez, "Sphere ambient
    occlusion"), up to three radii away. The tree is one over boxes of that size.
    """
    corners, nodes, order = tree
    out = np.ones(points.shape[1], np.float32)
    stack = np.empty(_DEPTH, np.uint32)
    if order.size == 0:
        return out
    for n in range(out.size):
        x, y, z = points[0, n], points[1, n], points[2, n]
        stack[0], height = 0, np.uint32(1)
        while height:
            height -= np.uint32(1)
            at = stack[height]
            if not (
                corners[at, 0] < x < corners[at, 3]
                and corners[at, 1] < y < corners[at, 4]
                and corners[at, 2] < z < corners[at, 5]
            ):
                continue
            first, size = nodes[at, 0], nodes[at, 1]
            if not size:
                stack[height], stack[height + np.uint32(1)] = first, first + np.uint32(1)
                height += np.uint32(2)
                continue
            for m in range(first, first + size):
                k = order[m]
                a, b, c = spheres[k, 0] - x, spheres[k, 1] - y, spheres[k, 2] - z
                r = spheres[k, 3]
                squared = max(a * a + b * b + c * c, 1e-6)
                edge = min(1.5 - 1.5 * squared / (9 * r * r), 1.0)
                cosine = a * facing[0, n] + b * facing[1, n] + c * facing[2, n]
                if edge > 0 and cosine > 0:
                    share = min(r * r / squared, 1.0)
                    out[n] *= 1 - 0.7 * cosine / np.sqrt(squared) * share * edge
    return out
