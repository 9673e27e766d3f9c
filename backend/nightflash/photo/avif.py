"""AVIF files written: the pictures by libavif, metadata and profiles put in beside them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import BinaryIO

import imagecodecs
import numpy as np

from .encoding import Cicp, Codes, Encoding
from .isobmff import box, boxes

_IDENTITY, _BT601, _BT2020 = 0, 6, 9
_EXIF, _XMP = b"Exif", b"mime"


def encode_avif(file: BinaryIO, codes: Codes, source: Encoding, quality: int) -> None:
    """Writes codes (H, W, 1 to 4), uint8, or uint16 of the full range as 10 or 12 bits.

    Args:
        file: An empty file.
        codes: What `Photo.to_encoded` returns.
        source: Depth, colour space and metadata to write.
        quality: 1 to 100; 100 is without loss.
    """
    depth = 8
    if codes.dtype == np.uint16:
        depth = source.depth or 12
        codes = np.rint(codes * ((2**depth - 1) / 65535)).astype(np.uint16)
    if codes.shape[2] < 3:
        codes = np.concatenate([np.repeat(codes[..., :1], 3, -1), codes[..., 1:]], -1)
    space = source.cicp or Cicp(1, 13)
    lossy = _BT2020 if space.primaries == _BT2020 else _BT601
    encoded = imagecodecs.avif_encode(
        np.ascontiguousarray(codes),
        level=quality,
        speed=7,
        bitspersample=depth,
        pixelformat="yuv444",
        primaries=space.primaries,
        transfer=space.transfer,
        matrix=_IDENTITY if quality == 100 else lossy,
    )
    file.write(with_metadata(bytes(encoded), source.icc, source.exif, source.xmp))


def with_metadata(data: bytes, icc: bytes | None, exif: bytes | None, xmp: bytes | None) -> bytes:
    """The file with a profile, an EXIF block and an XMP packet in it.

    Raises:
        ValueError: Its boxes are not those of a still picture.
    """
    top = {name: (start, end) for name, start, end in boxes(data)}
    start, end = top[b"meta"]
    parts = {name: data[first:last] for name, first, last in boxes(data, start + 4, end)}
    primary = struct.unpack(">H", parts[b"pitm"][4:6])[0]
    number = struct.unpack(">H", parts[b"iinf"][4:6])[0]
    payloads = []
    if exif is not None:
        payloads.append((_EXIF, b"\0\0\0\0" + exif))
    if xmp is not None:
        payloads.append((_XMP, xmp))
    ids = range(number + 1, number + 1 + len(payloads))
    described = b"".join(_item(i, kind) for i, (kind, _) in zip(ids, payloads, strict=True))
    parts[b"iinf"] = (
        parts[b"iinf"][:4] + struct.pack(">H", number + len(ids)) + parts[b"iinf"][6:] + described
    )
    links = b"".join(box(b"cdsc", struct.pack(">HHH", i, 1, primary)) for i in ids)
    if links:
        parts[b"iref"] = parts.get(b"iref", b"\0\0\0\0") + links
    if icc is not None:
        parts[b"iprp"] = _with_profile(parts[b"iprp"], primary, icc)
    located = parts[b"iloc"]
    parts[b"iloc"] = _moved(located, 0, ids, [len(p) for _, p in payloads], 0)
    head = data[start : start + 4]
    growth = len(_meta(head, parts)) - (end - start + 8)
    sizes = [len(payload) for _, payload in payloads]
    parts[b"iloc"] = _moved(located, growth, ids, sizes, len(data) + growth + 8)
    added = box(b"mdat", *(payload for _, payload in payloads)) if payloads else b""
    return data[: start - 8] + _meta(head, parts) + data[end:] + added


def _meta(head: bytes, parts: Mapping[bytes, bytes]) -> bytes:
    """The box of metadata, its parts in the order that readers expect."""
    first = (b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp")
    order = [name for name in first if name in parts] + [n for n in parts if n not in first]
    return box(b"meta", head, *(box(name, parts[name]) for name in order))


def _item(number: int, kind: bytes) -> bytes:
    name = b"\0application/rdf+xml\0\0" if kind == _XMP else b"\0"
    return box(b"infe", b"\2\0\0\1", struct.pack(">HH", number, 0), kind, name)


def _with_profile(content: bytes, primary: int, icc: bytes) -> bytes:
    """The item properties with a profile among them, which belongs to the primary item."""
    parts = {name: content[start:end] for name, start, end in boxes(content)}
    properties = len(list(boxes(parts[b"ipco"]))) + 1
    links = parts[b"ipma"]
    if links[0] != 0 or links[3] & 1 or properties > 0x7F:
        raise ValueError("properties of another kind")
    (count,) = struct.unpack(">L", links[4:8])
    made, place = links[:8], 8
    for _ in range(count):
        item, number = struct.unpack(">HB", links[place : place + 3])
        own = links[place + 3 : place + 3 + number]
        place += 3 + number
        own += bytes([properties]) * (item == primary)
        made += struct.pack(">HB", item, len(own)) + own
    colour = box(b"colr", b"prof", icc)
    return box(b"ipco", parts[b"ipco"], colour) + box(b"ipma", made)


def _moved(located: bytes, by: int, ids: range, sizes: list[int], place: int) -> bytes:
    """The table of places (iloc, version 0, four bytes each) moved, with further items in it."""
    if located[0] != 0 or located[4:6] != b"\x44\0":
        raise ValueError("places of another kind")
    (count,) = struct.unpack(">H", located[6:8])
    made = located[:6] + struct.pack(">H", count + len(ids))
    at = 8
    for _ in range(count):
        item, reference, extents = struct.unpack(">HHH", located[at : at + 6])
        made += struct.pack(">HHH", item, reference, extents)
        at += 6
        for _ in range(extents):
            offset, size = struct.unpack(">LL", located[at : at + 8])
            made += struct.pack(">LL", offset + by, size)
            at += 8
    for item, size in zip(ids, sizes, strict=True):
        made += struct.pack(">HHHLL", item, 0, 1, place, size)
        place += size
    return made
