"""Parts of pictures, coded: they come back bit by bit, get smaller, and are no bombs."""

from __future__ import annotations

import contextlib
import itertools
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightflash.client.coding import (
    PART_BYTES,
    decoded,
    encoded,
    part_count,
    part_of,
    part_range,
    rows_of_part,
)
from nightflash.client.protocol import SAMPLE_TYPES, Layout
from nightflash.client.reduced import enlarged, reduced, reduced_aim, step_of
from nightflash.errors import NightFlashError
from nightflash.imaging.resample import area

from tests.command_line import pixels as photo_pixels
from tests.server.backend import array, pixels

LAYOUTS = st.builds(
    Layout,
    width=st.integers(1, 40),
    height=st.integers(1, 12),
    sample=st.sampled_from(sorted(SAMPLE_TYPES)),
    channels=st.integers(1, 4),
)


@given(LAYOUTS, st.integers(0, 2**32 - 1), st.booleans())
def test_what_was_coded_comes_back(layout: Layout, seed: int, smooth: bool) -> None:
    raw = np.random.default_rng(seed).integers(0, 256, layout.bytes, np.uint8)
    part = (np.cumsum(raw // 64, dtype=np.uint8) if smooth else raw).tobytes()
    assert decoded(encoded(part, layout), layout, layout.bytes) == part


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
def test_a_photo_gets_smaller_whatever_its_samples(dtype: type[np.generic]) -> None:
    day = area(photo_pixels(1280, 960).astype(np.float32) / 255, (320, 240))
    day *= np.linspace(0.5, 1, 320, dtype=np.float32)[:, None]
    scale = {np.uint8: 255, np.uint16: 65535}.get(dtype, 1)
    picture = pixels((day * scale).astype(dtype))
    coded = encoded(picture.strips[0], picture.layout)
    assert len(coded) < 0.9 * len(zlib.compress(bytes(picture.strips[0]), 1))


def test_floats_made_of_few_codes_are_known_for_that() -> None:
    day = photo_pixels(320, 240)
    few = pixels((day.astype(np.float32) / 255) ** np.float32(2.2))
    coded = encoded(few.strips[0], few.layout)
    assert len(coded) < 1.01 * len(zlib.compress(bytes(few.strips[0]), 1))
    assert decoded(coded, few.layout, few.layout.bytes) == few.strips[0]


def test_noise_does_not_grow() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)
    picture = pixels(noise)
    assert len(encoded(picture.strips[0], picture.layout)) < 1.002 * noise.nbytes


def test_parts_are_whole_rows_and_all_of_the_picture() -> None:
    for layout in (
        Layout(1, 1, "u8", 1),
        Layout(1000, 1000, "u8", 3),
        Layout(524_288, 3, "float", 4),
    ):
        ranges = [part_range(layout, number) for number in range(part_count(layout))]
        assert ranges[0][0] == 0
        assert ranges[-1][1] == layout.bytes
        assert all(end == start for (_, end), (start, _) in itertools.pairwise(ranges))
        assert all((end - start) % layout.row_bytes == 0 for start, end in ranges)
        assert rows_of_part(layout) * layout.row_bytes <= max(PART_BYTES, layout.row_bytes)
        for wrong in (-1, len(ranges), 2**70):
            with pytest.raises(NightFlashError):
                part_range(layout, wrong)


def test_a_part_may_lie_in_several_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightflash.client.protocol.MAX_FRAME", 3 * 300)
    data = np.random.default_rng(2).integers(0, 256, (50, 100, 3), np.uint8)
    picture = pixels(data)
    assert len(picture.strips) > 10
    monkeypatch.setattr("nightflash.client.coding.PART_BYTES", 7 * 300)
    parts = [part_of(picture, number) for number in range(part_count(picture.layout))]
    assert b"".join(map(bytes, parts)) == data.tobytes()


def test_a_bomb_is_refused_in_little_memory() -> None:
    layout, size = Layout(100, 50, "u8", 3), 15_000
    bomb = b"\0" + zlib.compress(bytes(2**26), 9)[:20_000]
    good = encoded(bytes(size), layout)
    long = b"\0" + zlib.compress(bytes(size + 1))
    tracemalloc.start()
    for wrong in (
        *(b"", b"\0", b"\xff" + good[1:], good[:-1], good + b"x", long, bomb),
        b"\0" + zlib.compress(bytes(size - 1)),
        b"\0" + bytes(10 * size),
        bytes(range(100)),
    ):
        with pytest.raises(NightFlashError) as caught:
            decoded(wrong, layout, size)
        assert caught.value.code == "bad_request"
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**20
    assert decoded(good, layout, size) == bytes(size)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_rows(data: bytes) -> None:
    layout = Layout(7, 3, "u16", 3)
    with contextlib.suppress(NightFlashError):  # and no other fault
        assert len(decoded(data, layout, layout.bytes)) == layout.bytes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
def test_a_reduced_photo_has_every_so_many_pixels(dtype: type[np.generic]) -> None:
    day = np.random.default_rng(3).integers(0, 200, (1100, 1301, 3)).astype(dtype)
    picture = pixels(day)
    step = step_of(picture.layout, 0.25)
    small = reduced(picture, step)
    assert step == 2
    assert small.layout.width * small.layout.height >= 0.25e6
    np.testing.assert_array_equal(array(small), day[::step, ::step])
    assert step_of(small.layout, 0.25) == 1


def test_the_aim_is_where_it_was() -> None:
    whole, small = Layout(1000, 500, "u8", 3), Layout(500, 250, "u8", 3)
    aim = {"box": (10, 20, 30, 40), "point": None, "clicks": [("add", 4, 6)]}
    assert reduced_aim(aim, whole, small) == {
        "box": [5, 10, 15, 20],
        "point": None,
        "clicks": [["add", 2, 3]],
    }
    told = enlarged({"subject": {"box": [5, 10, 15, 20], "from": "x"}}, whole, small)
    assert told["subject"] == {"box": [10, 20, 30, 40], "from": "x"}
