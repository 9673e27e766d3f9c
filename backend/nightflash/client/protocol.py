"""Messages as bytes: a JSON header, then raw pixel frames. PROTOCOL.md is the description.

Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nightflash.errors import Cancelled, NightFlashError

VERSION = 2
MAX_HEADER = 64 * 2**10  # bytes
MAX_FRAME = 256 * 2**20  # bytes; larger pictures go in strips
MAX_SIDE = 524_288  # pixels, GIMP's own limit
MAX_ID = 2**53 - 1  # the largest whole number that every JSON reader keeps exact
MAX_TEXT = 1000  # characters of a sentence
Sample = Literal["u8", "u16", "half", "float"]
SAMPLE_TYPES: dict[Sample, str] = {"u8": "<u1", "u16": "<u2", "half": "<f2", "float": "<f4"}
"""Sample to its type as numpy writes it: whole numbers are encoded sRGB, floats linear."""
MOST_CHANNELS = 4

Buffer = bytes | bytearray | memoryview
Header = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """Size and format of a picture in transport; strips of whole rows go top to bottom.

    Attributes:
        width, height: In pixels.
        sample: ``u8`` or ``u16``, encoded sRGB over the full range; ``half`` or ``float``, linear
            sRGB. Alpha is straight and linear in all. Little-endian.
        channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha, interleaved.

    Raises:
        NightFlashError: ``bad_request`` for a size or format that cannot be.
    """

    width: int
    height: int
    sample: Sample
    channels: int

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            if type(side) is not int or not 1 <= side <= MAX_SIDE:
                raise bad_request(f"The {name} of a picture is 1 to {MAX_SIDE}, not {side!r:.40}.")
        if not isinstance(self.sample, str) or self.sample not in SAMPLE_TYPES:
            known = ", ".join(SAMPLE_TYPES)
            raise bad_request(f"Samples are one of {known}, not {self.sample!r:.40}.")
        if type(self.channels) is not int or not 1 <= self.channels <= MOST_CHANNELS:
            raise bad_request(f"A picture has 1 to 4 channels, not {self.channels!r:.40}.")

    @classmethod
    def from_header(cls, description: object) -> Layout:
        """Read what a header says; unknown fields are ignored.

        Raises:
            NightFlashError: ``bad_request``.
        """
        if not isinstance(description, dict):
            raise bad_request("The layout of pixels is an object.")
        get = description.get
        return cls(get("width"), get("height"), get("sample"), get("channels"))  # type: ignore[arg-type]

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample."""
        return int(SAMPLE_TYPES[self.sample][-1])

    @property
    def row_bytes(self) -> int:
        """Bytes of one row; rows are not padded."""
        return self.width * self.channels * self.sample_bytes

    @property
    def bytes(self) -> int:
        """Bytes of all pixels."""
        return self.height * self.row_bytes

    def strips(self) -> Iterator[tuple[int, int]]:
        """First row and number of rows of every strip: as many as `MAX_FRAME` takes."""
        most = max(1, MAX_FRAME // self.row_bytes)
        for top in range(0, self.height, most):
            yield top, min(most, self.height - top)

    @property
    def strip_count(self) -> int:
        """How many strips, and thus frames, the picture has."""
        return -(-self.height // max(1, MAX_FRAME // self.row_bytes))


@dataclass(frozen=True)
class Pixels:
    """A picture in transport.

    Attributes:
        layout: Its size and format.
        strips: A buffer of bytes for each of ``layout.strips()``.

    Raises:
        NightFlashError: ``bad_request`` where the strips are not what the layout says.
    """

    layout: Layout
    strips: Sequence[Buffer] = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.strips) != self.layout.strip_count:
            raise bad_request(
                f"These pixels have {self.layout.strip_count} strips, not {len(self.strips)}."
            )
        for strip, (top, rows) in zip(self.strips, self.layout.strips(), strict=True):
            length, right = memoryview(strip).nbytes, rows * self.layout.row_bytes
            if length != right:
                raise bad_request(f"The strip at row {top} has {right} bytes, not {length}.")

    @classmethod
    def cut(cls, layout: Layout, data: Buffer) -> Pixels:
        """Make strips of pixels that lie in one piece, without copying them."""
        whole = memoryview(data).cast("B")
        row = layout.row_bytes
        strips = [whole[top * row : (top + rows) * row] for top, rows in layout.strips()]
        if len(whole) != layout.bytes:
            raise bad_request(f"These pixels have {layout.bytes} bytes, not {len(whole)}.")
        return cls(layout, strips)


@dataclass(frozen=True)
class Message:
    """A request or a reply.

    Attributes:
        header: A JSON object.
        pictures: The pixels that follow it, in order.
        parts: Coded parts of pictures (see `coding`), which follow those.
    """

    header: Header
    pictures: Sequence[Pixels] = ()
    parts: Sequence[Buffer] = ()

    def frames(self) -> list[Buffer]:
        """The frames to send.

        Raises:
            NightFlashError: ``bad_request`` for a header that is too long.
        """
        header = self.header
        if self.pictures:
            header = {**header, "pixels": [asdict(picture.layout) for picture in self.pictures]}
        if self.parts:
            header = {**header, "coded": len(self.parts)}
        encoded = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
        if len(encoded) > MAX_HEADER:
            raise bad_request(f"A header is at most {MAX_HEADER} bytes, not {len(encoded)}.")
        strips = (strip for picture in self.pictures for strip in picture.strips)
        return [encoded, *strips, *self.parts]

    @classmethod
    def from_frames(cls, header: Header, frames: Sequence[Buffer], most: int = 8) -> Message:
        """Put a header, as `read_header` gives it, and the frames behind it together.

        Args:
            header: The header.
            frames: All other frames of the message.
            most: Pictures that a message may hold.

        Raises:
            NightFlashError: ``bad_request`` where the frames do not fit the header.
        """
        layouts = header.get("pixels", [])
        if not isinstance(layouts, list) or len(layouts) > most:
            raise bad_request(f"The field 'pixels' is a list of at most {most} layouts.")
        pictures, used = [], 0
        for description in layouts:
            layout = Layout.from_header(description)
            count = layout.strip_count
            pictures.append(Pixels(layout, frames[used : used + count]))
            used += count
        coded = header.get("coded", 0)
        if type(coded) is not int or used + coded != len(frames):
            raise bad_request(f"The header does not tell of the {len(frames)} frames that came.")
        return cls(header, pictures, frames[used:])


def read_header(encoded: Buffer) -> Header:
    """Parse a header.

    Raises:
        NightFlashError: ``bad_request`` for anything but a JSON object of fair length.
    """
    if memoryview(encoded).nbytes > MAX_HEADER:
        raise bad_request(f"A header is at most {MAX_HEADER} bytes.")
    try:
        header = json.loads(bytes(encoded).decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise bad_request("The header is no JSON object.") from error
    if not isinstance(header, dict):
        raise bad_request("The header is no JSON object.")
    return header


def check_version(header: Header, own: str) -> None:
    """Refuse a header of another protocol.

    Args:
        header: It has a field ``v``.
        own: What this program calls itself to the other side.

    Raises:
        NightFlashError: ``wrong_version``, with both versions and what to do.
    """
    theirs = header.get("v")
    if theirs != VERSION or isinstance(theirs, bool):
        other = theirs if type(theirs) is int else "unknown"
        raise NightFlashError(
            f"This {own} speaks version {VERSION} of the protocol, and the other side version"
            f" {other!s:.20}.",
            "Update both NightFlash and its plug-in, run 'nightflash stop', and try again.",
            code="wrong_version",
        )


def error_reply(fault: NightFlashError) -> Message:
    """The reply that reports a fault."""
    fields = {"code": fault.code, "sentence": fault.sentence, "remedy": fault.remedy}
    return Message({"reply": "error", **{key: text[:MAX_TEXT] for key, text in fields.items()}})


def raise_fault(header: Header) -> None:
    """Raise the fault in the header of an ``error_reply``.

    Raises:
        NightFlashError: The fault.
        Cancelled: The work was stopped because this side wished it.
    """
    code = str(header.get("code"))
    if code == "cancelled":
        raise Cancelled
    raise NightFlashError(str(header.get("sentence")), str(header.get("remedy")), code=code)


def bad_request(sentence: str) -> NightFlashError:
    """A request that no sound client sends."""
    return NightFlashError(
        sentence, "Update NightFlash and its plug-in to the same version.", code="bad_request"
    )


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
