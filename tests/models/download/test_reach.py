"""Finding out which servers answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from nightflash.errors import NightFlashError
from nightflash.models.download.fetching import out_of_reach
from nightflash.models.weights import WeightsFile

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


def silent_hosts(urls: list[str], seconds: float) -> set[str]:
    files = [WeightsFile(str(number), 10, url) for number, url in enumerate(urls)]
    return set(out_of_reach(files, "", seconds).values())


@dataclass(frozen=True)
class Depot:
    """Brings files in a way of its own, where it is there at all."""

    fault: str
    name: str = "depot"

    def ask(self, seconds: float) -> None:
        if self.fault:
            raise NightFlashError("Not today.", code=self.fault)

    def __call__(self, path: Path, progress: object, seconds: float) -> None:
        raise AssertionError("nothing is fetched")


@pytest.mark.parametrize(
    ("fault", "away"),
    [("", {}), ("no_network", {"a.bin": "depot"}), ("download_failed", {})],
)
def test_who_brings_files_in_another_way_is_asked(fault: str, away: dict[str, str]) -> None:
    brought = WeightsFile("a.bin", 10, "depot:a", 64 * "0", bring=Depot(fault))
    assert out_of_reach([brought], "", LONG) == away


def test_a_mirror_has_them_all(server: Hostile) -> None:
    brought = WeightsFile("a.bin", 10, "depot:a", 64 * "0", bring=Depot("no_network"))
    plain = WeightsFile("b.bin", 10, f"http://{nobody()}/b.bin")
    assert out_of_reach([brought, plain], server.url, LONG) == {}
    gone = nobody()
    away = out_of_reach([brought, plain], f"http://{gone}", LONG)
    assert away == {"a.bin": gone, "b.bin": gone}


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
