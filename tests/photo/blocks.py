"""EXIF blocks built for tests."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

DESCRIPTION, MODEL, ORIENTATION, DATE_TIME, SOFTWARE = 0x010E, 0x0110, 0x0112, 0x0132, 0x0131
DATE_TAKEN, MAKER_NOTE = 0x9003, 0x927C
CAMERA, GPS = 0x8769, 0x8825
EXPOSURE_TIME, ISO, WIDTH, HEIGHT = 0x829A, 0x8827, 0xA002, 0xA003
LATITUDE_REF, LATITUDE = 1, 2


def block(orientation: int = 1, comment: bytes = b"", maker_note: bytes = b"") -> bytes:
    """A camera's block, from the byte-order mark on."""
    exif = Image.Exif()
    if comment:
        exif[DESCRIPTION] = comment.decode()
    exif[MODEL] = "Night Owl 3"
    exif[DATE_TIME] = "2024:06:21 12:00:00"
    exif[ORIENTATION] = orientation
    camera = {EXPOSURE_TIME: 0.004, ISO: 200, WIDTH: 999, HEIGHT: 998}
    camera[DATE_TAKEN] = "2024:06:21 12:00:00"
    if maker_note:
        camera[MAKER_NOTE] = maker_note
    exif[CAMERA] = camera
    exif[GPS] = {LATITUDE_REF: "S", LATITUDE: (24.0, 59.0, 30.0)}
    return exif.tobytes().removeprefix(b"Exif\0\0")


def jpeg(width: int = 40, height: int = 30) -> bytes:
    """A small JPEG picture of noise, as no other is."""
    noise = np.random.default_rng(21).integers(0, 256, (height, width, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=90)
    return file.getvalue()


def with_thumbnail(exif: bytes, picture: bytes) -> bytes:
    """The block with a second directory, as cameras link their thumbnails."""
    order = "<" if exif[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "L", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, start)
    link = start + 2 + 12 * count
    place = len(exif) + 2 + 3 * 12 + 4
    directory = struct.pack(order + "HHHLHH", 3, 0x0103, 3, 1, 6, 0)
    directory += struct.pack(order + "HHLL", 0x0201, 4, 1, place)
    directory += struct.pack(order + "HHLLL", 0x0202, 4, 1, len(picture), 0)
    head = exif[:link] + struct.pack(order + "L", len(exif)) + exif[link + 4 :]
    return head + directory + picture


def parsed(exif: bytes | None) -> Image.Exif:
    assert exif is not None
    found = Image.Exif()
    found.load(exif)
    return found
