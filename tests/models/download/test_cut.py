"""Tensors cut from a safetensors file: only parts are fetched, and its header may be anything."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nightflash.errors import NightFlashError
from nightflash.models.descriptor import NetworkDescriptor
from nightflash.models.download.cut import NEAR, join, take
from nightflash.models.download.fetching import fetch
from nightflash.models.download.sources import LocalFile
from nightflash.models.weights import Cut, WeightsFile, noted_sha256, state
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.models.download.downloading import Downloader, sha256
from tests.models.download.hostile_server import (
    Behaviour,
    Request,
    chunked,
    file,
    in_turn,
    leading_to,
    serving,
    status,
)

LAYERS = {"0": (64, 3), "2": (64, 64), "5": (128, 64), "7": (128, 128), "10": (256, 128)}
DEEPER = {"12": (256, 256), "14": (256, 256), "16": (256, 256), "19": (512, 256)} | dict.fromkeys(
    ("21", "23", "25", "28", "30", "32", "34"), (512, 512)
)
HEADS = {"pre_logits.fc1": (4096, 512, 7, 7), "pre_logits.fc2": (4096, 4096, 1, 1)}
COMMIT = "0123456789abcdef" * 2 + "01234567"
CUT_NAME, MODEL = "cut.safetensors", "/timm/vgg19/resolve/main/model.safetensors"
PINNED = MODEL.replace("/main/", f"/{COMMIT}/")


def shapes_of(layers: dict[str, tuple[int, int]]) -> dict[str, tuple[int, ...]]:
    """Weights and biases of 3 x 3 convolutions."""
    return {f"features.{layer}.weight": (*widths, 3, 3) for layer, widths in layers.items()} | {
        f"features.{layer}.bias": widths[:1] for layer, widths in layers.items()
    }


def official_layout() -> dict[str, tuple[int, ...]]:
    """All 38 tensors of VGG19, in the order in which such files have them."""
    heads = {f"{name}.weight": shape for name, shape in HEADS.items()} | {
        f"{name}.bias": shape[:1] for name, shape in HEADS.items()
    }
    last = {"head.fc.weight": (1000, 4096), "head.fc.bias": (1000,)}
    return dict(sorted((shapes_of(LAYERS | DEEPER) | heads | last).items()))


@pytest.fixture(scope="module")
def values() -> dict[str, Tensor]:
    """Made-up values of the tensors wanted."""
    draw = torch.Generator().manual_seed(3)
    return {name: torch.randn(shape, generator=draw) for name, shape in shapes_of(LAYERS).items()}


@pytest.fixture(scope="module")
def model(values: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of full size with the values wanted; the others are a hole that takes no disk."""
    path, at = tmp_path_factory.mktemp("model") / "model.safetensors", 0
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    for name, shape in official_layout().items():
        size = 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    with path.open("wb") as opened:
        opened.write(struct.pack("<Q", len(raw)) + raw)
        opened.truncate(8 + len(raw) + at)
        for name, value in values.items():
            opened.seek(8 + len(raw) + header[name]["data_offsets"][0])
            opened.write(value.numpy().tobytes())
    assert 574_600_000 < path.stat().st_size < 574_700_000
    assert len(official_layout()) == 38
    return path


@pytest.fixture(scope="module")
def cut(values: dict[str, Tensor]) -> Cut:
    first = values["features.0.weight"].flatten()[:27]
    rounded = tuple(float(f"{value:.5g}") for value in first.tolist())
    return Cut(shapes_of(LAYERS), ("features.0.weight", rounded))


@pytest.fixture
def downloader(tmp_path: Path) -> Iterator[Downloader]:
    with serving() as server:
        yield Downloader(server, tmp_path / "weights")


def cut_file(downloader: Downloader, cut: Cut, path: str = MODEL) -> WeightsFile:
    url = f"{downloader.server.url}{path}"
    return WeightsFile(CUT_NAME, cut.bytes, url, rounded=True, cut=cut)


