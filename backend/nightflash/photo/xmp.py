"""XMP packets: what they say of the photo is kept, pictures in them are not (ISO 16684-1)."""

from __future__ import annotations

import datetime
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_TIFF, _EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
_XMP, _NOTE = "http://ns.adobe.com/xap/1.0/", "http://ns.adobe.com/xmp/note/"
_DC, _PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XML = "http://www.w3.org/XML/1998/namespace"
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
# Depth maps, gain maps, motion pictures and lists of the pictures in a file; proofs of its origin.
_OF_THE_DAY = (
    "http://ns.google.com/photos/1.0/", "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/", "http://ns.apple.com/pixeldatainfo/1.0/",
    "http://ns.adobe.com/xap/1.0/g/img/", "http://purl.org/dc/terms/",
    "http://ns.xiaomi.com/photos/1.0/",
)  # fmt: skip
_NAMES_OF_THE_DAY = {f"{{{_XMP}}}Thumbnails", f"{{{_NOTE}}}HasExtendedXMP"}
_DATA = re.compile(r"(?:[A-Za-z0-9+/]{60}\s?){6,}")  # base64, which no words are
_PREFIXES = {
    "x": _META, "rdf": _RDF, "tiff": _TIFF, "exif": _EXIF, "xmp": _XMP, "dc": _DC,
    "photoshop": _PHOTOSHOP, "Iptc4xmpExt": _IPTC_EXT,
}  # fmt: skip
_LONGEST = 8 * 2**20  # bytes
for _prefix, _uri in _PREFIXES.items():
    ET.register_namespace(_prefix, _uri)


def cleaned(
    packet: bytes | None, width: int, height: int, extended: bytes | None = None
) -> bytes | None:
    """A packet of an upright picture, without anything that shows the photo.

    Args:
        packet: As found in a file.
        width, height: Of the upright picture.
        extended: What a JPEG file has of it in further segments.

    Returns:
        The packet; None where there is none or it is damaged.
    """
    root = _parsed(packet)
    if root is None:
        return None
    more = _parsed(extended)
    if more is not None:
        _rdf(root).extend(_rdf(more).findall(f"{{{_RDF}}}Description"))
    _drop(root, _shows_the_day)
    size = {"ImageWidth": width, "ImageLength": height}
    pixels = {"PixelXDimension": width, "PixelYDimension": height}
    for space, values in ((_TIFF, {"Orientation": 1, **size}), (_EXIF, pixels)):
        for name, value in values.items():
            _change(root, f"{{{space}}}{name}", str(value))
    return _written(root)


def orientation(packet: bytes | None) -> int:
    """The orientation 1..8 in a packet; 1 where it has none."""
    root = _parsed(packet)
    value = "" if root is None else next(_values(root, f"{{{_TIFF}}}Orientation"), "")
    return int(value) if value in "12345678" and len(value) == 1 else 1


def without_gps(packet: bytes) -> bytes | None:
    """The packet without places."""
    root = _parsed(packet)
    if root is None:
        return None
    _drop(root, lambda name, text: re.search(r"\}(GPS|Location)", name) is not None)
    return _written(root)


