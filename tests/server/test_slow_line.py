"""A line that is slow, and breaks: little travels, nothing twice, and no picture is lost."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from nightflash.client.client import Client
from nightflash.client.coding import encoded, part_count, part_of
from nightflash.client.link import AHEAD, BackendLost, Request
from nightflash.client.protocol import Layout, Pixels
from nightflash.client.transfer import send
from nightflash.errors import Cancelled, NightFlashError
from nightflash.imaging.resample import area
from nightflash.server import reception
from nightflash.server.admission import Guest
from nightflash.server.reception import Limits, Reception
from nightflash.server.uploads import Uploads

from tests.command_line import pixels as photo_pixels
from tests.server.backend import array, pixels, until
from tests.server.elsewhere import Elsewhere, elsewhere
from tests.server.line import Line

SLOW, DELAY = 2.5e6, 0.04  # 20 Mbit/s
QUICK: dict[str, Any] = {"quality": "fast", "grain": None}


def soft(width: int, height: int) -> Pixels:
    """A photo that compresses as photos do."""
    day = area(photo_pixels(2 * width, 2 * height).astype(np.float32) / 255, (width, height))
    return pixels((255 * day).astype(np.uint8))


DAY = soft(1600, 1200)


def coded_bytes(picture: Pixels) -> int:
    layout = picture.layout
    return sum(len(encoded(part_of(picture, n), layout)) for n in range(part_count(layout)))


@pytest.fixture(scope="module")
def both() -> Iterator[Elsewhere]:
    with elsewhere() as both:
        yield both


def over(both: Elsewhere, line: Line, name: str) -> Client:
    """A client whose line to the server is this one."""
    address = f"tcp://127.0.0.1:{line.port}"
    return Client(remote=dataclasses.replace(both.added(name, "--name", name), address=address))


def uploads(both: Elsewhere) -> int:
    with both.server.client(starts=False) as watcher:
        return int(watcher.ask("status")["uploads"])


def test_a_first_look_takes_a_megabyte_and_the_night_what_its_codes_need(both: Elsewhere) -> None:
    with Line(both.port, SLOW, DELAY) as line, over(both, line, "slow") as client:
        client.work("preview", DAY, settings=QUICK, point=(800, 700))
        assert line.up < 1e6
        assert line.down < 1e6
        up, down = line.up, line.down
        told: list[tuple[str, float]] = []
        there = client.work(
            "render",
            DAY,
            settings=QUICK,
            report_progress=lambda stage, done, words: told.append((stage, done)),
        )
        up, down = line.up - up, line.down - down
        assert up < 1.1 * coded_bytes(DAY) + 100_000
        assert down < 1.1 * coded_bytes(there.pictures[0]) + 100_000
        sent = [done for stage, done in told if stage == "transfer"]
        assert sent.count(1.0) == 2, "all there, and all here"
        assert len(sent) >= 2 * part_count(DAY.layout)
    with both.server.client(starts=False) as local:
        here = local.work("render", DAY, settings=QUICK)
        np.testing.assert_array_equal(array(there.pictures[0]), array(here.pictures[0]))
        assert there.header["subject"] == here.header["subject"]


def test_a_first_look_tells_the_subject_in_pixels_of_the_photo(both: Elsewhere) -> None:
    mask = np.zeros((1200, 1600, 1), np.uint8)
    mask[600:900, 700:1000] = 255
    aim: dict[str, Any] = {"mask": pixels(mask), "clicks": [("remove", 100, 100)]}
    with both.client("looks") as client, both.server.client(starts=False) as local:
        there = client.work("preview", DAY, settings=QUICK, views=["night", "subject"], **aim)
        here = local.work("preview", DAY, settings=QUICK, views=["night", "subject"], **aim)
        for one, other in zip(there.pictures, here.pictures, strict=True):
            assert one.layout == other.layout
            difference = array(one).astype(float) - array(other).astype(float)
            assert np.abs(difference).mean() < 8
        boxes = there.header["subject"]["box"], here.header["subject"]["box"]
        np.testing.assert_allclose(*boxes, atol=30)
        close = client.work("preview", DAY, settings=QUICK, region=[500, 500, 300, 200])
        same = local.work("preview", DAY, settings=QUICK, region=[500, 500, 300, 200])
        np.testing.assert_array_equal(array(close.pictures[0]), array(same.pictures[0]))


@pytest.mark.parametrize("seed", range(10))
def test_a_line_that_breaks_once_anywhere_loses_nothing(both: Elsewhere, seed: int) -> None:
    with both.server.client(starts=False) as local:
        here = local.work("render", DAY, settings=QUICK)
    needed = coded_bytes(DAY) + coded_bytes(here.pictures[0])
    with Line(both.port, 8e6) as line, over(both, line, f"cut{seed}") as client:
        line.cut_after = random.Random(seed).randint(5_000, needed - 100_000)
        there = client.work("render", DAY, settings=QUICK)
        assert line.cuts == 1
        np.testing.assert_array_equal(array(there.pictures[0]), array(here.pictures[0]))
        part = coded_bytes(DAY) / part_count(DAY.layout)
        assert line.up < coded_bytes(DAY) + (AHEAD + 1) * part, "no more again than was under way"


def test_a_line_that_breaks_again_is_told_in_a_sentence(both: Elsewhere) -> None:
    with Line(both.port, 8e6) as line, over(both, line, "broken") as client:
        line.cut_after = 50_000

        def again(stage: str, done: float, words: str) -> None:
            if line.cuts and line.cut_after is None:
                line.cut_after = line.up + line.down + 30_000

        with pytest.raises(BackendLost) as caught:
            client.work("render", DAY, settings=QUICK, report_progress=again)
        assert "broken is cut off" in caught.value.sentence
        assert caught.value.remedy
        assert any(_works(client) for _ in until(20)), "and the next try goes well"


def _works(client: Client) -> bool:
    try:
        return client.work("render", DAY, settings=QUICK).header["reply"] == "result"
    except NightFlashError:
        return False


def test_who_stops_and_goes_on_sends_the_rest(both: Elsewhere) -> None:
    with Line(both.port, SLOW) as line, over(both, line, "stops") as client:
        stop = _After(0.5)
        with pytest.raises(Cancelled):
            client.work("render", DAY, settings=QUICK, report_progress=stop, cancel=stop)  # type: ignore[arg-type]
        client.work("render", DAY, settings=QUICK)
        assert line.up < coded_bytes(DAY) + 1e6


class _After:
    """Set, as an event, when so much of a transfer is done."""

    def __init__(self, share: float) -> None:
        self._share, self._reached = share, False

    def __call__(self, stage: str, done: float, words: str) -> None:
        self._reached = self._reached or (stage == "transfer" and done > self._share)

    def is_set(self) -> bool:
        return self._reached


def test_nothing_stays_when_a_client_closes() -> None:
    with elsewhere() as both:
        with both.client("closes") as client:
            client.work("preview", DAY, settings=QUICK)
            client.work("render", DAY, settings=QUICK)
            assert uploads(both) >= 2
        assert uploads(both) == 0


def test_pictures_wait_for_a_line_to_come_back_but_not_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(reception.time, "monotonic", lambda: clock[0])
    kept = Uploads(2**20, 1e9)

    class Listener:
        def __init__(self) -> None:
            self.gone = [b"line"]

    class Nobody:
        def clients(self) -> list[Guest]:
            return []

    there = Reception(3, Listener(), Nobody(), Limits(), None, kept, dict)  # type: ignore[arg-type]
    there._lines[b"line"] = Guest("a", "key", 0.0)
    kept.put(soft(20, 10), there._owner("key"))
    kept.put(soft(20, 10), there._owner("other"))
    assert there.gone() == there.peers() == [(3, b"line")]
    there.left(b"line")
    for clock[0], left in ((reception.GRACE_SECONDS - 1, 2), (reception.GRACE_SECONDS + 1, 1)):
        there.keep()
        assert len(kept) == left


def asked(client: Client, request: str, parts: tuple[bytes, ...] = (), **fields: Any) -> Any:
    client.connect()
    assert client._link is not None
    return client._link.exchange(Request({"request": request, **fields}, parts=parts))


def test_parts_that_do_not_fit_are_refused(both: Elsewhere) -> None:
    layout, digest = asdict(DAY.layout), "0" * 64
    first = encoded(part_of(DAY, 0), DAY.layout)
    with both.client("odd") as client:
        for wrong in ({}, {"digest": digest}, {"layout": layout}, {"layout": layout, "digest": 3}):
            with pytest.raises(NightFlashError) as caught:
                asked(client, "begin", **wrong)
            assert caught.value.code == "bad_request"
        handle = asked(client, "begin", layout=layout, digest=digest).header["handle"]
        for number, parts in (
            *((1, (first,)), (-1, (first,)), ("0", (first,)), (0, ()), (0, (first, first))),
            *((0, (first[:-1],)), (0, (b"\0",)), (0, (bytes(2**20),))),
        ):
            with pytest.raises(NightFlashError) as caught:
                asked(client, "part", parts, handle=handle, part=number)
            assert caught.value.code == "bad_request"
        with pytest.raises(NightFlashError) as caught:
            asked(client, "render", photo=handle)
        assert caught.value.code == "bad_request", "it has not come"
        for number in (0, 2**60, None):
            with pytest.raises(NightFlashError):
                asked(client, "fetch", handle=handle, part=number)
        for request in ("part", "fetch"):
            with pytest.raises(NightFlashError) as caught:
                asked(client, request, handle="none", part=0)
            assert caught.value.code == "unknown_handle"
        assert asked(client, "part", (first,), handle=handle, part=0).header["parts"] == 1
        assert asked(client, "part", (first,), handle=handle, part=0).header["parts"] == 1
        assert asked(client, "begin", layout=layout, digest=digest).header["parts"] == 1
        assert client._link is not None
        assert send(client._link, DAY, lambda *told: None, None) != handle, "another digest"


def test_no_memory_is_taken_for_a_picture_that_is_too_large(both: Elsewhere) -> None:
    huge = asdict(Layout(500_000, 500_000, "float", 4))
    with both.client("huge") as client:
        for _ in range(20):
            with pytest.raises(NightFlashError) as caught:
                asked(client, "begin", layout=huge, digest="0" * 64)
            assert caught.value.code == "too_large"
        assert client.ask("hello")["coding"]
