"""Pictures of clients from elsewhere, which come and go part by part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace

from nightflash.client.coding import encoded, part_count, part_of
from nightflash.client.protocol import Buffer, Header, Layout, Message, Pixels, bad_request
from nightflash.server.listeners import Peer
from nightflash.server.uploads import Uploads

DIGEST = re.compile("[0-9a-f]{64}")
MOST_OF_PART = 2**23 + 2**16  # bytes of a frame: a coded row of the longest
INLINE_BYTES = 2**21  # of the pictures of a result, over which they are fetched part by part


class Parts:
    """The pictures that clients from elsewhere have here.

    Args:
        uploads: Keeps them.
        limit: Bytes of all pictures of one client; its oldest make room.
    """

    def __init__(self, uploads: Uploads, limit: int) -> None:
        self._uploads, self._limit = uploads, min(limit, uploads.limit)

    def begin(self, header: Header, owner: Peer) -> Header:
        """Make room for a picture, or find what of it is here already.

        Raises:
            NightFlashError: ``bad_request``, ``too_large`` or ``busy``; no memory is taken then.
        """
        layout, digest = Layout.from_header(header.get("layout")), header.get("digest")
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            raise bad_request("The field 'digest' is a SHA-256 in hexadecimal digits.")
        for handle, upload in self._uploads.of(owner):
            if upload.digest == digest and upload.layout == layout:
                return {"handle": handle, "parts": upload.parts}
        self._make_room(owner, layout.bytes)
        handle = self._uploads.put(Pixels.cut(layout, bytearray(layout.bytes)), owner)
        upload = self._uploads.get(handle)
        upload.digest, upload.parts = digest, 0
        return {"handle": handle, "parts": 0}

    def take(self, header: Header, parts: Sequence[Buffer]) -> Header:
        """Take a part in; they come in order, and one that is here already does no harm.

        Raises:
            NightFlashError: ``bad_request`` or ``unknown_handle``.
        """
        upload, number = self._uploads.get(header.get("handle")), header.get("part")
        if type(number) is not int or len(parts) != 1 or upload.parts is None:
            raise bad_request("A part is one frame of a picture that was begun, with its number.")
        if not 0 <= number < upload.parts:
            upload.take(number, parts[0])
        return {"parts": upload.parts}

    def fetch(self, header: Header) -> Message:
        """A part of a picture.

        Raises:
            NightFlashError: ``bad_request`` or ``unknown_handle``.
        """
        pixels = self._uploads.whole(header.get("handle")).pixels
        number = header.get("part")
        if type(number) is not int:
            raise bad_request("The field 'part' is a whole number.")
        coded = encoded(part_of(pixels, number), pixels.layout)
        return Message({"reply": "result"}, parts=[coded])

    def drop(self, header: Header) -> Header:
        """Forget pictures.

        Raises:
            NightFlashError: ``bad_request``.
        """
        handles = header.get("handles", [header.get("handle")])
        if not isinstance(handles, list):
            raise bad_request("The field 'handles' is a list.")
        for handle in handles:
            self._uploads.drop(str(handle))
        return {}

    def kept(self, result: Message, owner: Peer) -> Message:
        """A result whose pictures are kept here, to be fetched.

        Raises:
            NightFlashError: ``too_large`` or ``busy``.
        """
        handles = []
        for picture in result.pictures:
            self._make_room(owner, picture.layout.bytes)
            handles.append(self._uploads.put(picture, owner))
        header = {**result.header, "handles": handles, "layouts": _layouts(result)}
        return replace(result, header=header, pictures=())

    def _make_room(self, owner: Peer, size: int) -> None:
        self._uploads.make_room_of(owner, size, self._limit)
        self._uploads.reserve(size)


def packed(result: Message) -> Message:
    """A result with its pictures coded, unless they are large: these are fetched."""
    size = sum(picture.layout.bytes for picture in result.pictures)
    if not 0 < size <= INLINE_BYTES:
        return result
    parts = [
        encoded(part_of(picture, number), picture.layout)
        for picture in result.pictures
        for number in range(part_count(picture.layout))
    ]
    header = {**result.header, "layouts": _layouts(result)}
    return replace(result, header=header, pictures=(), parts=parts)


def _layouts(result: Message) -> list[Header]:
    return [asdict(picture.layout) for picture in result.pictures]
