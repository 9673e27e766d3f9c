"""What the user has said of the main object: an aim, clicks and strokes; a night keeps it.

What a night kept comes out of a file that anyone may have made, so it is checked. Nothing here
needs GIMP.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import dataclass
from typing import Any

from plugin.strokes import Place, Stroke, painted

OUTLINE = "nightflash-outline"
"""The parasite of clicks and strokes: JSON, deflated, in base 64. Places are shares of the photo's
width and height, a radius is one of its longer side."""
MOST = 2**21  # bytes of the JSON
MOST_CLICKS = 100  # as many as the backend takes


@dataclass(frozen=True)
class Outline:
    """What the user has said of the main object, in pixels of the photo.

    Attributes:
        aim: The point that the flash is aimed at, or None.
        clicks: Objects added and removed since: whether it adds, and a point on it.
        strokes: Painted since.
    """

    aim: Place | None = None
    clicks: tuple[tuple[bool, Place], ...] = ()
    strokes: tuple[Stroke, ...] = ()

    @property
    def corrects(self) -> bool:
        """Whether there is more than an aim."""
        return bool(self.clicks or self.strokes)

    def packed(self, size: tuple[int, int]) -> bytes:
        """The data of its parasite, for a photo of ``size`` (width, height)."""
        clicks = [[adds, *_shares([place], size)] for adds, place in self.clicks]
        strokes = [[s.adds, s.radius / max(size), _shares(s.places, size)] for s in self.strokes]
        stored = json.dumps({"clicks": clicks, "strokes": strokes}, separators=(",", ":"))
        return base64.b64encode(zlib.compress(stored.encode()))


def click_fields(outline: Outline) -> list[tuple[str, float, float]]:
    """Its clicks as a request has them."""
    return [("add" if adds else "remove", *place) for adds, place in outline.clicks]


def fields(outline: Outline, size: tuple[int, int]) -> dict[str, Any]:
    """The fields of a request for work on a photo of ``size`` that correct its aim."""
    strokes = painted(outline.strokes, size).pixels if outline.strokes else None
    return {"clicks": click_fields(outline), "strokes": strokes}


def unpacked(data: bytes, size: tuple[int, int]) -> Outline | None:
    """Read the data of such a parasite; None where it is none. The aim is kept elsewhere."""
    inflated = zlib.decompressobj()
    try:
        stored = json.loads(inflated.decompress(base64.b64decode(data, validate=True), MOST))
        clicks = tuple((_flag(adds), _place(x, y, size)) for adds, x, y in stored["clicks"])
        strokes = tuple(
            Stroke(
                _flag(adds),
                _share(radius) * max(size),
                tuple(_place(x, y, size) for x, y in zip(at[::2], at[1::2], strict=True)),
            )
            for adds, radius, at in stored["strokes"]
        )
    except (ValueError, TypeError, KeyError, RecursionError, zlib.error):
        return None
    if len(clicks) > MOST_CLICKS or not all(stroke.places for stroke in strokes):
        return None
    return Outline(None, clicks, strokes)


def _shares(places: Any, size: tuple[int, int]) -> list[float]:
    return [round(n / side, 6) for place in places for n, side in zip(place, size, strict=True)]


def _place(x: Any, y: Any, size: tuple[int, int]) -> Place:
    return _share(x) * size[0], _share(y) * size[1]


def _share(number: Any) -> float:
    """A place just beyond the photo is legal, as a stroke may leave it."""
    if type(number) not in (int, float) or not (math.isfinite(number) and -1 <= number <= 2):
        raise ValueError
    return float(number)


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError
    return value
