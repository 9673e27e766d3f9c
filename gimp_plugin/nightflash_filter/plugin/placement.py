"""Where a photo lies on a canvas: zooming and panning change this alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

Size = tuple[int, int]
MOST = 16.0  # pixels of the canvas to one of the photo


@dataclass(frozen=True)
class Placement:
    """Where the photo lies on the canvas.

    Attributes:
        scale: Pixels of the canvas to one of the photo.
        left, top: The photo's corner on the canvas, whole pixels.
    """

    scale: float
    left: float
    top: float

    @classmethod
    def fitting(cls, size: Size, room: Size) -> Placement:
        """The whole of a photo in the middle of the room."""
        scale = min(room[0] / size[0], room[1] / size[1])
        return cls(scale, 0, 0).within(size, room)

    def on_photo(self, x: float, y: float) -> tuple[float, float]:
        """The point of the photo that is at a point of the canvas."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def on_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the photo is on the canvas."""
        return self.left + x * self.scale, self.top + y * self.scale

    def zoomed(self, scale: float, at: tuple[float, float]) -> Placement:
        """At another scale, the point of the photo at a point of the canvas staying there."""
        x, y = self.on_photo(*at)
        return Placement(scale, at[0] - x * scale, at[1] - y * scale)

    def moved(self, across: float, down: float) -> Placement:
        """Moved by pixels of the canvas."""
        return replace(self, left=self.left + across, top=self.top + down)

    def within(self, size: Size, room: Size) -> Placement:
        """The nearest that leaves no room empty beside a photo that could fill it."""
        least = min(1.0, room[0] / size[0], room[1] / size[1])
        scale = min(max(self.scale, least), max(MOST, least))
        corner = []
        for start, length, space in zip((self.left, self.top), size, room, strict=True):
            spare = space - length * scale
            corner.append(round(spare / 2 if spare >= 0 else min(max(start, spare), 0)))
        return Placement(scale, *corner)

    def seen(self, size: Size, room: Size) -> tuple[int, int, int, int]:
        """What of the photo is on the canvas: x, y, width, height in its whole pixels."""
        ends = []
        for start, length, space in zip((self.left, self.top), size, room, strict=True):
            first = min(max(math.floor(-start / self.scale), 0), length - 1)
            last = min(max(math.ceil((space - start) / self.scale), first + 1), length)
            ends.append((first, last - first))
        (x, width), (y, height) = ends
        return x, y, width, height

    def area(self, region: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
        """Where a region of the photo lies on the canvas: x, y, width, height, whole pixels."""
        x, y, width, height = region
        left, top = (round(at) for at in self.on_canvas(x, y))
        right, bottom = (round(at) for at in self.on_canvas(x + width, y + height))
        return left, top, max(1, right - left), max(1, bottom - top)
