"""ICC profiles built for tests: by littleCMS from primaries, and by hand from tables."""

from __future__ import annotations

import itertools
import struct

import imagecodecs
import numpy as np

D65 = (0.3127, 0.3290)
D50 = (0.3457, 0.3585)
_PRIMARIES = {
    "srgb": (D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "adobe": (D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "p3": (D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    "prophoto": (D50, (0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)),
}


def rgb(name: str, gamma: float = 2.19921875) -> bytes:
    """A matrix profile with a pure power curve."""
    white, *primaries = _PRIMARIES[name]
    profile: bytes = imagecodecs.cms_profile(
        "rgb",
        whitepoint=[*white, 1.0],
        primaries=[value for primary in primaries for value in (*primary, 1.0)],
        gamma=gamma,
    )
    return profile


def srgb() -> bytes:
    profile: bytes = imagecodecs.cms_profile("srgb")
    return profile


def display_p3() -> bytes:
    """P3 primaries with the curve of sRGB."""
    return with_curves(rgb("p3"), parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))


def grey(gamma: float = 1.8) -> bytes:
    curve = struct.pack(">4s4xLH2x", b"curv", 1, round(gamma * 256))
    return _assembled(b"GRAY", b"XYZ ", {b"kTRC": curve, b"wtpt": _WHITE})


def with_curves(profile: bytes, curve: bytes) -> bytes:
    """A matrix profile with another curve on all three channels."""
    tags = _tags(profile)
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _assembled(b"RGB ", b"XYZ ", {**tags, **curves})


def sampled(samples: np.ndarray) -> bytes:
    """A curve tag of samples 0..1."""
    codes = np.rint(samples * 65535).astype(">u2").tobytes()
    return struct.pack(">4s4xL", b"curv", len(samples)) + codes + b"\0" * (len(codes) % 4)


def parametric(kind: int, *values: float) -> bytes:
    """A parametric curve tag of a kind 0..4."""
    numbers = [round(value * 65536) for value in values]
    return struct.pack(f">4s4xH2x{len(numbers)}l", b"para", kind, *numbers)


def cmyk() -> bytes:
    """A press whose inks are ideal: L* falls with the ink laid on, blue goes to -b* and so on."""
    nodes = []
    for c, m, y, k in itertools.product((0.0, 1.0), repeat=4):
        light = (1 - k) * (1 - 0.3 * c - 0.4 * m - 0.1 * y)
        a = (1 - k) * (60 * m - 40 * c)
        b = (1 - k) * (70 * y - 40 * c)
        nodes += [round(light * 255), round(a) + 128, round(b) + 128]
    identity = bytes(range(256))
    table = struct.pack(">4s4x4B", b"mft1", 4, 3, 2, 0)
    table += struct.pack(">9l", *(65536 * int(i % 4 == 0) for i in range(9)))
    table += identity * 4 + bytes(nodes) + identity * 3
    return _assembled(b"CMYK", b"Lab ", {b"A2B0": table, b"wtpt": _WHITE}, kind=b"prtr")


def scanner(back: bytes | None) -> bytes:
    """A scanner's profile: a table from RGB to Lab, and this table back, if any."""
    nodes = []
    for r, g, b in itertools.product((0.0, 0.5, 1.0), repeat=3):
        light = 100 * (0.2 * r + 0.7 * g + 0.1 * b)
        nodes += [round(light * 2.55), round(60 * (r - g)) + 128, round(70 * (g - b)) + 128]
    table = _table(3, bytes(nodes))
    tags = {b"A2B0": table, b"wtpt": _WHITE, **({} if back is None else {b"B2A0": back})}
    return _assembled(b"RGB ", b"Lab ", tags, kind=b"scnr" if back is None else b"mntr")


def noop_table() -> bytes:
    """A table that gives what it is given."""
    nodes = itertools.product((0, 255), repeat=3)
    return _table(2, bytes(value for node in nodes for value in node))


def _table(grid: int, nodes: bytes) -> bytes:
    identity = bytes(range(256))
    table = struct.pack(">4s4x4B", b"mft1", 3, 3, grid, 0)
    table += struct.pack(">9l", *(65536 * int(i % 4 == 0) for i in range(9)))
    return table + identity * 3 + nodes + identity * 3


_WHITE = struct.pack(">4s4x3l", b"XYZ ", *(round(v * 65536) for v in (0.9642, 1.0, 0.8249)))


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">L", profile, 128)
    entries = [struct.unpack_from(">4sLL", profile, 132 + 12 * i) for i in range(count)]
    return {name: profile[start : start + size] for name, start, size in entries}


def _assembled(
    model: bytes, connection: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr"
) -> bytes:
    head = struct.pack(">4s4s4s", kind, model, connection) + b"\0" * 12 + b"acsp"
    head = struct.pack(">L4sL", 0, b"\0\0\0\0", 0x02400000) + head
    head = head.ljust(68, b"\0") + _WHITE[8:]
    head = head.ljust(128, b"\0")
    directory, data = struct.pack(">L", len(tags)), b""
    start = len(head) + 4 + 12 * len(tags)
    for name, content in tags.items():
        directory += struct.pack(">4sLL", name, start + len(data), len(content))
        data += content + b"\0" * (-len(content) % 4)
    profile = head + directory + data
    return struct.pack(">L", len(profile)) + profile[4:]
