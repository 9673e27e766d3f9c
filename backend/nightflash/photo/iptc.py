"""IPTC-IIM datasets, and the Photoshop resources that carry them (IIM 4.2; Photoshop's format)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping

_APPLICATION = 2
_ENVELOPES = (1, 2)  # records that describe the photo; later ones hold it
_PREVIEWS = range(200, 203)
_CHARACTERS = (1, 90)
_UTF8 = b"\x1b%G"
_IPTC, _DIGEST = 0x0404, 0x0425


def cleaned(data: bytes | None) -> bytes | None:
    """The datasets that describe the photo, without previews; None where there are none."""
    kept = b""
    for record, number, content in _datasets(data or b""):
        if record in _ENVELOPES and not (record == _APPLICATION and number in _PREVIEWS):
            kept += struct.pack(">BBBH", 0x1C, record, number, len(content)) + content
    return kept or None


def words(data: bytes | None, names: Mapping[int, str]) -> tuple[dict[str, tuple[str, ...]], bool]:
    """The values of the application record, by names for its numbers.

    Returns:
        The values by name, and whether there are others that have no name.
    """
    found: dict[str, tuple[str, ...]] = {}
    rest = False
    datasets = list(_datasets(data or b""))
    characters = [content for *place, content in datasets if tuple(place) == _CHARACTERS]
    for record, number, content in datasets:
        if record != _APPLICATION or number == 0:
            continue
        if number not in names:
            rest = True
            continue
        text = _text(content, bool(characters) and characters[0] == _UTF8)
        found[names[number]] = (*found.get(names[number], ()), text)
    return found, rest


def _text(content: bytes, utf8: bool) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("utf-8" if utf8 else "latin-1", "replace")


def _datasets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    place = 0
    while place + 5 <= len(data) and data[place] == 0x1C:
        record, number, size = struct.unpack_from(">BBH", data, place + 1)
        if size >= 0x8000 or place + 5 + size > len(data):  # longer than metadata is
            return
        yield record, number, data[place + 5 : place + 5 + size]
        place += 5 + size


def from_photoshop(resources: bytes) -> bytes | None:
    """The datasets in Photoshop's resources, or None."""
    place = 0
    while resources[place : place + 4] == b"8BIM" and place + 12 <= len(resources):
        (number,) = struct.unpack_from(">H", resources, place + 4)
        name = 1 + resources[place + 6]
        place += 6 + name + name % 2
        size = int.from_bytes(resources[place : place + 4])
        if number == _IPTC:
            return resources[place + 4 : place + 4 + size]
        place += 4 + size + size % 2
    return None


def to_photoshop(data: bytes) -> bytes:
    """Photoshop's resources with the datasets and their digest alone in them."""
    return _resource(_IPTC, data) + _resource(
        _DIGEST, hashlib.md5(data, usedforsecurity=False).digest()
    )


def _resource(number: int, data: bytes) -> bytes:
    return struct.pack(">4sH2xL", b"8BIM", number, len(data)) + data + b"\0" * (len(data) % 2)
