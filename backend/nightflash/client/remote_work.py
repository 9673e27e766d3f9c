"""Work of a remote's: a first look at few pixels, and a result that comes in parts.

Standard library only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from nightflash.client.link import BackendLost, Link, Request
from nightflash.client.order import Order
from nightflash.client.progress import ReportProgress
from nightflash.client.protocol import Message, Pixels
from nightflash.client.reduced import reduced, reduced_aim, step_of
from nightflash.client.transfer import Download, unpacked
from nightflash.errors import NightFlashError
from nightflash.settings import Settings

Begin = Callable[[Order, ReportProgress, threading.Event | None], Message]
Connect = Callable[[ReportProgress, threading.Event | None], Link]


class Reduced:
    """Pictures with fewer pixels, made once."""

    def __init__(self) -> None:
        self._small: dict[int, tuple[Pixels, Pixels]] = {}  # by the whole one's id: it, the small

    def order(self, order: Order) -> Order:
        """The same of a photo with fewer pixels, where that does not show."""
        wanted = (order.fields.get("settings") or {}).get("working_size")
        if not isinstance(wanted, (int, float)) or wanted <= 0:
            wanted = Settings().working_size
        step = step_of(order.photo.layout, wanted)
        if order.request == "render" or order.fields.get("region") is not None or step == 1:
            return order
        photo = self._of(order.photo, step)
        mask = None if order.mask is None else self._of(order.mask, step)
        aim = reduced_aim(order.aim, order.photo.layout, photo.layout)
        return replace(order, photo=photo, mask=mask, aim=aim)

    def _of(self, pixels: Pixels, step: int) -> Pixels:
        if id(pixels) not in self._small:
            self._small[id(pixels)] = pixels, reduced(pixels, step)
        return self._small[id(pixels)][1]

    def forget(self, pixels: Pixels) -> Pixels | None:
        """Forget the small one of a picture; gives it."""
        return self._small.pop(id(pixels), (None, None))[1]


class RemoteWork:
    """One order's work, which goes on where the line broke.

    Args:
        order: What is wanted.
        seen: The same, of the photo that the remote is to see.
        begin: Sends what the remote lacks, and gives the result.
    """

    def __init__(self, order: Order, seen: Order, begin: Begin) -> None:
        self._order, self._seen, self._begin = order, replace(seen, parts=True), begin
        self._download: Download | None = None

    def go_on(
        self, connect: Connect, report_progress: ReportProgress, cancel: threading.Event | None
    ) -> Message:
        """Have the work done, or fetch what is left of its result.

        Args:
            connect: Gives the link to the remote.
            report_progress, cancel: As for `Client.work`.

        Raises:
            NightFlashError: As `Client.work`.
        """
        if self._download is None:
            result = self._begin(self._seen, report_progress, cancel)
            if "handles" not in result.header:
                return self._seen.told_of(self._order, unpacked(result))
            self._download = Download(result)
        link = connect(report_progress, cancel)
        try:
            fetched = self._download.go_on(link, report_progress, cancel)
            link.exchange(Request({"request": "drop", "handles": self._download.handles}))
        except BackendLost:
            raise
        except NightFlashError:  # such as that it is kept there no more
            self._download = None
            raise
        return self._seen.told_of(self._order, fetched)
