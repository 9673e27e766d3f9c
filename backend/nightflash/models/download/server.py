"""A file on a server that may stall, break off, change it midway or lie about its length."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Self, TypeVar
from urllib.parse import urljoin

import requests

from nightflash import __version__
from nightflash.models.download.hindrances import (
    FAULTS,
    Changed,
    Hand,
    Interrupted,
    Patience,
    RangesRefused,
    host_of,
    public,
    refusal,
    unreached,
)
from nightflash.models.download.sources import UNREACHED, Answer, Failed, Report, ignore

CHUNK = 2**16  # bytes read at once
MOST_REDIRECTS = 8
LENGTH = re.compile(r"\d{1,18}", re.ASCII)
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")

T = TypeVar("T")


class Remote:
    """A file on a server, all of whose parts are of one revision; a context manager.

    Proxies, their exceptions and trusted certificates are those of the usual environment variables.

    Args:
        url: Its address. Where that leads to the latest revision of a repository, the first answer
            pins the revision.
        name: What it is called in sentences.
        patience: How long to wait, and how often to try.
        report: Is given a sentence before each pause.

    Attributes:
        place: Its host, for sentences.
        total: Its length, once known.
    """

    def __init__(self, url: str, name: str, patience: Patience, report: Report = ignore) -> None:
        self.place = host_of(url)
        self.total: int | None = None
        self._name, self._patience, self._report = name, patience, report
        self._first_url = self._url = url
        self._etag = self._commit = ""
        self._failures = self._reached = self._reached_before = 0
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._session.close()

    @property
    def origin(self) -> dict[str, str]:
        """Where its bytes came from, for the file's metadata."""
        origin = {"url": public(self._first_url), "commit": self._commit, "etag": self._etag}
        return {key: value for key, value in origin.items() if value}

    def failed(self, fault: Failed) -> None:
        """Pause after a failure; the count starts again where the try before it brought something.

        That is what a server at the lowest speed allowed brings within the window: one that drips
        or breaks off after every byte does not keep a download going for days. Where the parts did
        not fit each other, the next answer may be of another revision.

        Raises:
            NightFlashError: ``fault``, where it is one too many in a row.
        """
        patience = self._patience
        if self._reached - self._reached_before >= patience.floor * patience.window:
            self._failures = 0
        self._reached_before = self._reached
        self._failures += 1
        if self._failures >= (patience.calls if fault.code == UNREACHED else patience.tries):
            raise fault
        if isinstance(fault, RangesRefused):
            self._url, self._etag, self._commit, self.total = self._first_url, "", "", None
        asked = fault.wait if isinstance(fault, Interrupted) else 0.0
        doubled = patience.pause * 2 ** (self._failures - 1)
        pause = min(max(doubled, asked), patience.longest_pause)
        self._report(f"{fault.sentence} Trying again in {pause:.0f} s.")
        patience.sleep(pause)

    @contextmanager
    def open(self, first: int = 0, end: int | None = None) -> Iterator[Answer]:
        """Ask for the bytes from ``first`` to before ``end``; the answer may be the whole file.

        Its pieces raise `Interrupted` where fewer come than were told, or too slowly.

        Raises:
            Interrupted: It may go better at the next try.
            Changed: The parts that have come before are of another file.
            RangesRefused: What would come is neither the part asked for nor the whole file.
            NightFlashError: Any other failure; ``Absent`` where there is no such file.
        """
        headers = {"Accept-Encoding": "identity", "User-Agent": f"nightflash/{__version__}"}
        if first or end is not None:
            headers["Range"] = f"bytes={first}-{'' if end is None else end - 1}"
            if self._etag:
                headers["If-Range"] = self._etag
        with Hand() as hand:
            response = self._get(hand, headers)
            try:
                yield self._judge(hand, response, first, end)
            finally:
                with suppress(OSError, RuntimeError, ValueError):  # it is at its end already
                    response.raw.shutdown()  # ends a read that was waited for in vain
                wait([hand.begin(response.close)], self._patience.connect)

    def read(self, first: int, end: int) -> bytes:
        """Return the bytes from ``first`` to before ``end``, or to the end of the file.

        Raises:
            NightFlashError: See `open`; ``RangesRefused`` also where all of the file would come.
        """
        came = bytearray()
        while (at := first + len(came)) < min(end, self.total or end):
            try:
                with self.open(at, end) as answer:
                    if not answer.partial or answer.total is None:
                        raise self._no_part(Changed if self.total is not None else RangesRefused)
                    for piece in answer.pieces(end - at):
                        came += piece
                    if first + len(came) < min(end, answer.total):
                        raise Interrupted(f"{self.place} sent a part of what was asked for.")
            except Interrupted as fault:
                self.failed(fault)
        return bytes(came)

    def _get(self, hand: Hand, headers: dict[str, str]) -> requests.Response:
        """Ask, and follow where the answers lead."""
        url = self._url
        for _ in range(MOST_REDIRECTS + 1):
            response, following = self._wait(hand, partial(self._ask, url, headers), url)
            commit = response.headers.get("X-Repo-Commit", "")
            if COMMIT.fullmatch(commit):
                self._commit = commit
                self._url = self._url.replace("/resolve/main/", f"/resolve/{commit}/", 1)
            if not following:
                return response
            if url.lower().startswith("https:") and not following.lower().startswith("https:"):
                raise Failed(
                    f"{host_of(url)} leads to {host_of(following)} without encryption for"
                    f" {self._name}, which is not followed."
                )
            url = following
        raise Failed(
            f"{self.place} leads from address to address for {self._name} and never to the file."
        )

    def _ask(self, url: str, headers: dict[str, str]) -> tuple[requests.Response, str]:
        """An answer, and where it leads instead of being one.

        Not by the session's own ``get``, which reads all of a redirect's body, however long.
        """
        session, timeout = self._session, (self._patience.connect, self._patience.read)
        request = session.prepare_request(requests.Request("GET", url, headers))
        ways: dict[str, Any] = dict(session.merge_environment_settings(url, {}, True, None, None))
        response = session.get_adapter(url).send(request, timeout=timeout, **ways)
        session.cookies.update(response.cookies)
        if not response.is_redirect:
            return response, ""
        response.close()
        return response, urljoin(url, session.get_redirect_target(response) or "")

    def _wait(self, hand: Hand, work: Callable[[], T], url: str) -> T:
        """Have the hand do it, for as long as an answer of a server may take."""
        try:
            return hand.begin(work).result(self._patience.longest_wait)
        except TimeoutError as fault:
            raise Interrupted(f"{host_of(url)} does not come to more of {self._name}.") from fault
        except (*FAULTS, OSError) as fault:  # that of certificates is no fault of requests' own
            raise unreached(fault, url, self._name) from fault

    def _judge(
        self, hand: Hand, response: requests.Response, first: int, end: int | None
    ) -> Answer:
        """Find out what will come, and whether it is of the revision known."""
        status, headers = response.status_code, response.headers
        if status == 416:
            raise self._no_part(Changed)
        if status not in (200, 206):
            raise refusal(status, response.url, self._name, headers.get("Retry-After", ""))
        if headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Failed(f"{self.place} sends {self._name} packed, which nobody asked for.")
        etag = headers.get("ETag", "")
        etag = etag if etag.startswith('"') else ""  # a weak one pins nothing
        part = status == 206
        start, stop, total = _span(response)
        if part:
            if stop is None or not first == start < stop:
                raise self._no_part(RangesRefused)
            if len({etag, self._etag} - {""}) > 1 or len({total, self.total} - {None}) > 1:
                raise self._no_part(Changed)
            self._etag, self.total = self._etag or etag, self.total or total
        elif end is None:
            self._etag, self.total = etag, total
        pieces = partial(self._pieces, hand, response, start, stop)
        return Answer(start, total, pieces, part, headers.get("Content-Type", "").lower())

    def _pieces(
        self, hand: Hand, response: requests.Response, at: int, stop: int | None, most: int
    ) -> Iterator[bytes]:
        """Give what comes, from position ``at`` of the file to before ``stop``."""
        patience = self._patience
        end = at + most if stop is None else min(at + most, stop)
        since, before = time.monotonic(), at
        while at < end:
            # read1 gives what has come; read would wait for all of a chunk
            read = partial(response.raw.read1, min(CHUNK, end - at), decode_content=False)
            piece: bytes = self._wait(hand, read, response.url)
            if not piece and stop is None:
                return
            if not piece:
                raise Interrupted(f"{self.place} broke off while it sent {self._name}.")
            yield piece
            at += len(piece)
            self._reached = max(self._reached, at)
            if (passed := time.monotonic() - since) >= patience.window:
                speed = (at - before) / passed
                if speed < patience.floor:
                    raise Interrupted(
                        f"{self.place} sends {self._name} at {speed:.0f} bytes per second, which is"
                        " too slow."
                    )
                since, before = time.monotonic(), at

    def _no_part(self, kind: type[RangesRefused]) -> RangesRefused:
        what = "changed while it was read" if kind is Changed else "is not sent in parts"
        return kind(f"{self._name} at {self.place} {what}.")


def _span(response: requests.Response) -> tuple[int, int | None, int | None]:
    """Where what will come begins and ends in the file, and the file's length, as far as told."""
    if response.status_code == 206:
        found = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if found is None:
            return 0, None, None
        return int(found[1]), int(found[2]) + 1, None if found[3] == "*" else int(found[3])
    length = response.headers.get("Content-Length", "")
    total = int(length) if LENGTH.fullmatch(length) else None
    return 0, total, total