def stamped(
    packet: bytes | None,
    size: tuple[int, int],
    software: str,
    changed: datetime.datetime | None,
    words: Mapping[str, tuple[str, ...]],
) -> bytes:
    """The packet of a result: what made it, when, and that it is no photo as it was taken.

    Args:
        packet: Of the photo, or None.
        size: (width, height) of the result.
        software: What made it.
        changed: When, or None for no date.
        words: The values of IPTC-IIM, by `IPTC_WORDS`; what the packet has already stays.
    """
    packet = cleaned(packet, *size)
    root = _parsed(packet)
    if root is None:
        root = ET.fromstring(f'<x:xmpmeta xmlns:x="{_META}"><r:RDF xmlns:r="{_RDF}"/></x:xmpmeta>')
    description = ET.SubElement(_rdf(root), f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
    own = {f"{{{_XMP}}}CreatorTool": software, f"{{{_IPTC_EXT}}}DigitalSourceType": _SOURCE_TYPE}
    if changed is not None:
        moment = changed.isoformat(timespec="seconds")
        own |= {f"{{{_XMP}}}ModifyDate": moment, f"{{{_XMP}}}MetadataDate": moment}
    _drop(root, lambda name, text: name in own)
    for name, value in own.items():
        ET.SubElement(description, name).text = value
    for name, values in words.items():
        if next(_values(root, name), None) is None:
            _add(description, name, values)
    return _written(root)


IPTC_WORDS = {
    5: f"{{{_DC}}}title", 25: f"{{{_DC}}}subject", 55: f"{{{_PHOTOSHOP}}}DateCreated",
    80: f"{{{_DC}}}creator", 90: f"{{{_PHOTOSHOP}}}City", 95: f"{{{_PHOTOSHOP}}}State",
    101: f"{{{_PHOTOSHOP}}}Country", 105: f"{{{_PHOTOSHOP}}}Headline",
    110: f"{{{_PHOTOSHOP}}}Credit", 115: f"{{{_PHOTOSHOP}}}Source", 116: f"{{{_DC}}}rights",
    120: f"{{{_DC}}}description",
}  # fmt: skip
"""What datasets of IPTC-IIM's application record are called in XMP."""

_LISTS = {
    f"{{{_DC}}}title": "Alt", f"{{{_DC}}}rights": "Alt", f"{{{_DC}}}description": "Alt",
    f"{{{_DC}}}subject": "Bag", f"{{{_DC}}}creator": "Seq",
}  # fmt: skip


def _add(description: ET.Element, name: str, values: tuple[str, ...]) -> None:
    element = ET.SubElement(description, name)
    kind = _LISTS.get(name)
    if kind is None:
        element.text = values[0]
        return
    items = ET.SubElement(element, f"{{{_RDF}}}{kind}")
    for value in values:
        item = ET.SubElement(items, f"{{{_RDF}}}li")
        item.text = value
        if kind == "Alt":
            item.set(f"{{{_XML}}}lang", "x-default")


def _parsed(packet: bytes | None) -> ET.Element | None:
    """The packet's tree, if it is a plain one: entities could be bombs."""
    if not packet or len(packet) > _LONGEST or b"<!" in packet.replace(b"<!--", b""):
        return None
    try:
        start = packet.index(b"<")
        events = ET.iterparse(io.BytesIO(packet[start:].rstrip(b"\0 \r\n\t")), ("start-ns", "end"))
        for event, found in events:
            if event == "start-ns" and _is_of_the_file(*found):
                ET.register_namespace(*found)
        root: ET.Element = events.root  # type: ignore[attr-defined]
        return (
            root
            if root.tag == f"{{{_RDF}}}RDF" or root.find(f"{{{_RDF}}}RDF") is not None
            else None
        )
    except (ET.ParseError, ValueError):
        return None


def _is_of_the_file(prefix: str, space: str) -> bool:
    """Whether a file may choose the prefix of a space: it is neither fixed nor ElementTree's."""
    taken = prefix in _PREFIXES or space in _PREFIXES.values()
    return not taken and re.fullmatch(r"ns\d+|xml|", prefix) is None


def _rdf(root: ET.Element) -> ET.Element:
    found = root.find(f"{{{_RDF}}}RDF")
    return root if found is None else found


def _shows_the_day(name: str, text: str) -> bool:
    space = name[1:].partition("}")[0]
    return (
        name in _NAMES_OF_THE_DAY or space.startswith(_OF_THE_DAY) or _DATA.search(text) is not None
    )


def _drop(element: ET.Element, gone: Callable[[str, str], bool]) -> None:
    """Removes the properties, at any depth, for whose name and text it is true."""
    for name, value in list(element.attrib.items()):
        if gone(name, value):
            del element.attrib[name]
    for child in list(element):
        if gone(child.tag, child.text or ""):
            element.remove(child)
        else:
            _drop(child, gone)


def _values(root: ET.Element, name: str) -> Iterator[str]:
    for element in root.iter():
        if name in element.attrib:
            yield element.attrib[name]
        if element.tag == name:
            yield (element.text or "").strip()


def _change(root: ET.Element, name: str, value: str) -> None:
    for element in root.iter():
        if name in element.attrib:
            element.set(name, value)
        if element.tag == name:
            element.text = value


def _written(root: ET.Element) -> bytes:
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=False)
    mark = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'.encode()
    return mark + body + b'\n<?xpacket end="w"?>'