def hub(model: Path, **facts: Any) -> dict[str, Behaviour]:
    """A model hub: it leads on to a store, and tells which commit is the latest."""
    return {
        MODEL: leading_to("/store/1", X_Repo_Commit=COMMIT),
        PINNED: leading_to("/store/1", X_Repo_Commit=COMMIT),
        "/store/1": file(model, etag='"1"', **facts),
    }


def test_only_the_bytes_needed_are_fetched(
    downloader: Downloader, model: Path, cut: Cut, values: dict[str, Tensor]
) -> None:
    downloader.server.pages |= hub(model)
    wanted = cut_file(downloader, cut)
    path = downloader.run(wanted)
    found = load_file(path)
    assert found.keys() == values.keys()
    assert all(torch.equal(found[name], values[name]) for name in values)
    stored = downloader.server.asked("/store/1")
    assert cut.bytes < downloader.server.sent < 2_400_000 < 4_000_000
    assert len(stored) <= 6
    assert all(request.range is not None for request in stored)
    assert [request.headers.get("If-Range") for request in stored[1:]] == ['"1"'] * len(stored[1:])
    assert len(downloader.server.asked(MODEL)) == 1
    with safe_open(path, "pt") as opened:
        origin = opened.metadata()
    url = downloader.server.url + MODEL
    assert origin == {"format": "pt", "url": url, "commit": COMMIT, "etag": '"1"'}
    assert noted_sha256(path) == sha256(path.read_bytes())
    assert state(wanted, downloader.folder) == "noted"
    assert wanted.may_have(path.stat().st_size)
    assert downloader.left() == [CUT_NAME, f"{CUT_NAME}.sha256"]
    done, total = downloader.steps[-1]
    assert cut.bytes <= done == total < 2_400_000
    path.write_bytes(spoilt(path.read_bytes()))
    assert state(wanted, downloader.folder) == "damaged"


def spoilt(content: bytes) -> bytes:
    """With another last byte."""
    return content[:-1] + bytes([content[-1] ^ 1])


def test_it_goes_on_where_a_part_broke_off(downloader: Downloader, model: Path, cut: Cut) -> None:
    downloader.server.pages |= hub(model)
    downloader.server.pages["/store/1"] = file(model, etag='"1"', breaks_after=200_000)
    downloader.run(cut_file(downloader, cut))
    assert downloader.server.sent < 2_400_000
    assert set(downloader.pauses) == {1}


def test_a_change_midway_begins_again(downloader: Downloader, model: Path, cut: Cut) -> None:
    old, new = file(model, etag='"1"'), file(model, etag='"2"')
    downloader.server.pages |= hub(model)
    downloader.server.pages["/store/1"] = in_turn(old, old, new)
    path = downloader.run(cut_file(downloader, cut))
    with safe_open(path, "pt") as opened:
        assert opened.metadata()["etag"] == '"2"'
    assert len(downloader.server.asked(MODEL)) == 2
    assert any("changed" in sentence for sentence in downloader.sentences)


def heedless(model: Path, etags: Iterator[str]) -> Behaviour:
    """A server that tells these ETags, and heeds no If-Range."""

    return lambda request: file(model, etag=f'"{next(etags)}"', heeds=False)(request)


def test_a_change_that_the_server_does_not_heed_is_found(
    downloader: Downloader, model: Path, cut: Cut
) -> None:
    behave = heedless(model, iter(("1", "1", *"2" * 20)))
    downloader.server.pages |= {**hub(model), "/store/1": behave}
    path = downloader.run(cut_file(downloader, cut))
    with safe_open(path, "pt") as opened:
        assert opened.metadata()["etag"] == '"2"'


@pytest.fixture
def descriptor(downloader: Downloader, cut: Cut) -> NetworkDescriptor[Any]:
    whole = WeightsFile("whole.pth", 5, f"{downloader.server.url}/whole.pth", sha256(b"whole"))
    downloader.server.pages["/whole.pth"] = file(b"whole")
    return NetworkDescriptor(
        name="vgg",
        role="features",
        network_set="official",
        title="VGG",
        licence="MIT",
        source="made up",
        load=lambda path, device: None,
        files=(cut_file(downloader, cut), whole),
    )


