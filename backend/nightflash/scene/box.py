"""Upright boxes (x, y, width, height) in pixels of a picture, origin top left."""

from __future__ import annotations

from torch import Tensor

Box = tuple[float, float, float, float]


def bounds(mask: Tensor) -> Box:
    """Box of what is above half the maximum of a mask (h, w); the whole picture of an empty one."""
    above = mask > 0.5 * mask.max()
    rows, columns = above.any(1).nonzero(), above.any(0).nonzero()
    if not len(rows):
        return 0.0, 0.0, float(mask.shape[1]), float(mask.shape[0])
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    return float(x0), float(y0), float(x1 - x0), float(y1 - y0)


def contains(box: Box, point: tuple[float, float]) -> bool:
    """Whether ``point`` (x, y) lies in ``box``."""
    x, y, w, h = box
    return x <= point[0] < x + w and y <= point[1] < y + h


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    across = max(0.0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    down = max(0.0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    return across * down / (a[2] * a[3] + b[2] * b[3] - across * down)


def wider(box: Box, by: float, h: int, w: int) -> Box:
    """``box`` with a margin of ``by`` times its size, as far as a picture (h, w) goes."""
    x, y, bw, bh = box
    x0, y0 = max(0.0, x - by * bw), max(0.0, y - by * bh)
    return x0, y0, min(w - x0, (1 + 2 * by) * bw), min(h - y0, (1 + 2 * by) * bh)
