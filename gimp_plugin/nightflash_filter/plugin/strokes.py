"""Strokes painted over the photo: small pictures of them for the backend and for the canvas."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from nightflash.client.protocol import Layout, Pixels

LONGEST = 1024  # pixels of the longer side: finer than the mask is worked out
ADD, REMOVE = (255, 255), (0, 255)  # grey and alpha
GREEN, RED, OPACITY = (60, 220, 90), (240, 60, 50), 120
Place = tuple[float, float]


@dataclass(frozen=True)
class Stroke:
    """A stroke of a round brush.

    Attributes:
        adds: Whether what it covers is object.
        radius: In pixels of the photo.
        places: Points of the photo that the brush went through.
    """

    adds: bool
    radius: float
    places: tuple[Place, ...]


class Raster:
    """Strokes as a picture of grey and alpha over a photo of ``size`` (width, height)."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._scale = min(1.0, LONGEST / max(size))
        self._width, self._height = (max(1, round(n * self._scale)) for n in size)
        self._values = bytearray(2 * self._width * self._height)

    def draw(self, start: Place, end: Place, radius: float, adds: bool) -> None:
        """Draw a brush along a line, ends in pixels of the photo."""
        radius = max(0.7, radius * self._scale)
        count = max(1, math.ceil(math.dist(start, end) * self._scale / (radius / 2)))
        for step in range(count + 1):
            x, y = (a + (b - a) * step / count for a, b in zip(start, end, strict=True))
            self._disc(x * self._scale, y * self._scale, radius, bytes(ADD if adds else REMOVE))

    def _disc(self, x: float, y: float, radius: float, value: bytes) -> None:
        first, last = max(0, math.floor(y - radius)), min(self._height - 1, math.floor(y + radius))
        for row in range(first, last + 1):
            reach = radius**2 - (row + 0.5 - y) ** 2
            if reach <= 0:
                continue
            half = math.sqrt(reach)
            left = min(max(round(x - half), 0), self._width)
            right = min(max(round(x + half), left), self._width)
            at = 2 * row * self._width
            self._values[at + 2 * left : at + 2 * right] = value * (right - left)

    @property
    def pixels(self) -> Pixels:
        """Grey and alpha in u8, as the backend takes strokes."""
        return Pixels.cut(Layout(self._width, self._height, "u8", 2), bytes(self._values))

    @property
    def seen(self) -> Pixels:
        """RGB and alpha in u8, to lie over the photo: green adds, red removes."""
        grey, alpha = self._values[0::2], self._values[1::2]
        picture = bytearray(4 * len(grey))
        for channel, (removes, adds) in enumerate(zip(RED, GREEN, strict=True)):
            picture[channel::4] = grey.translate(bytes([removes] * 128 + [adds] * 128))
        picture[3::4] = alpha.translate(bytes([0] * 128 + [OPACITY] * 128))
        return Pixels.cut(Layout(self._width, self._height, "u8", 4), bytes(picture))


def painted(strokes: Iterable[Stroke], size: tuple[int, int]) -> Raster:
    """Strokes one after the other over a photo of ``size`` (width, height)."""
    raster = Raster(size)
    for stroke in strokes:
        before = stroke.places[0]
        for place in stroke.places:
            raster.draw(before, place, stroke.radius, stroke.adds)
            before = place
    return raster