def fetched(
    downloader: Downloader, descriptor: NetworkDescriptor[Any], mirror: str | None = None
) -> str | None:
    """Name of the file that `fetch` has brought."""
    path = fetch(
        descriptor,
        downloader.folder,
        mirror,
        report=downloader.sentences.append,
        patience=downloader.patience(),
    )
    return path.name if path else None


def test_the_cut_comes_before_the_whole(
    downloader: Downloader, descriptor: NetworkDescriptor[Any], model: Path
) -> None:
    downloader.server.pages |= hub(model)
    assert fetched(downloader, descriptor) == CUT_NAME
    count = len(downloader.server.requests)
    assert fetched(downloader, descriptor) == CUT_NAME
    assert len(downloader.server.requests) == count


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("no ranges", "is not sent in parts"),
        ("untold length", "is not sent in parts"),
        ("always another", "changed while it was read"),
        ("gone", "status 404"),
        ("busy", "status 503"),
        ("a web page", "is not sent in parts"),
        ("empty parts", "broke off"),
    ],
)
def test_where_no_parts_can_be_had_the_whole_is_fetched(
    downloader: Downloader,
    descriptor: NetworkDescriptor[Any],
    model: Path,
    store: str,
    words: str,
) -> None:
    def no_ranges(request: Request) -> None:
        request.head(200, Content_Length=574_600_000)
        request.body(bytes(1000))
        request.close_connection = True
        request.hostile.stopped.wait(60)  # who reads on waits too

    stores: dict[str, Behaviour] = {
        "no ranges": no_ranges,
        "untold length": file(model, Content_Range="bytes 0-16383/*"),
        "always another": heedless(model, map(str, range(20))),
        "gone": status(404),
        "busy": status(503),
        "empty parts": chunked(b"", status=206, Content_Range="bytes 0-16383/574600000"),
        "a web page": chunked(b"<html>", Content_Type="text/html"),
    }
    downloader.server.pages |= {**hub(model), "/store/1": stores[store]}
    assert fetched(downloader, descriptor) == "whole.pth"
    assert any(words in sentence and "instead" in sentence for sentence in downloader.sentences)
    assert downloader.left() == ["whole.pth"]


def test_a_damaged_cut_goes_where_only_the_whole_can_be_had(
    downloader: Downloader, descriptor: NetworkDescriptor[Any]
) -> None:
    downloader.folder.mkdir()
    (downloader.folder / CUT_NAME).write_bytes(b"damaged")
    (downloader.folder / "whole.pth").write_bytes(b"whole")
    assert fetched(downloader, descriptor) == "whole.pth"
    assert downloader.left() == [f"{CUT_NAME}.old", "whole.pth"]
    present = descriptor.present(downloader.folder)
    assert present is not None
    assert present.name == "whole.pth"


def test_the_last_fault_is_raised(
    downloader: Downloader, descriptor: NetworkDescriptor[Any]
) -> None:
    downloader.server.pages.clear()
    with pytest.raises(NightFlashError, match=r"whole.pth \(status 404\)|no whole"):
        fetched(downloader, descriptor)
    assert any(CUT_NAME in sentence for sentence in downloader.sentences)


