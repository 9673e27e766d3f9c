"""Neutral settings give the source back, and all precisions give the same night.

The variable CASES lists base, precision and whether there is alpha.
"""

from __future__ import annotations

import functools
import json
import os

from cases import run
from gi.repository import Gimp
from scene import NEUTRAL, PLAIN, add_photo, adds_night, apart, floats, make_image, stored

STEPS = {"U8": 1, "U16": 2, "U32": 2 * 65537, "HALF": 1e-3, "FLOAT": 1e-5, "DOUBLE": 1e-5}


def neutral(base: str, precision: str, alpha: bool) -> None:
    image = make_image(base, precision)
    layer = add_photo(image, alpha=alpha)
    new = adds_night(image, layer, **NEUTRAL)
    off = apart(stored(layer), stored(new))
    assert off <= STEPS[precision.partition("_")[0]], f"{off} from the source"
    image.delete()


@functools.cache
def reference(base: str, alpha: bool) -> tuple[float, ...]:
    return dark(base, "FLOAT_LINEAR", alpha)


def dark(base: str, precision: str, alpha: bool) -> tuple[float, ...]:
    image = make_image(base, precision)
    layer = add_photo(image, alpha=alpha)
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 24, 20, 29, 38)  # used as drawn
    new = adds_night(image, layer, **PLAIN)
    day, found = floats(layer), floats(new)
    image.delete()
    assert sum(found) < 0.9 * sum(day), "not dark"
    return found


def same(base: str, precision: str, alpha: bool) -> None:
    found, wanted = dark(base, precision, alpha), reference(base, alpha)
    pairs = list(zip(found, wanted, strict=True))
    mean = sum(abs(a - b) for a, b in pairs) / len(pairs)
    assert mean < (1 if precision == "U8_LINEAR" else 0.25) / 255, f"{mean * 255} / 255"
    assert apart(found, wanted) < 8 / 255, f"{apart(found, wanted) * 255} / 255"


for case in json.loads(os.environ["CASES"]):
    name = "-".join(map(str, case))
    run(f"neutral-{name}", functools.partial(neutral, *case))
    if case[2]:
        run(f"same-{name}", functools.partial(same, *case))
