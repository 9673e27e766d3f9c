"""A file on a server that may stall, break off, change it midway or lie about its length."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Self
from urllib.parse import urljoin

import requests

from nightflash import __version__
from nightflash.errors import NightFlashError
from nightflash.models.download.deadline import Watchdog, begun
from nightflash.models.download.faults import (
    ELSEWHERE,
    FAILED,
    FAULTS,
    Changed,
    Interrupted,
    RangesRefused,
    host_of,
    public,
    refusal,
    unreached,
)
from nightflash.models.download.patience import Tries

CHUNK = 2**16  # bytes read at once
MOST_REDIRECTS = 8
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Answer:
    """A server's answer with bytes to come.

    Attributes:
        first: Position in the file of the first of them.
        partial: Whether they are the part asked for; else they are the file from its beginning.
        expected: How many will come, or None where that is unknown.
        total: Length of the whole file, or None where that is unknown.
        kind: Content type, in lower case; may be empty.
        pieces: Gives them, at most as many as asked for. Raises `Interrupted` where fewer than
            expected come, or too slowly.
    """

    first: int
    partial: bool
    expected: int | None
    total: int | None
    kind: str
    pieces: Callable[[int], Iterator[bytes]]


class _Session(requests.Session):
    """One that follows no redirect, since requests reads all of its body, however long."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None, whatever the answer."""
        return None

    def leads_to(self, redirect: requests.Response) -> str:
        """Where a redirect leads, perhaps relative to its own address."""
        return super().get_redirect_target(redirect) or ""


