"""The region around a point that stands out most clearly from what surrounds it."""

from __future__ import annotations

import heapq
import math

import cv2
import numpy as np
import numpy.typing as npt

from nightflash.scene.cut import Map

SIZES = (0.002, 0.6)  # share of the picture that a region may take
GROWTHS = 24  # regions compared
COLOUR, DEPTH = 60.0, 0.08  # CIELAB difference and inverse depth of a clear edge
STEP = 0.03  # cost of a step where there is no edge, against 1 over the clearest
FRAME = 4  # how much worse the frame is than an outline without an edge
SIZE_POWER = 0.08  # how much larger regions are preferred


def clearest_region(lab: Map, depth: Map, start: tuple[int, int]) -> Map:
    """Region (h, w; 0.0 / 1.0) around ``start`` (row, column) with the clearest outline.

    The region grows from the point along the cheapest ways over edges of colour and depth
    (Dijkstra 1959); of the regions it passes through, that one is taken whose outline runs along
    the strongest edges and touches the frame least.

    Args:
        lab: (h, w, 3) CIELAB. depth: (h, w) relative inverse depth, 0..1.
    """
    down, across = (_edges(lab, depth, axis) for axis in (0, 1))
    distance = _distances(down, across, start)
    h, w = depth.shape
    best, chosen = -1.0, np.zeros((h, w), np.bool_)
    levels = np.sort(distance.ravel())
    for area in np.geomspace(*SIZES, GROWTHS):
        region = _filled(distance <= levels[min(int(area * h * w), h * w - 1)])
        sides = region[1:] != region[:-1], region[:, 1:] != region[:, :-1]
        length = int(sides[0].sum() + sides[1].sum())
        frame = int(region[0].sum() + region[:, 0].sum() + region[:, -1].sum())
        strength = float(down[sides[0]].sum() + across[sides[1]].sum())
        clear = strength / max(length + FRAME * frame, 1) * region.sum() ** SIZE_POWER
        if clear > best:
            best, chosen = clear, region
    return chosen.astype(np.float32)


def _edges(lab: Map, depth: Map, axis: int) -> Map:
    """Strength 0..1 of the edge between each pixel and the next along ``axis``."""
    colour = np.sqrt((np.diff(lab, axis=axis) ** 2).sum(2)) / COLOUR
    step = np.abs(np.diff(depth, axis=axis)) / DEPTH
    strength: Map = (1 - np.exp(-colour - step)) ** 2
    return strength


def _distances(down: Map, across: Map, start: tuple[int, int]) -> Map:
    """Length (h, w) of the cheapest way from ``start`` over edges."""
    h, w = across.shape[0], down.shape[1]
    costs_down, costs_across = down.tolist(), across.tolist()
    lengths = [math.inf] * (h * w)
    lengths[start[0] * w + start[1]] = 0.0
    heap = [(0.0, start[0], start[1])]
    while heap:
        length, r, c = heapq.heappop(heap)
        if length > lengths[r * w + c]:
            continue
        ways = []
        if r > 0:
            ways.append((costs_down[r - 1][c], r - 1, c))
        if r < h - 1:
            ways.append((costs_down[r][c], r + 1, c))
        if c > 0:
            ways.append((costs_across[r][c - 1], r, c - 1))
        if c < w - 1:
            ways.append((costs_across[r][c], r, c + 1))
        for cost, row, column in ways:
            longer = length + cost + STEP
            if longer < lengths[row * w + column]:
                lengths[row * w + column] = longer
                heapq.heappush(heap, (longer, row, column))
    return np.array(lengths, np.float32).reshape(h, w)


def _filled(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """``region`` with its holes filled."""
    outlines, _ = cv2.findContours(
        region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    whole = cv2.drawContours(np.zeros(region.shape, np.uint8), outlines, -1, 1, cv2.FILLED)
    return np.asarray(whole > 0)
