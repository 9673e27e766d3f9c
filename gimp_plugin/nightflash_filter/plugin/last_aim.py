"""What was lit on the photo that the filter was last called on, for its next call on that photo.

A dialog that is called again goes on where the last one was left, and a repetition without a
dialog lights what that one lit. It holds as long as this GIMP runs.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from plugin.kept import MOST, keep, kept
from plugin.layers import Source
from plugin.outline import Outline, unpacked

NAME = "aim"
LONGEST = MOST // 2  # bytes of what was clicked and painted; more is not kept


def remember(source: Source, outline: Outline) -> None:
    """Keep what the user has said of the main object of a photo."""
    packed = outline.packed(source.size).decode()
    point = None
    if outline.aim is not None:
        point = [at / side for at, side in zip(outline.aim, source.size, strict=True)]
    fits = len(packed) <= LONGEST
    keep(NAME, {"photo": _photo(source), "point": point, "outline": packed} if fits else None)


def remembered(source: Source) -> Outline:
    """What was kept of this photo; nothing where it was another one, or is aimed by a selection."""
    match kept(NAME):
        case {"photo": list(photo), "point": point, "outline": str(packed)}:
            if photo == _photo(source) and source.selection() is None:
                return _aimed(unpacked(packed.encode(), source.size) or Outline(), point, source)
    return Outline()


def _aimed(outline: Outline, point: Any, source: Source) -> Outline:
    match point:
        case [float(x), float(y)] if 0 <= x <= 1 and 0 <= y <= 1:
            return replace(outline, aim=(x * source.size[0], y * source.size[1]))
    return outline


def _photo(source: Source) -> list[int]:
    """The photo, as long as this GIMP runs."""
    return [os.getppid(), source.image.get_id(), source.layer.get_tattoo(), *source.size]