class Remote:
    """A file on a server, all of whose parts are of one revision; a context manager.

    Proxies, their exceptions and trusted certificates are those of the usual environment variables.

    Args:
        url: Its address. Where that leads to the latest revision of a repository, the first answer
            pins the revision.
        name: What it is called in sentences.
        tries: Counts the failures of `read`.

    Attributes:
        total: Its length, once known.
    """

    def __init__(self, url: str, name: str, tries: Tries) -> None:
        self.name = name
        self.tries = tries
        self.total: int | None = None
        self._first_url = self._url = url
        self._etag = ""
        self._commit = ""
        self._received = 0
        self._session = _Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._session.close()

    @property
    def place(self) -> str:
        """Its host, for sentences."""
        return host_of(self._first_url)

    @property
    def origin(self) -> dict[str, str]:
        """Where its bytes came from, for the file's metadata."""
        origin = {"url": public(self._first_url), "commit": self._commit, "etag": self._etag}
        return {key: value for key, value in origin.items() if value}

    def forget(self) -> None:
        """Start afresh: the next answer may be of another revision."""
        self._url, self._etag, self._commit, self.total = self._first_url, "", "", None

    @contextmanager
    def open(self, first: int = 0, end: int | None = None) -> Iterator[Answer]:
        """Ask for the bytes from ``first`` to before ``end``; the answer may be the whole file.

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
        response = self._get(headers)
        try:
            yield self._judge(response, first, end)
        finally:
            response.close()

    def read(self, first: int, end: int) -> bytes:
        """Return the bytes from ``first`` to before ``end``, or to the end of the file.

        Raises:
            RangesRefused: The server would send the whole file instead. ``Changed``: it has
                become another one since the first part.
            NightFlashError: It cannot be had.
        """
        came = bytearray()
        while (at := first + len(came)) < (end if self.total is None else min(end, self.total)):
            try:
                with self.open(at, end) as answer:
                    if not answer.partial or answer.total is None:
                        raise self._no_part(Changed if self.total is not None else RangesRefused)
                    for piece in answer.pieces(end - at):
                        came += piece
                        self._received += len(piece)
                    if first + len(came) < min(end, answer.total):
                        raise Interrupted(f"{self.place} sent a part of what was asked for.")
            except Interrupted as fault:
                self.tries.failed(fault, self._received)
        return bytes(came)

    def _get(self, headers: dict[str, str]) -> requests.Response:
        """Ask, and follow where the answers lead."""
        url = self._url
        patience = self.tries.patience
        for _ in range(MOST_REDIRECTS + 1):
            try:
                asked = begun(partial(self._ask, url, headers))
                response = asked.result(patience.longest_wait)
                self._pin(response.headers.get("X-Repo-Commit", ""))
                if not response.is_redirect:
                    return response
                response.close()
                following = urljoin(url, self._session.leads_to(response))
            except TimeoutError as fault:
                raise Interrupted(f"{host_of(url)} does not come to {self.name}.") from fault
            except FAULTS as fault:
                raise unreached(fault, url, self.name) from fault
            if url.lower().startswith("https:") and not following.lower().startswith("https:"):
                raise NightFlashError(
                    f"{host_of(url)} leads to {host_of(following)} without encryption for"
                    f" {self.name}, which is not followed.",
                    ELSEWHERE,
                    code=FAILED,
                )
            url = following
        raise NightFlashError(
            f"{self.place} leads from address to address for {self.name} and never to the file.",
            ELSEWHERE,
            code=FAILED,
        )

    def _ask(self, url: str, headers: dict[str, str]) -> requests.Response:
        timeout = self.tries.patience.connect, self.tries.patience.read
        return self._session.get(url, headers=headers, stream=True, timeout=timeout)

    def _pin(self, commit: str) -> None:
        if COMMIT.fullmatch(commit):
            self._commit = commit
            self._url = self._url.replace("/resolve/main/", f"/resolve/{commit}/", 1)

    def _judge(self, response: requests.Response, first: int, end: int | None) -> Answer:
        """Find out what will come, and whether it is of the revision known."""
        status, headers = response.status_code, response.headers
        etag = headers.get("ETag", "")
        etag = etag if etag.startswith('"') else ""  # a weak one pins nothing
        if status == 416:
            raise self._no_part(Changed)
        if status not in (200, 206):
            raise refusal(status, response.url, self.name, headers.get("Retry-After", ""))
        if headers.get("Content-Encoding", "identity").lower() != "identity":  # nobody asked for it
            raise NightFlashError(
                f"{self.place} sends {self.name} packed, which nobody asked for.",
                ELSEWHERE,
                code=FAILED,
            )
        if status == 206:
            found = CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
            start, last = (int(found[1]), int(found[2])) if found else (-1, -1)
            total = int(found[3]) if found and found[3] != "*" else None
            if not first == start <= last:
                raise self._no_part(RangesRefused)
            if (self._etag and etag and etag != self._etag) or (
                self.total is not None and total is not None and total != self.total
            ):
                raise self._no_part(Changed)
            expected: int | None = last + 1 - first
            self._etag, self.total = self._etag or etag, self.total or total
        else:
            length = headers.get("Content-Length", "")
            known = length.isascii() and length.isdigit() and len(length) <= 18
            expected = total = int(length) if known else None
            first = 0
            if end is None:
                self._etag, self.total = etag, total
        kind = headers.get("Content-Type", "").lower()

        def pieces(most: int) -> Iterator[bytes]:
            return self._pieces(response, most, expected)

        return Answer(first, status == 206, expected, total, kind, pieces)

    def _pieces(
        self, response: requests.Response, most: int, expected: int | None
    ) -> Iterator[bytes]:
        patience = self.tries.patience
        left = most if expected is None else min(most, expected)
        since, came = time.monotonic(), 0
        with Watchdog(patience.longest_wait, response.raw.shutdown) as watchdog:
            while left > 0:
                piece = self._piece(response, min(CHUNK, left), watchdog)
                if not piece and expected is None:
                    return
                if not piece:
                    raise Interrupted(f"{self.place} broke off while it sent {self.name}.")
                yield piece
                left -= len(piece)
                came += len(piece)
                if (passed := time.monotonic() - since) >= patience.window:
                    if came < patience.floor * passed:
                        raise Interrupted(
                            f"{self.place} sends {self.name} at {came / passed:.0f} bytes per"
                            " second, which is too slow."
                        )
                    since, came = time.monotonic(), 0

    def _piece(self, response: requests.Response, most: int, watchdog: Watchdog) -> bytes:
        """What has come of a body; nothing at its end."""
        watchdog.sign()
        try:  # read1 gives what has come; read would wait for all of a chunk
            piece: bytes = response.raw.read1(most, decode_content=False)
        except FAULTS as fault:
            if watchdog.bit:
                raise self._silent() from fault
            raise unreached(fault, response.url, self.name) from fault
        if watchdog.bit and not piece:
            raise self._silent()
        return piece

    def _silent(self) -> Interrupted:
        return Interrupted(f"{self.place} sends no more of {self.name}.")

    def _no_part(self, kind: type[RangesRefused]) -> RangesRefused:
        what = "changed while it was read" if kind is Changed else "is not sent in parts"
        return kind(f"{self.name} at {self.place} {what}.", ELSEWHERE, code=FAILED)