@pytest.mark.parametrize("folder", [True, False])
@pytest.mark.parametrize("ready", ["with its note", "without", "damaged", "other", "the model"])
def test_mirrors_have_the_cut_or_the_model(
    downloader: Downloader,
    descriptor: NetworkDescriptor[Any],
    model: Path,
    values: dict[str, Tensor],
    tmp_path: Path,
    folder: bool,
    ready: str,
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    others = {name: value + (ready == "other") for name, value in values.items()}
    save_file(others, stick / CUT_NAME)
    content = (stick / CUT_NAME).read_bytes()
    if ready in ("with its note", "damaged"):
        (stick / f"{CUT_NAME}.sha256").write_text(f"{sha256(content)}  {CUT_NAME}\n")
    if ready == "damaged":
        (stick / CUT_NAME).write_bytes(spoilt(content))
    if ready == "the model":
        (stick / CUT_NAME).unlink()
        (stick / "model.safetensors").symlink_to(model)
    pages = {f"/mirror/{path.name}": file(path) for path in stick.iterdir()}
    downloader.server.pages = pages
    mirror = str(stick) if folder else f"{downloader.server.url}/mirror"
    if ready in ("damaged", "other"):
        with pytest.raises(NightFlashError, match=r"whole\.pth"):
            fetched(downloader, descriptor, mirror)
        assert downloader.left() == []
        assert any(
            CUT_NAME in sentence or "begins with other" in sentence
            for sentence in downloader.sentences
        )
        return
    assert fetched(downloader, descriptor, mirror) == CUT_NAME
    found = load_file(downloader.folder / CUT_NAME)
    assert all(torch.equal(found[name], values[name]) for name in values)
    assert downloader.left() == [CUT_NAME, f"{CUT_NAME}.sha256"]
    assert downloader.server.sent < 2_400_000
    assert all(request.path.startswith("/mirror/") for request in downloader.server.requests)


def test_the_mirror_may_stand_in_the_environment(
    downloader: Downloader,
    descriptor: NetworkDescriptor[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "whole.pth").write_bytes(b"whole")
    monkeypatch.setenv("NIGHTFLASH_MIRROR", str(tmp_path))
    assert fetched(downloader, descriptor) == "whole.pth"
    assert downloader.server.requests == []


SMALL = Cut({"a": (2, 3), "b": ()}, ("a", (0.5, -1.0)))
VALUES = {"a": np.array([[0.5, -1, 0], [1, 2, 3]], np.float32), "b": np.array(7, np.float32)}
HEADER: dict[str, Any] = {
    "__metadata__": {"format": "pt"},
    "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [4, 28]},
    "b": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
}
BODY = VALUES["b"].tobytes() + VALUES["a"].tobytes()


def written(folder: Path, header: object, body: bytes = BODY, length: int | None = None) -> Path:
    """A file with such a header."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "small.safetensors"
    path.write_bytes(struct.pack("<Q", len(raw) if length is None else length) + raw + body)
    return path


def changed(**tensor: object) -> dict[str, Any]:
    """The header with another entry for ``a``."""
    return {**HEADER, "a": {**HEADER["a"], **tensor}}


def test_a_small_file(tmp_path: Path) -> None:
    found = take(LocalFile(written(tmp_path, HEADER)), SMALL)
    assert np.array_equal(found["a"], VALUES["a"])
    assert found["b"].item() == 7


def test_a_header_longer_than_the_first_read(tmp_path: Path) -> None:
    header = HEADER | {"__metadata__": {"text": "x" * 50_000}}
    assert take(LocalFile(written(tmp_path, header)), SMALL)["b"].item() == 7


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (changed(dtype="F16"), "another type or shape"),
        (changed(shape=[3, 2]), "another type or shape"),
        (changed(shape="23"), "another type or shape"),
        (changed(data_offsets=[4, 27]), "does not fit the shape"),
        (changed(data_offsets=[4, 29]), "no place in it"),
        (changed(data_offsets=[-4, 20]), "no place in it"),
        (changed(data_offsets=[28, 4]), "no place in it"),
        (changed(data_offsets=[0, 24]), "overlap"),
        (changed(data_offsets=[4.0, 28.0]), "no place in it"),
        (changed(data_offsets=[4]), "no place in it"),
        (changed(data_offsets={"0": 4, "1": 28}), "no place in it"),
        (changed(data_offsets=[4, 2**64]), "no place in it"),
        ({**HEADER, "c": {"data_offsets": [2, 3]}}, "overlap"),
        ({**HEADER, "c": {"data_offsets": [28, 29]}}, "no place in it"),
        ({**HEADER, "c": None}, "no place in it"),
        ({"a": HEADER["a"]}, "has no tensor b"),
        ([], "no table"),
        (b"{}  ", "has no tensor a"),
        (b"null", "no table"),
        (b'{"a":{"data_offsets":[0,4]},"a":{"data_offsets":[0,4]}}', "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"a":' * 50_000, "cannot be read"),
        (b"\xff\xfe{}", "cannot be read"),
        (b'{"a":{"data_offsets":[0,' + b"9" * 9000 + b"]}}", "cannot be read"),
        (b'{"a', "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_headers_of_other_files(tmp_path: Path, header: object, words: str) -> None:
    with pytest.raises(NightFlashError) as caught:
        take(LocalFile(written(tmp_path, header)), SMALL)
    assert words in caught.value.sentence
    assert caught.value.code == "download_failed"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.5, float("nan"), 0, 1, 2, 3), "values that are no numbers"),
        ((0.5, -1, 0, 1, 2, float("-inf")), "values that are no numbers"),
        ((0.5, -1.0002, 0, 1, 2, 3), "begins with other values"),
        ((0.50007, -1, 0, 1, 2, 3), "begins with other values"),
    ],
)
def test_values_of_other_networks(tmp_path: Path, values: tuple[float, ...], words: str) -> None:
    body = BODY[:4] + np.array(values, np.float32).tobytes()
    with pytest.raises(NightFlashError, match=words):
        take(LocalFile(written(tmp_path, HEADER, body)), SMALL)


def test_published_values_are_rounded(tmp_path: Path) -> None:
    body = BODY[:4] + np.array([0.50004, -0.99995, 0, 1, 2, 3], np.float32).tobytes()
    take(LocalFile(written(tmp_path, HEADER, body)), SMALL)


@pytest.mark.parametrize("length", [0, 1, 2**20 + 1, 2**26, 2**62, 2**64 - 1])
def test_lengths_that_lie_allocate_nothing(tmp_path: Path, length: int) -> None:
    path = written(tmp_path, HEADER, length=length)
    os.truncate(path, 2**33)
    tracemalloc.start()
    with pytest.raises(NightFlashError, match=r"credible length|cannot be read"):
        take(LocalFile(path), SMALL)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@given(spans=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**5)), min_size=1))
def test_joined_spans_cover_all_and_little_more(spans: list[tuple[int, int]]) -> None:
    wanted = [(first, first + length) for first, length in spans]
    joined = join(wanted)
    assert all(any(a <= first and end <= b for a, b in joined) for first, end in wanted)
    assert all(b + NEAR < a for (_, b), (a, _) in pairwise(joined))
    assert sum(b - a for a, b in joined) <= sum(n for _, n in spans) + NEAR * (len(spans) - 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
ENTRY = JSON | st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "F16", "BF16"]) | JSON,
        "shape": st.lists(st.integers(0, 4) | st.integers(), max_size=3) | JSON,
        "data_offsets": st.lists(st.integers(0, 28) | st.integers(), min_size=2, max_size=2) | JSON,
    }
)
NAMES = st.sampled_from(["a", "b", "c", "__metadata__"]) | st.text(max_size=4)


def nothing_but_a_sentence(path: Path) -> None:
    with suppress(NightFlashError):
        take(LocalFile(path), SMALL)


@settings(max_examples=300, deadline=None)
@given(header=st.dictionaries(NAMES, ENTRY, max_size=4), body=st.binary(max_size=40))
@example(header=HEADER, body=BODY)
def test_no_header_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, header: dict[str, Any], body: bytes
) -> None:
    nothing_but_a_sentence(written(tmp_path_factory.getbasetemp(), header, body))


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=200), length=st.none() | st.integers(0, 2**64 - 1))
def test_no_bytes_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, length: int | None
) -> None:
    nothing_but_a_sentence(written(tmp_path_factory.getbasetemp(), raw, b"", length))


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 300), byte=st.integers(0, 255))
def test_no_single_byte_changed_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    path = written(tmp_path_factory.getbasetemp(), HEADER)
    raw = bytearray(path.read_bytes())
    raw[at % len(raw)] = byte
    path.write_bytes(raw)
    nothing_but_a_sentence(path)
