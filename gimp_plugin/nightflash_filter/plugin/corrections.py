"""What the user corrects at the outline of the main object: clicks and strokes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from plugin.canvas import Canvas
from plugin.history import History, Step
from plugin.outline import Outline, click_fields
from plugin.strokes import Place, Raster, Stroke, painted

FIRST = 0.02  # of the photo's longer side: the brush's radius at first
BIGGER = 1.25
LEAST, MOST = 0.002, 0.25  # of the photo's longer side
AIM, ADDED, REMOVED = 0xFFFFFFFF, 0x40E060FF, 0xFF5040FF  # colours of the marks


class Corrections:
    """The outline as the user has it, shown on the canvas.

    Args:
        canvas: Where the photo is shown.
        history: Takes the steps.
        changed: Called where another outline is wanted; takes the aim.
    """

    def __init__(
        self, canvas: Canvas, history: History, changed: Callable[[Place | None], None]
    ) -> None:
        self._canvas, self._history, self._changed = canvas, history, changed
        self.now = Outline()
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
    def painting(self) -> bool:
        """Whether a stroke is being painted."""
        return bool(self._stroke)

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
            self._history.add(Step(partial(self._become, self.now), partial(self._become, there)))
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
