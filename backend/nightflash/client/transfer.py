"""Pictures over a slow line, part by part: coded, told of, and no part twice.

Standard library only.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace

from nightflash.client.coding import decoded, encoded, part_count, part_of, part_range
from nightflash.client.link import Link, Request
from nightflash.client.progress import ReportProgress
from nightflash.client.protocol import Header, Layout, Message, Pixels, bad_request
from nightflash.stages import TRANSFER

MOST_PICTURES = 8  # of a result


def send(
    link: Link, pixels: Pixels, report_progress: ReportProgress, cancel: threading.Event | None
) -> str:
    """Send a picture, but for what of it is there already; gives its handle.

    Raises:
        NightFlashError: As `Link.exchange`.
        Cancelled: ``cancel`` was set; what is there stays there for a while.
    """
    digest = hashlib.sha256()
    for strip in pixels.strips:
        digest.update(strip)
    layout = pixels.layout
    fields = {"layout": asdict(layout), "digest": digest.hexdigest()}
    begun = link.exchange(Request({"request": "begin", **fields})).header
    handle, there = str(begun["handle"]), int(begun["parts"])

    def parts() -> Iterator[Request]:
        for number in range(there, part_count(layout)):
            coded = encoded(part_of(pixels, number), layout)
            yield Request({"request": "part", "handle": handle, "part": number}, parts=[coded])

    for number, _ in enumerate(link.exchange_all(parts(), cancel), there):
        done, whole = _far(layout, number)
        sentence = f"Sending the picture: {done:.1f} of {whole:.1f} MB"
        report_progress(TRANSFER, done / whole, sentence)
    return handle


class Download:
    """Pictures of a result on their way, of which nothing is lost where the line breaks.

    Args:
        result: Names them by ``handles``.

    Raises:
        NightFlashError: ``bad_request`` where it does not.
    """

    def __init__(self, result: Message) -> None:
        self._header = result.header
        self._layouts = _layouts(result.header)
        handles = result.header["handles"]
        if not isinstance(handles, list) or len(handles) != len(self._layouts):
            raise bad_request("The result names its pictures wrongly.")
        self.handles = [str(handle) for handle in handles]
        self._there = [bytearray() for _ in self.handles]

    def go_on(
        self, link: Link, report_progress: ReportProgress, cancel: threading.Event | None
    ) -> Message:
        """Fetch what has not come yet; gives the result with its pictures.

        Raises:
            NightFlashError: As `Link.exchange`; ``unknown_handle`` where it is too late.
            Cancelled: ``cancel`` was set.
        """
        for handle, layout, there in zip(self.handles, self._layouts, self._there, strict=True):
            first = next(
                (n for n in range(part_count(layout)) if part_range(layout, n)[1] > len(there)),
                part_count(layout),
            )
            wanted = range(first, part_count(layout))
            requests = (
                Request({"request": "fetch", "handle": handle, "part": number}) for number in wanted
            )
            for number, answer in zip(wanted, link.exchange_all(requests, cancel), strict=True):
                start, end = part_range(layout, number)
                if len(answer.parts) != 1:
                    raise bad_request("A part of a picture did not come.")
                there += decoded(answer.parts[0], layout, end - start)
                done, whole = _far(layout, number)
                sentence = f"Receiving the picture: {done:.1f} of {whole:.1f} MB"
                report_progress(TRANSFER, done / whole, sentence)
        pictures = map(Pixels.cut, self._layouts, self._there)
        return Message(self._header, list(pictures))


def unpacked(result: Message) -> Message:
    """A result whose coded parts came with it, with its pictures.

    Raises:
        NightFlashError: ``bad_request`` where they do not fit.
    """
    layouts, parts, pictures = _layouts(result.header), iter(result.parts), []
    if len(result.parts) != sum(map(part_count, layouts)):
        raise bad_request("The result has not the parts that it tells of.")
    for layout in layouts:
        ranges = (part_range(layout, number) for number in range(part_count(layout)))
        rows = [decoded(next(parts), layout, end - start) for start, end in ranges]
        pictures.append(Pixels.cut(layout, b"".join(rows)))
    return replace(result, pictures=pictures, parts=())


def _layouts(header: Header) -> list[Layout]:
    described = header.get("layouts")
    if not isinstance(described, list) or len(described) > MOST_PICTURES:
        raise bad_request("The result does not tell the layouts of its pictures.")
    return [Layout.from_header(each) for each in described]


def _far(layout: Layout, number: int) -> tuple[float, float]:
    """How many MB of a picture there are after this part, and in all."""
    return part_range(layout, number)[1] / 1e6, layout.bytes / 1e6
