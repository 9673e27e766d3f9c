"""The continuous minimum cut: one silhouette from the evidence of every pixel.

Source: Chan, Esedoglu, Nikolova, "Algorithms for Finding Global Minimizers of Image Segmentation
and Denoising Models", 2006; the primal-dual method of Chambolle and Pock, 2011.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]
OUTLINE = 3.0  # cost of a pixel of outline where there is no edge, in nats


def minimum_cut(evidence: Map, start: Map, across: Map, down: Map, steps: int) -> Map:
    """Minimise outline cost less evidence inside over u (h, w) in 0..1, from ``start``.

    Args:
        evidence: (h, w) log odds of being inside, nats.
        start: (h, w) 0..1.
        across, down: (h, w) cost of an outline between a pixel and the one to its right, and
            the one below; 0 in the last column and row.
        steps: How many.
    """
    u, ahead = start.copy(), start.copy()
    p, q = np.zeros_like(u), np.zeros_like(u)
    step = np.float32(0.35)  # step^2 * 8 <= 1
    pull = step * evidence
    for _ in range(steps):
        p[:, :-1] += step * (ahead[:, 1:] - ahead[:, :-1])
        q[:-1] += step * (ahead[1:] - ahead[:-1])
        np.clip(p, -across, across, out=p)
        np.clip(q, -down, down, out=q)
        before = u
        flow = p + q
        flow[:, 1:] -= p[:, :-1]
        flow[1:] -= q[:-1]
        u = np.clip(u + step * flow + pull, 0, 1)
        ahead = 2 * u - before
    return u


def outline_cost(features: Map, axis: int) -> Map:
    """Cost (h, w) of an outline between each pixel and the next along ``axis``; low on edges."""
    difference = (np.diff(features, axis=axis) ** 2).sum(2)
    typical = 4 * float(difference.mean()) + 1e-3
    cost = np.zeros(features.shape[:2], np.float32)
    inner = (slice(None), slice(None, -1)) if axis == 1 else (slice(None, -1), slice(None))
    cost[inner] = OUTLINE * (0.1 + 0.9 * np.exp(-difference / typical))
    return cost
