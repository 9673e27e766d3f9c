"""Bytes to messages and back, and everything that is no message."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightflash.client import protocol
from nightflash.client.protocol import (
    MAX_FRAME,
    MAX_HEADER,
    SAMPLE_TYPES,
    VERSION,
    Layout,
    Message,
    Pixels,
    check_version,
    error_reply,
    read_header,
)
from nightflash.errors import NightFlashError

LAYOUTS = st.builds(
    Layout,
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([*SAMPLE_TYPES]),
    st.integers(1, 4),
)


def filled(layout: Layout, seed: int = 0) -> Pixels:
    return Pixels.cut(layout, bytes((i * 7 + seed) % 251 for i in range(layout.bytes)))


@given(st.lists(LAYOUTS, max_size=4), st.dictionaries(st.text(max_size=8), st.integers()))
def test_a_message_comes_back_as_it_was(layouts: list[Layout], fields: dict[str, int]) -> None:
    fields.pop("pixels", None)
    pictures = [filled(layout, seed) for seed, layout in enumerate(layouts)]
    first, *rest = Message(fields, pictures).frames()
    back = Message.from_frames(read_header(first), rest)
    assert {k: v for k, v in back.header.items() if k != "pixels"} == fields
    assert [picture.layout for picture in back.pictures] == layouts
    for one, other in zip(back.pictures, pictures, strict=True):
        assert b"".join(one.strips) == b"".join(other.strips)


def test_large_pictures_go_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_FRAME", 100)
    layout = Layout(4, 20, "u8", 3)  # rows of 12 bytes: 8 to a strip
    assert list(layout.strips()) == [(0, 8), (8, 8), (16, 4)]
    picture = filled(layout)
    assert [len(strip) for strip in picture.strips] == [96, 96, 48]
    first, *rest = Message({}, [picture]).frames()
    assert len(rest) == layout.strip_count == 3
    assert Message.from_frames(read_header(first), rest).pictures[0] == picture


@given(st.integers(1, 524_288), st.integers(1, 524_288), LAYOUTS)
def test_strips_cover_the_picture_and_fit_in_a_frame(width: int, height: int, some: Layout) -> None:
    layout = Layout(width, height, some.sample, some.channels)
    if layout.strip_count < 5000:
        strips = list(layout.strips())
        assert len(strips) == layout.strip_count
        assert [top for top, _ in strips[1:]] == [top + rows for top, rows in strips[:-1]]
        assert sum(rows for _, rows in strips) == height
        assert max(rows for _, rows in strips) * layout.row_bytes <= MAX_FRAME


@pytest.mark.parametrize(
    "description",
    [
        None,
        [],
        {},
        {"width": 0, "height": 4, "sample": "u8", "channels": 3},
        {"width": 4, "height": 10**9, "sample": "u8", "channels": 3},
        {"width": 4.0, "height": 4, "sample": "u8", "channels": 3},
        {"width": True, "height": 4, "sample": "u8", "channels": 3},
        {"width": 4, "height": 4, "sample": "double", "channels": 3},
        {"width": 4, "height": 4, "sample": ["u8"], "channels": 3},
        {"width": 4, "height": 4, "sample": "u8", "channels": 5},
        {"width": 4, "height": 4, "sample": "u8", "channels": "3"},
        {"width": 4, "height": 4, "sample": "u8"},
    ],
)
def test_layouts_that_cannot_be(description: object) -> None:
    with pytest.raises(NightFlashError) as caught:
        Message.from_frames({"pixels": [description]}, [bytes(48)])
    assert caught.value.code == "bad_request"


@pytest.mark.parametrize(
    "frames", [[], [bytes(47)], [bytes(49)], [bytes(48), b""], [bytes(24)] * 2]
)
def test_frames_that_do_not_fit_the_layout(frames: list[bytes]) -> None:
    header = {"pixels": [{"width": 4, "height": 4, "sample": "u8", "channels": 3}]}
    with pytest.raises(NightFlashError):
        Message.from_frames(header, frames)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"[]",
        b"3",
        b"null",
        b"{",
        b"\xff{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"a": ' + b"9" * 20_000 + b"}",
        b'{"a": "' + b"x" * MAX_HEADER + b'"}',
    ],
)
def test_headers_that_are_none(encoded: bytes) -> None:
    with pytest.raises(NightFlashError) as caught:
        read_header(encoded)
    assert caught.value.code == "bad_request"


def test_a_header_too_long_is_not_sent() -> None:
    with pytest.raises(NightFlashError, match="at most"):
        Message({"a": "x" * MAX_HEADER}).frames()


@pytest.mark.parametrize("version", [None, 0, VERSION + 1, "1", True, 1.5, [VERSION]])
def test_another_version_is_told_with_both_and_what_to_do(version: object) -> None:
    with pytest.raises(NightFlashError) as caught:
        check_version({"v": version}, "backend")
    fault = caught.value
    assert fault.code == "wrong_version"
    assert f"version {VERSION}" in fault.sentence
    if type(version) is int:
        assert f"version {version}." in fault.sentence
    assert "nightflash stop" in fault.remedy
    check_version({"v": VERSION}, "backend")


def test_long_errors_fit_in_a_header() -> None:
    reply = error_reply(NightFlashError("x" * 10**6, "y" * 10**6))
    assert len(json.dumps(reply.header)) < MAX_HEADER
