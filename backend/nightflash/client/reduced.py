"""A photo with fewer pixels, for a first preview over a slow line.

A preview is worked out at a fraction of a photo's pixels anyway. Standard library only.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from nightflash.client.protocol import Buffer, Header, Layout, Pixels

LEAST = 1.05  # of the working size's pixels
TYPES = {"u8": "B", "u16": "H", "half": "H", "float": "I"}  # array's, of the samples' widths


def step_of(layout: Layout, megapixels: float) -> int:
    """Of how many pixels one may be left, across and down, for work at so many megapixels."""
    return max(1, int((layout.width * layout.height / (megapixels * 1e6 * LEAST)) ** 0.5))


def reduced(pixels: Pixels, step: int) -> Pixels:
    """Every ``step``-th pixel of every ``step``-th row."""
    layout, kind = pixels.layout, TYPES[pixels.layout.sample]
    channels = layout.channels
    small = Layout(
        -(-layout.width // step), -(-layout.height // step), layout.sample, layout.channels
    )
    rows = bytearray()
    for row in _rows(pixels, step):
        whole = array(kind, bytes(row))
        kept = array(kind, bytes(small.row_bytes))
        for channel in range(channels):
            kept[channel::channels] = whole[channel :: step * channels]
        rows += kept.tobytes()
    return Pixels.cut(small, rows)


def _rows(pixels: Pixels, step: int) -> list[Buffer]:
    row = pixels.layout.row_bytes
    found: list[Buffer] = []
    for strip, (top, count) in zip(pixels.strips, pixels.layout.strips(), strict=True):
        view = memoryview(strip).cast("B")
        for y in range(-(-top // step) * step, top + count, step):
            found.append(view[(y - top) * row : (y - top + 1) * row])
    return found


def reduced_aim(aim: Mapping[str, Any], whole: Layout, small: Layout) -> dict[str, Any]:
    """Box, point and clicks in pixels of the small photo."""
    x, y = small.width / whole.width, small.height / whole.height

    def scaled(numbers: Sequence[float]) -> list[float]:
        return [number * (x, y)[place % 2] for place, number in enumerate(numbers)]

    aim = dict(aim)
    for name in ("box", "point"):
        if aim.get(name) is not None:
            aim[name] = scaled(aim[name])
    aim["clicks"] = [[how, *scaled(place)] for how, *place in aim.get("clicks", ())]
    return aim


def enlarged(header: Header, whole: Layout, small: Layout) -> Header:
    """What a result tells of the small photo, told of the whole one: the subject's box."""
    x, y = whole.width / small.width, whole.height / small.height
    subject = header["subject"]
    box = [round(number * (x, y)[place % 2], 2) for place, number in enumerate(subject["box"])]
    return {**header, "subject": {**subject, "box": box}}
