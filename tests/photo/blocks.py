"""EXIF blocks built for tests."""

from __future__ import annotations

import struct

from PIL import Image

MODEL, ORIENTATION, DATE_TIME = 0x0110, 0x0112, 0x0132
CAMERA, GPS = 0x8769, 0x8825
EXPOSURE_TIME, ISO, WIDTH, HEIGHT = 0x829A, 0x8827, 0xA002, 0xA003
LATITUDE_REF, LATITUDE = 1, 2


def block(orientation: int = 1) -> bytes:
    """A camera's block, from the byte-order mark on."""
    exif = Image.Exif()
    exif[MODEL] = "Night Owl 3"
    exif[DATE_TIME] = "2024:06:21 12:00:00"
    exif[ORIENTATION] = orientation
    exif[CAMERA] = {EXPOSURE_TIME: 0.004, ISO: 200, WIDTH: 999, HEIGHT: 998}
    exif[GPS] = {LATITUDE_REF: "S", LATITUDE: (24.0, 59.0, 30.0)}
    return exif.tobytes().removeprefix(b"Exif\0\0")


def with_thumbnail(exif: bytes) -> bytes:
    """The block with a second directory, as cameras link their thumbnails."""
    order = "<" if exif[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "L", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, start)
    link = start + 2 + 12 * count
    directory = struct.pack(order + "HHHLLL", 1, 0x0103, 3, 1, 6 << 16, 0)
    return exif[:link] + struct.pack(order + "L", len(exif)) + exif[link + 4 :] + directory


def parsed(exif: bytes | None) -> Image.Exif:
    assert exif is not None
    found = Image.Exif()
    found.load(exif)
    return found
