"""The client without pyzmq: the same pictures, faults and cancellations through a child."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightflash.client.client import Client
from nightflash.client.frames import read_frames, write_frames
from nightflash.client.link import BackendHangs
from nightflash.client.pipe_link import PipeLink
from nightflash.errors import Cancelled, NightFlashError

from tests.server.backend import Place, a_place, array, pixels

RELAY = (sys.executable, "-m", "nightflash.client.relay")
DAY = pixels(np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8))
LARGE = pixels(np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8))
QUICK: dict[str, Any] = {"quality": "fast", "grain": None}


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with a_place() as place:
        with place.client() as client:
            client.connect()
        yield place


@pytest.fixture
def piped(place: Place) -> Iterator[Client]:
    with place.client(relay=RELAY) as client:
        yield client


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=9))
def test_messages_through_a_pipe(frames: list[bytes]) -> None:
    pipe = io.BytesIO()
    for number in range(2):
        write_frames(pipe, [bytes([number]), *frames])
    pipe.seek(0)
    for number in range(2):
        assert read_frames(pipe) == [bytes([number]), *frames]
    assert read_frames(pipe) is None


@pytest.mark.parametrize("broken", [b"\0", b"\0\0\0\0", b"\xff" * 30, b"\0\0\0\1" + b"\xff" * 8])
def test_what_is_no_message(broken: bytes) -> None:
    with contextlib.suppress(NightFlashError):
        assert read_frames(io.BytesIO(broken)) is None


def test_the_pictures_are_those_of_the_other_client(place: Place, piped: Client) -> None:
    mask = np.zeros((64, 96, 1), np.uint8)
    mask[20:40, 30:60] = 255
    aim = pixels(mask)
    sentences: list[str] = []
    here = piped.work(
        "render",
        DAY,
        mask=aim,
        settings=QUICK,
        report_progress=lambda s, f, words: sentences.append(words),
    )
    with place.client() as client:
        there = client.work("render", DAY, mask=aim, settings=QUICK)
    np.testing.assert_array_equal(array(here.pictures[0]), array(there.pictures[0]))
    assert here.header["subject"] == there.header["subject"]
    assert sentences
    assert piped.ask("hello")["pid"] == place.pid()
    piped.forget(DAY)
    piped.forget(aim)


def test_faults_and_cancelling(piped: Client) -> None:
    with pytest.raises(NightFlashError, match="cannot be 99") as caught:
        piped.work("preview", DAY, settings={"ambient": 99})
    assert caught.value.code == "bad_setting"
    stop = threading.Event()
    at = [0.0]

    def report_progress(stage: str, fraction: float, sentence: str) -> None:
        if stage == "refine" and not stop.is_set():
            at[0] = time.monotonic()
            stop.set()

    with pytest.raises(Cancelled):
        piped.work(
            "render",
            LARGE,
            settings={"steps": 1000, "content": 20.0},
            report_progress=report_progress,
            cancel=stop,
        )
    assert time.monotonic() - at[0] < 2
    assert piped.work("preview", DAY).header["reply"] == "result"


def test_a_backend_that_died_is_started_anew(place: Place, piped: Client) -> None:
    piped.work("preview", DAY)
    place.kill(signal.SIGKILL)
    assert piped.work("preview", DAY).header["reply"] == "result"


def test_restarting(place: Place, piped: Client) -> None:
    first = piped.connect()["pid"]
    second = piped.restart()["pid"]
    assert second != first
    assert piped.work("preview", DAY, settings=QUICK).pictures
    assert place.pid() == second


def test_a_child_that_died_or_cannot_be_started_is_told(place: Place, piped: Client) -> None:
    piped.connect()
    link = piped._link
    assert isinstance(link, PipeLink)
    link._child.kill()
    with pytest.raises(NightFlashError) as caught:
        piped.work("preview", DAY, retry=False)
    assert caught.value.code == "backend_lost"
    assert piped.work("preview", DAY).header["reply"] == "result"
    with (
        place.client(relay=["/nowhere/python"]) as nowhere,
        pytest.raises(NightFlashError, match="cannot be opened"),
    ):
        nowhere.connect()


def test_a_backend_that_hangs_is_told_by_its_silence(place: Place) -> None:
    with place.client(relay=RELAY, silence=2.0) as client:
        pid = client.connect()["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(BackendHangs):
                client.work("preview", DAY)
        finally:
            os.kill(pid, signal.SIGCONT)


def test_the_relay_ends_with_the_client(place: Place) -> None:
    with place.client(relay=RELAY) as client:
        client.connect()
        link = client._link
        assert isinstance(link, PipeLink)
    assert link._child.poll() is not None


def test_it_needs_no_pyzmq(place: Place) -> None:
    code = (
        "import sys; sys.modules['zmq'] = None\n"
        "from nightflash.client.client import Client\n"
        "from nightflash.client.protocol import Layout, Pixels\n"
        "import os\n"
        f"with Client(None, relay={RELAY!r}) as client:\n"
        "    photo = Pixels.cut(Layout(60, 40, 'u8', 3), bytes(range(240)) * 30)\n"
        "    print(len(client.work('preview', photo).pictures[0].strips[0]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=place.variables, capture_output=True, text=True
    )
    assert (result.stdout, result.stderr) == ("7200\n", "")
