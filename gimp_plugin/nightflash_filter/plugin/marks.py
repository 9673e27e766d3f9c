"""What is drawn over the picture: marks, and the line of the split view.

Drawing with cairo would need a package that not every GIMP has beside it: pixbufs do it.
"""

from __future__ import annotations

import math
from typing import Any

BLACK, WHITE = 0x000000FF, 0xFFFFFFFF


def lay_cross(shown: Any, x: int, y: int) -> None:
    """Lay a cross over what is shown, white with a black edge, its middle left free."""
    for thick, colour in ((3, BLACK), (1, WHITE)):
        half = thick // 2
        for near, far in ((4 - half, 12 + half), (-12 - half, -4 + half)):
            fill(shown, (x + min(near, far), y - half, abs(far - near) + 1, thick), colour)
            fill(shown, (x - half, y + min(near, far), thick, abs(far - near) + 1), colour)


def lay_dot(shown: Any, x: int, y: int, colour: int = WHITE) -> None:
    """Lay a dot over what is shown, with a black edge: here was clicked at."""
    for half, paint in ((4, BLACK), (2, colour)):
        fill(shown, (x - half, y - half + 1, 2 * half + 1, 2 * half - 1), paint)
        fill(shown, (x - half + 1, y - half, 2 * half - 1, 2 * half + 1), paint)


def lay_ring(shown: Any, x: float, y: float, radius: float) -> None:
    """Lay a ring over what is shown, black beside white."""
    count = max(16, round(2 * math.pi * radius))
    for away, colour in ((1.0, BLACK), (0.0, WHITE)):
        for step in range(count):
            angle = 2 * math.pi * step / count
            at = (radius + away) * math.cos(angle), (radius + away) * math.sin(angle)
            fill(shown, (round(x + at[0]), round(y + at[1]), 1, 1), colour)


def lay_line(shown: Any, x: int) -> None:
    """Lay the upright line of the split view over what is shown."""
    height = shown.get_height()
    fill(shown, (x - 1, 0, 3, height), BLACK)
    fill(shown, (x, 0, 1, height), WHITE)
    for half, colour in ((4, BLACK), (3, WHITE)):  # what it is held by
        fill(shown, (x - half, height // 2 - 3 * half, 2 * half + 1, 6 * half + 1), colour)


def fill(shown: Any, area: tuple[int, int, int, int], colour: int) -> None:
    """Fill what of an area (x, y, width, height) lies on a pixbuf with a colour (RGBA)."""
    left, top = max(0, area[0]), max(0, area[1])
    right = min(shown.get_width(), area[0] + area[2])
    bottom = min(shown.get_height(), area[1] + area[3])
    if left < right and top < bottom:
        shown.new_subpixbuf(left, top, right - left, bottom - top).fill(colour)
