"""Anything may come over the socket: the backend answers the next sound request as ever.

20,000 messages: `EXAMPLES` lists of `MESSAGES` each.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nightflash.client.client import Client
from nightflash.client.connection import Connection
from nightflash.client.protocol import VERSION, read_header

from tests.server.backend import Place, pixels

EXAMPLES, MESSAGES = 100, 200
GROWTH_MB = 150

NUMBERS = st.one_of(
    st.integers(-3, 9), st.sampled_from([2**31, 2**53, 2**64, 10**30, -(2**63), 0.5, 1e308])
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=6))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=6,
)
REQUESTS = st.sampled_from(
    ["hello", "status", "put", "get", "drop", "analyse", "preview", "render", "cancel", "release"]
)
LAYOUTS = st.fixed_dictionaries(
    {},
    optional={
        "width": NUMBERS | VALUES,
        "height": NUMBERS | VALUES,
        "sample": st.sampled_from(["u8", "u16", "half", "float", "double"]) | VALUES,
        "channels": NUMBERS | VALUES,
    },
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "v": st.just(VERSION) | VALUES,
        "id": st.integers(0, 99) | VALUES,
        "request": REQUESTS | VALUES,
        "pixels": st.lists(LAYOUTS, max_size=3) | VALUES,
        "handle": VALUES,
        "photo": st.just("PHOTO") | VALUES,
        "aim": st.fixed_dictionaries(
            {},
            optional={
                "mask": st.just("PHOTO") | VALUES,
                "box": st.lists(NUMBERS, max_size=5) | VALUES,
                "point": st.lists(NUMBERS, max_size=3) | VALUES,
            },
        )
        | VALUES,
        "settings": st.dictionaries(
            st.sampled_from(["ambient", "quality", "steps", "working_size", "falloff"]) | st.text(),
            VALUES,
            max_size=3,
        )
        | VALUES,
        "views": st.lists(st.sampled_from(["night", "light", "x"]), max_size=6) | VALUES,
        "output": VALUES,
        "sample": VALUES,
        "job": NUMBERS | VALUES,
    },
)
FIRST = HEADERS.map(lambda header: json.dumps(header).encode()) | st.binary(max_size=40)
FRAMES = st.lists(st.binary(max_size=24) | st.integers(0, 2**20).map(bytes), max_size=4)
SOUND = {"v": VERSION, "id": 12345, "request": "hello"}


def resident(pid: int) -> float:
    """MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def sound_answer(socket: zmq.Socket[bytes]) -> dict[str, Any]:
    """The answer to a sound request, sent behind whatever came before."""
    socket.send(json.dumps(SOUND).encode())
    while socket.poll(10_000):
        header = read_header(socket.recv_multipart()[0])
        if header["id"] == SOUND["id"] and header.get("state"):
            return header
    raise AssertionError("no answer to a sound request")


@pytest.mark.timeout(900)
def test_no_message_does_harm(place: Place, client: Client) -> None:
    day = pixels(np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8))
    before = client.work("render", day, settings={"quality": "fast"})
    found = Connection.read()
    assert found is not None
    handle = client._sent[id(day)][1]
    memory = resident(found.pid)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(found.ipc)
    sent = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(st.tuples(FIRST, FRAMES), min_size=20, max_size=20),
        st.randoms(use_true_random=False),
    )
    def messages(some: list[tuple[bytes, list[bytes]]], rng: random.Random) -> None:
        nonlocal sent
        for _ in range(MESSAGES):
            first, _ = rng.choice(some)
            _, frames = rng.choice(some)
            if rng.random() < 0.2 and first:  # a header damaged at one place
                at = rng.randrange(len(first))
                first = first[:at] + bytes([rng.randrange(256)]) + first[at + 1 :]
            first = first.replace(b"PHOTO", handle.encode())
            socket.send_multipart([first, *frames])
            sent += 1
            answer = sound_answer(socket)
            assert answer["pid"] == found.pid
            assert answer["reply"] == "result"

    messages()
    assert sent >= 20_000
    again = client.work("render", day, settings={"quality": "fast"})
    assert bytes(again.pictures[0].strips[0]) == bytes(before.pictures[0].strips[0])
    assert resident(found.pid) < memory + GROWTH_MB
    assert "Traceback" not in place.log
    context.destroy(linger=0)
