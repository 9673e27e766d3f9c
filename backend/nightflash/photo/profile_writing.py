"""ICC profiles of a matrix and a curve, for what files describe in other ways (ICC.1:2022)."""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np

from .cicp import chromaticities_of, cicp_curve
from .encoding import Cicp, Curve, ParametricCurve
from .primaries import ADOBE_RGB, D50, Chromaticities, to_xyz

_SAMPLES = 4096
_D50 = (0.9642, 1.0, 0.8249)


def matrix_profile(name: str, chromaticities: Chromaticities, curve: Curve) -> bytes:
    """The profile of an RGB space.

    Args:
        name: What programs call it.
        chromaticities: Its primaries and white.
        curve: Its transfer curve, the same for all channels.

    Raises:
        numpy.linalg.LinAlgError: The primaries lie on one line.
        struct.error: They are out of all proportion.
    """
    return _assembled(_tags(name, chromaticities, curve))


@lru_cache(maxsize=8)
def cicp_profile(cicp: Cicp) -> bytes:
    """The profile of code points that `cicp_space` understands.

    HDR curves are described by the tag ``cicp``; programs that do not know it see all that is
    brighter than white as white.
    """
    tags = _tags(
        f"CICP {cicp.primaries}/{cicp.transfer}", chromaticities_of(cicp), cicp_curve(cicp)
    )
    if cicp.is_hdr:
        tags["cicp"] = struct.pack(">4s4x4B", b"cicp", cicp.primaries, cicp.transfer, 0, 1)
    return _assembled(tags)


@lru_cache(maxsize=1)
def adobe_rgb() -> bytes:
    """The profile of Adobe RGB (1998)."""
    return matrix_profile("Compatible with Adobe RGB (1998)", ADOBE_RGB, ParametricCurve(563 / 256))


def _tags(name: str, chromaticities: Chromaticities, curve: Curve) -> dict[str, bytes]:
    columns = to_xyz(chromaticities, D50).T
    tags = {"desc": _text(name), "cprt": _text("No copyright, use freely"), "wtpt": _xyz(*_D50)}
    tags |= {f"{c}XYZ": _xyz(*column) for c, column in zip("rgb", columns, strict=True)}
    return tags | dict.fromkeys(("rTRC", "gTRC", "bTRC"), _curve(curve))


def _curve(curve: Curve) -> bytes:
    if isinstance(curve, ParametricCurve):
        p = curve
        numbers = (p.gamma, p.a, p.b, p.c, p.d, p.e, p.f)
        return struct.pack(">4s4xH2x7l", b"para", 4, *map(_fixed, numbers))
    samples = np.clip(curve.decode(np.linspace(0, 1, _SAMPLES)), 0, 1)
    codes = np.rint(samples * 65535).astype(">u2").tobytes()
    return struct.pack(">4s4xL", b"curv", _SAMPLES) + codes


def _text(words: str) -> bytes:
    data = words.encode("utf-16-be")
    return struct.pack(">4s4xLL4sLL", b"mluc", 1, 12, b"enUS", len(data), 28) + data


def _xyz(x: float, y: float, z: float) -> bytes:
    return struct.pack(">4s4x3l", b"XYZ ", _fixed(x), _fixed(y), _fixed(z))


def _fixed(value: float) -> int:
    return round(value * 65536)


def _assembled(tags: dict[str, bytes]) -> bytes:
    directory, data = struct.pack(">L", len(tags)), b""
    places: dict[bytes, int] = {}
    start = 132 + 12 * len(tags)
    for name, content in tags.items():
        if content not in places:
            places[content] = start + len(data)
            data += content + b"\0" * (-len(content) % 4)
        directory += struct.pack(">4sLL", name.encode(), places[content], len(content))
    size = start + len(data)
    head = struct.pack(">L4xL4s4s4s12x4s", size, 0x04400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    head = head.ljust(68, b"\0") + _xyz(*_D50)[8:]
    return head.ljust(128, b"\0") + directory + data
