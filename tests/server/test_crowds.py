"""Strangers at an open port, however many: who has the key is served on, and nothing ends."""

from __future__ import annotations

import contextlib
import dataclasses
import socket as sockets
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from nightflash.client.client import Client
from nightflash.client.connection import Connection
from nightflash.server.listeners import MOST_STRANGERS

from tests.server.backend import SERVE, Place, a_place, pixels, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of Unix")

SMALL = pixels(np.full((20, 30, 3), 90, np.uint8))
FEW = 256  # descriptors


class Crowd(threading.Thread):
    """Strangers who come and hold on, and come again where they are thrown out.

    Args:
        port: Where to.
        count: How many there are at once.
        holds: Seconds until all of them go and the next ones come.
    """

    def __init__(self, port: int, count: int, holds: float = float("inf")) -> None:
        super().__init__(daemon=True)
        self._port, self._count, self._holds = port, count, holds
        self.over, self.came = threading.Event(), 0

    def run(self) -> None:
        while not self.over.is_set():
            with contextlib.ExitStack() as stack:
                held: list[sockets.socket] = []
                for passed in until(self._holds):
                    held = [one for one in held if still_open(one)]
                    while len(held) < self._count and not self.over.is_set():
                        one = stack.enter_context(sockets.socket())
                        one.setblocking(False)
                        one.connect_ex(("127.0.0.1", self._port))
                        held.append(one)
                        self.came += 1
                    if self.over.is_set() or self.came > 50_000 or passed > self._holds:
                        break

    def __enter__(self) -> Crowd:
        self.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self.over.set()
        self.join()


def still_open(one: sockets.socket) -> bool:
    """Whether the other side has not ended it; closed where it has."""
    try:
        if one.recv(64):
            return True
    except BlockingIOError:
        return True
    except OSError:
        pass
    one.close()
    return False


@pytest.fixture(autouse=True)
def many_descriptors() -> Iterator[None]:
    """For the test itself."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def by_tcp_alone(place: Place, command: tuple[str, ...]) -> Iterator[Connection]:
    """A backend with a port, and clients that know no other way; its connection."""
    with Client(command, place.variables) as starter:
        starter.connect()
    found = Connection.read()
    assert found is not None
    with pytest.MonkeyPatch.context() as patch:
        alone = dataclasses.replace(found, ipc="", pulse_ipc="")
        patch.setattr(Connection, "read", classmethod(lambda cls: alone))
        yield found


def descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.parametrize(
    ("count", "holds", "limit"),
    [(70, float("inf"), 0), (1500, 0.5, 0), (70, float("inf"), FEW), (1500, 0.5, FEW)],
)
def test_a_crowd_disturbs_nobody_who_has_the_key(count: int, holds: float, limit: int) -> None:
    with a_place("--networks", "builtin", "--device", "cpu", "--tcp") as place:
        command = (*SERVE, *place.options)
        if limit:
            command = ("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *command)
        with (
            by_tcp_alone(place, command) as found,
            place.client(starts=False) as resident,
        ):
            resident.work("preview", SMALL)
            rest, most = descriptors(found.pid), 0
            ports = [int(way.rpartition(":")[2]) for way in (found.tcp, found.pulse_tcp)]
            with Crowd(ports[0], count, holds) as one, Crowd(ports[1], count, holds) as other:
                while one.came + other.came < 2 * count:
                    assert next(iter(until(1))) < 1
                for _ in range(20):
                    answer = resident.work("preview", SMALL, retry=False)
                    assert answer.header["reply"] == "result", "its link was not broken"
                    most = max(most, descriptors(found.pid))
                with place.client(starts=False) as newcomer:
                    assert newcomer.work("preview", SMALL).header["reply"] == "result"
            print(f"{one.came + other.came} strangers; {rest} descriptors, {most} at the most")
            assert any(descriptors(found.pid) < rest + 10 for _ in until(5)), "they have gone"
            assert most < rest + 4 * MOST_STRANGERS if not limit else most <= limit
            assert resident.ask("status")["pid"] == found.pid
        assert any("without the right key" in place.log for _ in until(15))
        assert "Traceback" not in place.log
        assert place.crashes == ""
