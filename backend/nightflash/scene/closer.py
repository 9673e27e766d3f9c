"""Looking closer: the object under a point, by what a network sees in windows around it.

A network for the main object of a picture shows one thing, or several that hang together. In a
window around the thing that is pointed at, that thing is the main object. Which window shows it
best is told by how sure the network is of it, by the window's sides not cutting it, and by the
other windows, which should show the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor

from nightflash.models.descriptor import MainObject, SubjectNetwork
from nightflash.scene.main_object import outlined, overlap, parts

WINDOWS = 0.8, 0.65, 0.5, 0.4  # of the picture's sides
LEAST_SIDE = 32  # pixels of a window
CUT_OFF = 8.0  # what an object loses of which a window's sides are the whole outline, in nats
AGREEMENT = 0.5  # power of the mean overlap with what the others show
COMPARED_SIDE = 96  # long side at which they are compared
Point = tuple[float, float]


@dataclass(frozen=True)
class _Window:
    """A part of a picture of (height, width) pixels, in pixels from its top left."""

    left: int
    top: int
    width: int
    height: int
    of: tuple[int, int]

    @classmethod
    def around(cls, point: Point, share: float, of: tuple[int, int]) -> _Window:
        """A share of the picture's sides, in the picture, with the point near its middle."""
        height, width = (min(side, max(LEAST_SIDE, round(share * side))) for side in of)
        left = min(max(round(point[0] - width / 2), 0), of[1] - width)
        top = min(max(round(point[1] - height / 2), 0), of[0] - height)
        return cls(left, top, width, height, of)

    def cut(self, picture: Tensor) -> Tensor:
        """What it shows of a picture (..., h, w), as a view."""
        rows = slice(self.top, self.top + self.height)
        return picture[..., rows, self.left : self.left + self.width]

    def place(self, point: Point, found: Tensor) -> tuple[int, int]:
        """Row and column of a point of the picture in a map (h', w') of the window."""
        h, w = found.shape
        row = int((point[1] - self.top) * h / self.height)
        column = int((point[0] - self.left) * w / self.width)
        return min(max(row, 0), h - 1), min(max(column, 0), w - 1)

    def inner_sides(self, found: Tensor) -> Iterator[Tensor]:
        """Those edges of a map (h', w') of the window that are none of the picture's."""
        height, width = self.of
        if self.top > 0:
            yield found[0]
        if self.top + self.height < height:
            yield found[-1]
        if self.left > 0:
            yield found[:, 0]
        if self.left + self.width < width:
            yield found[:, -1]


@dataclass(frozen=True)
class _Look:
    """What a network takes for the main object of a window: a map (h', w') 0..1 on the CPU."""

    window: _Window
    found: Tensor
    point: Point

    @cached_property
    def under(self) -> Tensor:
        """The part (h', w'; bool) of the object under the point."""
        inside = (self.found > 0.5).numpy().astype(np.uint8)
        labels = torch.from_numpy(cv2.connectedComponents(inside)[1])
        label = labels[self.window.place(self.point, labels)]
        return (labels == label) & (label > 0)

    @cached_property
    def clear(self) -> float:
        """How clearly it shows one whole object under the point, 0..1."""
        part = self.under
        if not part.any():
            return 0.0
        outline = int((part[1:] != part[:-1]).sum() + (part[:, 1:] != part[:, :-1]).sum())
        cut = sum(int(side.sum()) for side in self.window.inner_sides(part))
        return float(self.found[part].mean()) * math.exp(-CUT_OFF * cut / max(outline + cut, 1))

    def in_picture(self) -> Tensor:
        """The part under the point where it lies in the whole picture, small."""
        scale = min(1.0, COMPARED_SIDE / max(self.window.of))
        x, y, width, height = (
            round(scale * v)
            for v in (self.window.left, self.window.top, self.window.width, self.window.height)
        )
        size = max(width, 1), max(height, 1)
        whole = np.zeros([round(scale * side) + 2 for side in self.window.of], np.float32)
        part = self.under.numpy().astype(np.float32)
        whole[y : y + size[1], x : x + size[0]] = cv2.resize(part, size)
        return torch.from_numpy(whole)

    def laid(self, encoded: Tensor, inverse_depth: Tensor) -> Tensor | None:
        """The object (h, w; soft) under the point on the picture's edges; None where it is none."""
        window = self.window
        mask = outlined(self.found, window.cut(encoded), window.cut(inverse_depth))
        for part in parts(mask):
            if float(part[window.place(self.point, part)]) > 0.5:
                whole = torch.zeros_like(inverse_depth)
                window.cut(whole)[:] = part
                return whole
        return None


def object_under(
    point: Point,
    encoded: Tensor,
    inverse_depth: Tensor,
    main: MainObject | None,
    closer: SubjectNetwork | None,
) -> Tensor | None:
    """Find the object under a point by a network for main objects.

    Args:
        point: (x, y) in pixels of the picture.
        encoded: (3, h, w) encoded 0..1.
        inverse_depth: (h, w) relative inverse depth, 0..1.
        main: What a network takes for the main object of the whole picture, or None.
        closer: Looks at windows of the picture, or None.

    Returns:
        (h, w) soft mask 0..1; None where nothing is seen there.
    """
    looks = list(_looks(point, encoded, main, closer))
    for look in _best_first(looks):
        if (mask := look.laid(encoded, inverse_depth)) is not None:
            return mask
    return None


def _looks(
    point: Point, encoded: Tensor, main: MainObject | None, closer: SubjectNetwork | None
) -> Iterator[_Look]:
    """Look at the whole picture and at windows of it."""
    size = (encoded.shape[1], encoded.shape[2])
    if main is not None:
        yield _Look(_Window.around(point, 1, size), main.mask.cpu().float(), point)
    if closer is not None:
        for share in WINDOWS:
            window = _Window.around(point, share, size)
            found = closer.main_object(window.cut(encoded)).mask
            yield _Look(window, found.cpu().float(), point)


def _best_first(looks: list[_Look]) -> list[_Look]:
    shown = [look.in_picture() for look in looks]

    def agreement(one: Tensor) -> float:
        return sum(overlap(one, other) for other in shown) / len(shown)

    worth = [k.clear * agreement(one) ** AGREEMENT for k, one in zip(looks, shown, strict=True)]
    return [looks[i] for i in sorted(range(len(looks)), key=lambda i: -worth[i])]
