"""What the user corrects at the outline of the main object: clicks and strokes, and undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from plugin.canvas import Canvas
from plugin.outline import Outline, click_fields
from plugin.strokes import Place, Raster, Stroke, painted

FIRST = 0.02  # of the photo's longer side: the brush's radius at first
BIGGER = 1.25
LEAST, MOST = 0.002, 0.25  # of the photo's longer side
AIM, ADDED, REMOVED = 0xFFFFFFFF, 0x40E060FF, 0xFF5040FF  # colours of the marks


class Corrections:
    """The outline as the user has it, with what was before, shown on the canvas.

    Args:
        canvas: Where the photo is shown.
        changed: Called where another outline is wanted; takes the aim.
    """

    def __init__(self, canvas: Canvas, changed: Callable[[Place | None], None]) -> None:
        self._canvas, self._changed = canvas, changed
        self.now = Outline()
        self._past: list[Outline] = []
        self._future: list[Outline] = []
        self._raster = Raster(canvas.size)
        self._pixels: Any = None  # of the strokes, the same as long as these are
        self._stroke: list[Place] = []
        self._adds = True
        self._radius = FIRST * max(canvas.size)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a request for work."""
        return {"clicks": click_fields(self.now), "strokes": self._pixels}

    @property
    def any(self) -> bool:
        """Whether there is an aim or a correction to be forgotten."""
        return self.now != Outline()

    def take_up(self, outline: Outline) -> None:
        """Begin with what a night was made with."""
        self._become(outline)

    def aim(self, place: Place | None) -> None:
        """Aim anew, at a point or at none; corrections of what was aimed at before go."""
        self._go(Outline(place))

    def click(self, place: Place, adds: bool) -> None:
        """Add or remove the object at a point."""
        self._go(replace(self.now, clicks=(*self.now.clicks, (adds, place))))

    def begin(self, place: Place, adds: bool) -> None:
        """Begin a stroke."""
        self._stroke, self._adds = [place], adds
        self._draw(place)

    def paint(self, place: Place) -> None:
        """Go on with the stroke."""
        self._draw(place)
        self._stroke.append(place)

    def finish(self) -> None:
        """End the stroke, which counts from now on."""
        stroke = Stroke(self._adds, self._radius, tuple(self._stroke))
        self._stroke = []
        self._go(replace(self.now, strokes=(*self.now.strokes, stroke)))

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        if self._past and not self._stroke:
            self._future.append(self.now)
            self._become(self._past.pop())

    def redo(self) -> None:
        """Do again what was taken back last."""
        if self._future and not self._stroke:
            self._past.append(self.now)
            self._become(self._future.pop())

    def resize(self, larger: bool) -> None:
        """Make the brush larger or smaller."""
        side = max(self._canvas.size)
        radius = self._radius * (BIGGER if larger else 1 / BIGGER)
        self._radius = min(max(radius, LEAST * side), MOST * side)
        self._canvas.show_brush(self._canvas.brush and self._radius)

    def hold_brush(self, held: bool) -> None:
        """Show the brush at the pointer, or no more."""
        self._canvas.show_brush(self._radius if held else 0.0)

    def _go(self, there: Outline) -> None:
        if there != self.now:
            self._past.append(self.now)
            self._future.clear()
            self._become(there)

    def _become(self, there: Outline) -> None:
        if there.strokes != self.now.strokes:
            self._raster = painted(there.strokes, self._canvas.size)
            self._pixels = self._raster.pixels if there.strokes else None
        self.now = there
        aims = [] if there.aim is None else [(there.aim, AIM)]
        clicks = [(place, ADDED if adds else REMOVED) for adds, place in there.clicks]
        self._canvas.show_aims(*aims, *clicks)
        self._changed(there.aim)

    def _draw(self, place: Place) -> None:
        before = self._stroke[-1]
        self._raster.draw(before, place, self._radius, self._adds)
        self._canvas.show_paint(self._raster.seen)
