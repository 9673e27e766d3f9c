"""Finding out which servers answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from nightflash.models.download.reach import silent_hosts

from tests.models.download.hostile_server import (
    Behaviour,
    Hostile,
    black_hole,
    file,
    leading_to,
    nobody,
    serving,
    status,
    trickling,
)

LONG = 30.0
SHORT = 2.0


@pytest.fixture
def server() -> Iterator[Hostile]:
    with serving() as server:
        yield server


@pytest.mark.parametrize(
    "behaviour",
    [file(bytes(10)), file(bytes(10), ranges=False), status(404), status(403), status(302)],
)
def test_a_host_that_answers_is_not_silent(server: Hostile, behaviour: Behaviour) -> None:
    server.pages["/a"] = behaviour
    assert silent_hosts([f"{server.url}/a"], LONG) == set()


def test_one_file_of_every_host_is_asked_for(server: Hostile) -> None:
    server.pages["/a"] = file(bytes(100_000))
    assert silent_hosts([f"{server.url}/{name}" for name in "abc"], LONG) == set()
    assert [(asked.path, asked.range) for asked in server.requests] == [("/a", "bytes=0-0")]


def test_hosts_that_are_not_there_or_cannot_send(server: Hostile) -> None:
    here = server.url.removeprefix("http://")
    gone = nobody()
    server.pages["/busy"] = status(503)
    assert silent_hosts([f"http://{gone}/a", f"{server.url}/busy"], LONG) == {gone, here}


def test_a_redirect_is_followed(server: Hostile) -> None:
    server.pages["/a"] = leading_to(f"http://{nobody()}/a")
    assert silent_hosts([f"{server.url}/a"], LONG) == {server.url.removeprefix("http://")}


def test_what_gives_nothing_is_waited_for_no_longer_than_told(server: Hostile) -> None:
    with black_hole() as silent, serving() as other:
        server.pages["/a"] = file(bytes(10))
        other.pages["/a"] = trickling(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")
        urls = [f"http://{silent}/a", f"{other.url}/a", f"{server.url}/a"]
        assert silent_hosts(urls, SHORT) == {silent, other.url.removeprefix("http://")}
