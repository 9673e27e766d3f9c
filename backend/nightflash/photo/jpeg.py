"""JPEG files: what their segments hold, and the kinds that Pillow does not read."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import imagecodecs
import numpy as np
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from .encoding import Codes, JpegTables
from .iptc import from_photoshop

_SCAN, _END = 0xDA, 0xD9
_MARKS = re.compile(rb"\xff[\xda\xd9]")
_STANDALONE = (0x01, *range(0xD0, 0xD9))
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
_BY_PILLOW = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_APP1, _APP2, _APP11, _APP13 = 0xE1, 0xE2, 0xEB, 0xED
_XMP, _EXTENDED = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_GUID_AND_PLACE = 32 + 4 + 4
_GAIN_MAPS = (b"hdr-gain-map", b"HDRGainMap", b"hdrgm:")


@dataclass
class Segments:
    """What the segments of a JPEG file hold.

    Attributes:
        process: The marker of its frame: 0xC0 baseline, 0xC2 progressive, 0xC3 lossless ...
        precision: Bits per sample.
        size: (width, height).
        exif: Its EXIF block, prefix and all.
        icc: Its ICC profile.
        xmp, extended: Its XMP packet, and what is too long for one segment of it.
        iptc: Its IPTC-IIM datasets.
        density: Pixels per inch in its JFIF header, where that has a unit.
        c2pa: Whether it has a manifest of its origin.
        gain_map: Whether it has a second picture for bright displays.
    """

    process: int = 0
    precision: int = 8
    xmp: bytes | None = None
    extended: bytes | None = None
    iptc: bytes | None = None
    density: tuple[float, float] | None = None
    size: tuple[int, int] = (0, 0)
    exif: bytes | None = None
    icc: bytes | None = None
    c2pa: bool = False
    gain_map: bool = False
    _parts: dict[int, bytes] = field(default_factory=dict)


def segments(data: bytes) -> Segments:
    """The segments before the first scan."""
    found = Segments()
    photoshop = b""
    for marker, content in _segments(data):
        if marker in _FRAMES and len(content) >= 5:
            found.process, found.precision = marker, content[0]
            height, width = struct.unpack_from(">HH", content, 1)
            found.size = width, height
        elif marker == _APP1 and content.startswith(b"Exif\0\0"):
            found.exif = found.exif or content
        elif marker == _APP2 and content.startswith(b"ICC_PROFILE\0"):
            found.icc = (found.icc or b"") + content[14:]
        elif marker == _APP1 and content.startswith(_XMP):
            found.xmp = content[len(_XMP) :]
        elif marker == _APP1 and content.startswith(_EXTENDED):
            place, part = len(_EXTENDED) + 36, len(_EXTENDED) + _GUID_AND_PLACE
            if part <= len(content):
                found._parts[struct.unpack_from(">L", content, place)[0]] = content[part:]
        elif marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 12:
            unit, x, y = struct.unpack_from(">BHH", content, 7)
            per_inch = {1: 1.0, 2: 2.54}.get(unit)
            found.density = (x * per_inch, y * per_inch) if per_inch else None
        elif marker == _APP11 and b"jumb" in content[:64]:
            found.c2pa = True
        elif marker == _APP13 and content.startswith(b"Photoshop 3.0\0"):
            photoshop += content[14:]
    found.iptc = from_photoshop(photoshop)
    found.extended = b"".join(found._parts[place] for place in sorted(found._parts)) or None
    found.gain_map = any(word in (found.xmp or b"") for word in _GAIN_MAPS)
    return found


def scans(data: bytes, most: int) -> int:
    """How many scans the picture has, counted up to ``most``; none of what is behind its end."""
    behind = max((place + len(content) for place, _, content in _placed(data)), default=2)
    found = 0
    for mark in _MARKS.finditer(data, behind):
        if mark[0][1] == _END:
            break
        found += 1
        if found == most:
            break
    return found


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    return ((marker, content) for _, marker, content in _placed(data))


def _placed(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Segments before the first scan: where the content begins, marker, content."""
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker in _STANDALONE:
            place += 2
            continue
        if marker in (_SCAN, _END):
            return
        (size,) = struct.unpack_from(">H", data, place + 2)
        yield place + 4, marker, data[place + 4 : place + 2 + size]
        place += 2 + size


def is_for_pillow(found: Segments) -> bool:
    """Whether Pillow reads the file, as it does those of 8 bits that are not lossless."""
    return found.precision == 8 and found.process in (0, *_BY_PILLOW)


def decode_uncommon(data: bytes, found: Segments) -> Codes:
    """Samples (H, W) or (H, W, C) of a file of 12 or 16 bits or of a lossless one, full range.

    Raises:
        Exception: It is of a kind that is not supported, or damaged.
    """
    samples = np.asarray(imagecodecs.jpeg_decode(data))
    if samples.dtype == np.uint8:
        return samples
    top = 2**found.precision - 1
    return np.rint(samples * np.float64(65535 / top)).clip(0, 65535).astype(np.uint16)


def tables(image: JpegImageFile) -> JpegTables | None:
    """How finely an open file was stored; None where a new file cannot be stored alike."""
    quantisation = image.quantization
    if image.mode == "L":
        return JpegTables((tuple(quantisation[min(quantisation)]),), 0) if quantisation else None
    in_ycc = image.mode == "RGB" and image.info.get("adobe_transform") != 0
    if not in_ycc or sorted(quantisation) != list(range(len(quantisation))):
        return None
    subsampling = get_sampling(image)
    if subsampling not in (0, 1, 2) or not 1 <= len(quantisation) <= 3:
        return None
    return JpegTables(tuple(tuple(quantisation[i]) for i in range(len(quantisation))), subsampling)
