"""Some tensors of a safetensors file, read without the rest of it and without trusting it.

The format: 8 bytes with the length of the header, little-endian; the header, JSON, which says
for every tensor its type, shape and place behind the header; the values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from nightflash.models.download.server import Remote
from nightflash.models.download.sources import Failed, LocalFile, Progress, ignore
from nightflash.models.weights import Cut

FIRST_READ = 2**14  # bytes; most headers lie within
MOST_HEADER = 2**20  # bytes; a large model's header has a tenth of that
NEAR = 2**16  # bytes between two tensors that are read rather than asked for apart
CLOSE = (1e-4, 5e-6)  # relative and absolute: published values are rounded to five digits

Span = tuple[int, int]
"""Where bytes begin in a file and where they end."""


Parts = LocalFile | Remote
"""A file that can be read in parts."""


class _Unfit(Exception):
    """Why a file does not hold what is to be cut from it, the end of a sentence."""


def take(parts: Parts, cut: Cut, progress: Progress = ignore) -> dict[str, Tensor]:
    """Read the tensors of ``cut`` and check them.

    Args:
        parts: The safetensors file.
        cut: What is wanted of it.
        progress: Called with the bytes of values read, and to be read.

    Returns:
        Name to float32 tensor.

    Raises:
        NightFlashError: ``download_failed`` where the file is not the one known; besides, whatever
            reading raises.
    """
    try:
        places = _places(*_header(parts), cut)
        tensors: dict[str, Tensor] = {}
        spans, done = join(places.values()), 0
        total = sum(end - first for first, end in spans)
        for first, end in spans:
            raw = parts.read(first, end)
            if len(raw) != end - first:
                raise _Unfit("it ends before its tensors do")
            for name, (begin, stop) in places.items():
                if first <= begin and stop <= end:
                    values = bytearray(raw[begin - first : stop - first])
                    tensors[name] = torch.frombuffer(values, dtype=torch.float32)
            done += end - first
            progress(done, total)
        _check_values(tensors, cut)
    except _Unfit as reason:
        raise Failed(
            f"The safetensors file at {parts.place} is not the one wanted: {reason}."
        ) from reason
    return {name: tensors[name].reshape(shape) for name, shape in cut.shapes.items()}


def join(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch or are near to each other made one."""
    joined: list[Span] = []
    for first, end in sorted(spans):
        if joined and first - joined[-1][1] <= NEAR:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((first, end))
    return joined


def _header(parts: Parts) -> tuple[Any, int, int]:
    """The header as JSON has it, where it ends, and the length of the file."""
    start = parts.read(0, FIRST_READ)
    total = parts.total or 0
    end = 8 + int.from_bytes(start[:8], "little")
    if len(start) < 8 or end > min(total, 8 + MOST_HEADER):
        raise _Unfit("it has no header of a credible length")
    raw = start[8:end]
    if end > len(start):
        raw += parts.read(len(start), end)
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as fault:
        raise _Unfit("its header cannot be read") from fault
    return header, end, total


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands twice")
    return table


def _places(header: Any, begin: int, total: int, cut: Cut) -> dict[str, Span]:
    """Where in the file the tensors wanted lie; every tensor must have a place of its own."""
    if not isinstance(header, dict):
        raise _Unfit("its header is no table")
    places = {
        name: _place(name, entry, begin, total)
        for name, entry in header.items()
        if name != "__metadata__"
    }
    end = begin
    for first, following in sorted(places.values()):
        if first < end:
            raise _Unfit("its tensors overlap")
        end = following
    for name, shape in cut.shapes.items():
        if name not in places:
            raise _Unfit(f"it has no tensor {name}")
        if header[name].get("dtype") != "F32" or header[name].get("shape") != list(shape):
            raise _Unfit(f"its tensor {name} has another type or shape")
        if places[name][1] - places[name][0] != 4 * math.prod(shape):
            raise _Unfit(f"the place of its tensor {name} does not fit the shape")
    return {name: places[name] for name in cut.shapes}


def _place(name: str, entry: Any, begin: int, total: int) -> Span:
    match entry:
        case {"data_offsets": [int(first), int(end)]} if 0 <= first <= end <= total - begin:
            return begin + first, begin + end
    raise _Unfit(f"its tensor {name[:80]!r} has no place in it")


def _check_values(tensors: dict[str, Tensor], cut: Cut) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise _Unfit(f"its tensor {name} holds values that are no numbers")
    name, expected = cut.beginning
    found = tensors[name][: len(expected)]
    if not torch.allclose(found, torch.tensor(expected), rtol=CLOSE[0], atol=CLOSE[1]):
        raise _Unfit(f"its tensor {name} begins with other values than those published")
