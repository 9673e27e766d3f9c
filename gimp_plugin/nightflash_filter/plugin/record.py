"""What a night keeps of how it was made, in parasites of its layer, so that it can be edited again.

Parasites come out of files that anyone may have made: whatever is read is checked, and what does
not serve is left out with a sentence. Nothing here needs GIMP.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nightflash.client.protocol import Layout, Pixels
from nightflash.settings import DEFAULTS, SETTING_INFO

from plugin.texts import translated as _

MARK = "nightflash-night"
"""The parasite of a night: JSON with ``photo`` (the tattoo of its layer), ``content`` (the digest
of its pixels), ``settings`` and ``point`` (shares of width and height, or null)."""
AIM = "nightflash-aim"
"""The parasite of what was drawn to aim with, in base 64, as GIMP's Python gives no byte above 127
to a parasite: width and height, then coverage 0..255, deflated."""
MOST = 2**16  # bytes of a mark
DIALOG_ONLY = "preview"  # the quality of what the dialog shows; no layer of full size
_SIZE = struct.Struct(">II")


@dataclass(frozen=True)
class Record:
    """How a night was made.

    Attributes:
        photo: The tattoo of the photo's layer.
        content: The `digest` of the photo, empty where it is not known.
        settings: As the backend takes them, each legal.
        point: Aimed at, in shares of the photo's width and height, or None.
        faults: Sentences about what could not be read.
    """

    photo: int
    content: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    point: tuple[float, float] | None = None
    faults: tuple[str, ...] = ()

    def mark(self) -> bytes:
        """The data of its parasite."""
        kept = {"photo": self.photo, "content": self.content, "settings": dict(self.settings)}
        return json.dumps({**kept, "point": self.point}).encode()

    @classmethod
    def read(cls, mark: bytes) -> Record | None:
        """Read the data of a parasite; None where not even the photo is known."""
        try:
            kept = json.loads(mark) if len(mark) <= MOST else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(kept, dict):
            return None
        photo = kept.get("photo")
        if type(photo) is not int or not 0 < photo < 2**32:
            return None
        content, point = kept.get("content"), kept.get("point")
        settings, faults = _legal(kept.get("settings"))
        if not (point is None or _is_point(point)):
            point = None
            faults.append(_("The place that this night was aimed at cannot be read."))
        return cls(
            photo,
            content if isinstance(content, str) else "",
            settings,
            None if point is None else (float(point[0]), float(point[1])),
            tuple(faults),
        )


def _legal(kept: Any) -> tuple[dict[str, Any], list[str]]:
    """The settings among what was kept, and a sentence where some are missing."""
    known = kept if isinstance(kept, dict) else {}
    settings = {
        name: known[name]
        for name, info in SETTING_INFO.items()
        if name in known and info.takes(known[name], DEFAULTS[name]) and known[name] != DIALOG_ONLY
    }
    if not settings:
        return {}, [_("The settings of this night were not kept: those used last are taken.")]
    if len(settings) < len(known):
        return settings, [_("Some settings of this night are not known here and were left out.")]
    return settings, []


def _is_point(kept: Any) -> bool:
    return (
        isinstance(kept, list)
        and len(kept) == 2
        and all(type(n) in (int, float) and math.isfinite(n) and 0 <= n <= 1 for n in kept)
    )


def digest(photo: Pixels) -> str:
    """A name for the pixels of a photo, equal where they are equal."""
    shape = photo.layout
    about = f"{shape.width}x{shape.height} {shape.sample} {shape.channels}"
    found = hashlib.sha256(about.encode())
    for strip in photo.strips:
        found.update(strip)
    return found.hexdigest()


def packed(drawn: Pixels) -> bytes:
    """The data of the parasite of what was drawn to aim with, u8 of one channel."""
    squeezed = zlib.compressobj(1)
    parts = [_SIZE.pack(drawn.layout.width, drawn.layout.height)]
    parts += [squeezed.compress(strip) for strip in drawn.strips]
    return base64.b64encode(b"".join([*parts, squeezed.flush()]))


def unpacked(data: bytes, size: tuple[int, int]) -> Pixels | None:
    """Read the data of such a parasite; None where it is none of a photo of this size."""
    layout, inflated = Layout(*size, "u8", 1), zlib.decompressobj()
    try:
        stored = base64.b64decode(data, validate=True)
        if len(stored) < _SIZE.size or _SIZE.unpack_from(stored) != size:
            return None
        drawn = inflated.decompress(memoryview(stored)[_SIZE.size :], layout.bytes)
    except (ValueError, zlib.error):
        return None
    # What would be more than the picture is not even looked at.
    return Pixels.cut(layout, drawn) if len(drawn) == layout.bytes else None
