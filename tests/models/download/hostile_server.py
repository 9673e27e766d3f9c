"""A server on this machine that does what it is told, right or wrong, and counts what it sends."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHUNK = 2**14
MOST_OF_A_FILE = 2**22  # bytes read of one that lies on the disk


class Request(BaseHTTPRequestHandler):
    """One request, with what a behaviour needs to answer it."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.hostile = self.server.hostile
        path = urlsplit(self.path).path
        with self.hostile.lock:
            self.hostile.requests.append(Asked(self.path, dict(self.headers.items())))
            behaviour = self.hostile.pages.get(path, status(404))
        with suppress(ConnectionError, TimeoutError):
            behaviour(self)

    def head(self, status: int, **headers: object) -> None:
        """Send the head of an answer, ``Content_Length=3`` as ``Content-Length: 3``."""
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def body(self, data: bytes, pause: float = 0.0, at_once: int = CHUNK) -> None:
        """Send bytes, with a pause in seconds before each piece, until the server is stopped."""
        for at in range(0, len(data), at_once):
            if pause and self.hostile.stopped.wait(pause):
                return
            piece = data[at : at + at_once]
            self.wfile.write(piece)
            with self.hostile.lock:
                self.hostile.sent += len(piece)

    def span(self, length: int) -> tuple[int, int] | None:
        """First and last byte asked for, or None."""
        unit, _, span = self.headers.get("Range", "").partition("=")
        if unit != "bytes":
            return None
        first, _, last = span.partition("-")
        return int(first), min(int(last), length - 1) if last else length - 1

    def log_message(self, *message: Any) -> None:
        """Say nothing."""


Behaviour = Callable[[Request], None]


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    headers: dict[str, str]

    @property
    def range(self) -> str | None:
        return self.headers.get("Range")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hostile: Hostile

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that leave or do not trust the server."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@dataclass
class Hostile:
    """The server.

    Attributes:
        url: Its address, without a slash at the end.
        pages: Path to behaviour.
        requests: What was asked for.
        sent: Bytes of bodies sent.
    """

    url: str
    pages: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    sent: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, path: str) -> list[Asked]:
        """The requests for one path."""
        return [request for request in self.requests if request.path == path]


@contextmanager
def serving(tls: Any = None) -> Iterator[Hostile]:
    """Run a server, with ``tls`` as its ssl.SSLContext."""
    server = _Server(("127.0.0.1", 0), Request)
    scheme = "http"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    server.hostile = Hostile(f"{scheme}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.hostile
    finally:
        server.hostile.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


def file(
    content: bytes | Path,
    *,
    ranges: bool = True,
    etag: str | None = None,
    heeds: bool = True,
    breaks_after: int | None = None,
    pause: float = 0.0,
    **headers: object,
) -> Behaviour:
    """Serve a file.

    Args:
        content: The file, or where it lies.
        ranges: Whether parts of it are sent.
        etag: Its revision.
        heeds: Whether parts of another revision than If-Range tells are not sent.
        breaks_after: Bytes of a body after which the connection is broken off.
        pause: Seconds before each 16 KiB.
        headers: Of the answer, besides or instead of the right ones.
    """

    def behave(request: Request) -> None:
        length = len(content) if isinstance(content, bytes) else content.stat().st_size
        span = request.span(length) if ranges else None
        if heeds and request.headers.get("If-Range", etag) != etag:
            span = None
        if span is not None and span[0] >= length:
            request.head(416, Content_Range=f"bytes */{length}", Content_Length=0)
            return
        first, last = span or (0, length - 1)
        if isinstance(content, bytes):
            data = content[first : last + 1]
        else:
            with content.open("rb") as opened:
                opened.seek(first)
                data = opened.read(min(last + 1 - first, MOST_OF_A_FILE))
        fields: dict[str, object] = {"Content_Length": last + 1 - first, "ETag": etag}
        if span is not None:
            fields["Content_Range"] = f"bytes {first}-{last}/{length}"
        request.head(206 if span is not None else 200, **{**fields, **headers})
        request.body(data[:breaks_after], pause)
        if breaks_after is not None or len(data) < last + 1 - first:
            request.close_connection = True

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first behaviour for the first request and so on, the last for all that follow."""
    waiting = list(behaviours)

    def behave(request: Request) -> None:
        with request.hostile.lock:
            behaviour = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        behaviour(request)

    return behave


def status(number: int, body: bytes = b"", **headers: object) -> Behaviour:
    """Answer with a status."""

    def behave(request: Request) -> None:
        request.head(number, **{"Content_Length": len(body), **headers})
        request.body(body)

    return behave


def leading_to(url: str, **headers: object) -> Behaviour:
    """Answer with a redirect, whose body never ends."""

    def behave(request: Request) -> None:
        request.head(302, Location=url, Transfer_Encoding="chunked", **headers)
        request.close_connection = True
        while not request.hostile.stopped.is_set():
            request.wfile.write(b"4000\r\n" + bytes(CHUNK) + b"\r\n")

    return behave


def chunked(
    content: bytes, endless: bool = False, status: int = 200, **headers: object
) -> Behaviour:
    """Send a body without telling its length, again and again if ``endless``."""

    def behave(request: Request) -> None:
        request.head(status, Transfer_Encoding="chunked", Connection="close", **headers)
        while True:
            for at in range(0, len(content), CHUNK):
                piece = content[at : at + CHUNK]
                request.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                with request.hostile.lock:
                    request.hostile.sent += len(piece)
            if not endless or request.hostile.stopped.is_set():
                break
        request.wfile.write(b"0\r\n\r\n")

    return behave


def trickling(beginning: bytes, piece: bytes, pause: float = 0.02) -> Behaviour:
    """Send ``beginning`` as it is and then ``piece`` for ever: a head or a frame without end."""

    def behave(request: Request) -> None:
        request.close_connection = True
        request.wfile.write(beginning)
        while not request.hostile.stopped.wait(pause):
            request.wfile.write(piece)

    return behave


def stalling(content: bytes, after: int) -> Behaviour:
    """Send the beginning and then nothing, with the connection open."""

    def behave(request: Request) -> None:
        request.head(200, Content_Length=len(content))
        request.body(content[:after])
        request.close_connection = True
        request.hostile.stopped.wait(60)

    return behave


def dripping(content: bytes, pause: float = 0.05) -> Behaviour:
    """Send one byte and pause, and so on; parts too."""

    def behave(request: Request) -> None:
        first, last = request.span(len(content)) or (0, len(content) - 1)
        fields = {"Content_Range": f"bytes {first}-{last}/{len(content)}"} if first else {}
        request.head(206 if first else 200, Content_Length=last + 1 - first, **fields)
        request.close_connection = True
        request.body(content[first:], pause, at_once=1)

    return behave


def passing_on(through: Hostile) -> Behaviour:
    """What a proxy does that has all the pages of ``through`` itself."""

    def behave(request: Request) -> None:
        through.pages[urlsplit(request.path).path](request)

    return behave


@contextmanager
def black_hole() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def nobody() -> str:
    """A host where nothing listens."""
    with black_hole() as host:
        return host
