"""Parts of picture files, put together by hand."""

from __future__ import annotations

import base64
import re
import struct
import zlib

import numpy as np


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    body = name + content
    return struct.pack(">L", len(content)) + body + struct.pack(">L", zlib.crc32(body))


def box(name: bytes, content: bytes) -> bytes:
    """A box of an ISO media file."""
    return struct.pack(">L4s", 8 + len(content), name) + content


def tiff(codes: np.ndarray, **tags: int) -> bytes:
    """A TIFF file of unsigned samples (H, W, C), with these tags beside the usual ones."""
    names = {"photometric": 262, "kind": 254}
    height, width, channels = codes.shape
    data = codes.astype(codes.dtype.newbyteorder("<")).tobytes()
    data += b"\0" * (len(data) % 2)
    bits = struct.pack(f"<{channels}H", *[8 * codes.dtype.itemsize] * channels)
    found = {256: width, 257: height, 258: 0, 259: 1, 262: 2, 273: 8, 277: channels,
             278: height, 279: len(data)}  # fmt: skip
    found |= {names[name]: value for name, value in tags.items()}
    entries = b""
    for tag in sorted(found):
        if tag == 258 and channels > 2:
            entries += struct.pack("<HHLL", tag, 3, channels, 8 + len(data))
        else:
            value = 8 * codes.dtype.itemsize if tag == 258 else found[tag]
            entries += struct.pack("<HHLL", tag, 4, 1, value)
    head = b"II*\0" + struct.pack("<L", 8 + len(data) + len(bits))
    return head + data + bits + struct.pack("<H", len(found)) + entries + b"\0\0\0\0"


def interlaced_png(codes: np.ndarray, filtered: int = 0) -> bytes:
    """A PNG file of 16 bits (H, W, 1 or 3) in Adam7's order, with the number of a filter."""
    height, width, channels = codes.shape
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
              (1, 0, 2, 1))  # fmt: skip
    rows = b""
    for y, x, down, across in passes:
        for row in codes[y::down, x::across].astype(">u2"):
            rows += bytes([filtered]) + row.tobytes() if row.size else b""
    head = struct.pack(">LL5B", width, height, 16, 0 if channels == 1 else 2, 0, 0, 1)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def resource(number: int, content: bytes) -> bytes:
    """A resource of Photoshop's."""
    head = struct.pack(">4sH2xL", b"8BIM", number, len(content))
    return head + content + b"\0" * (len(content) % 2)


def iptc() -> bytes:
    """Datasets: the characters, a title, two keywords, the rights, a preview, and another word."""
    words = ((1, 90, b"\x1b%G"), (2, 5, "Füchse".encode()), (2, 25, b"fox"), (2, 25, b"night"),
             (2, 116, b"(c) A"), (2, 40, b"no flash"), (2, 202, b"p" * 900))  # fmt: skip
    return b"".join(struct.pack(">BBBH", 0x1C, r, n, len(w)) + w for r, n, w in words)


def xmp(properties: str, attributes: str = "") -> bytes:
    """A packet with these properties in it."""
    spaces = {
        "xmp": "http://ns.adobe.com/xap/1.0/", "dc": "http://purl.org/dc/elements/1.1/",
        "xmpGImg": "http://ns.adobe.com/xap/1.0/g/img/", "tiff": "http://ns.adobe.com/tiff/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/", "dcterms": "http://purl.org/dc/terms/",
    }  # fmt: skip
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} {attributes}>{properties}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def unpacked(data: bytes) -> list[bytes]:
    """What is deflated, in hex or in base64 in a file."""
    found = []
    for place in (match.start() for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data)):
        try:
            found.append(zlib.decompressobj().decompress(data[place:]))
        except zlib.error:
            continue
    for layer in (data, *found[:]):
        for text in re.findall(rb"[0-9a-fA-F\n]{200,}", layer):
            digits = text.replace(b"\n", b"")
            found.append(bytes.fromhex(digits[: len(digits) // 2 * 2].decode()))
        for text in re.findall(rb"[A-Za-z0-9+/]{200,}", layer):
            found += [_base64(text[i:]) for i in range(4)]
    return found


def _base64(text: bytes) -> bytes:
    """Base64 that begins anywhere, decoded as far as it goes."""
    return base64.b64decode(text[: len(text) // 4 * 4])


def jpegs(data: bytes) -> list[bytes]:
    """JPEG pictures inside a file, not the file itself."""
    places = [m.start() for m in re.finditer(rb"\xff\xd8\xff", data) if m.start()]
    return [data[place:] for place in places]
