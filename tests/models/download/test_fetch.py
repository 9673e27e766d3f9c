"""Downloads that come to a whole file, however the server hinders them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from nightflash.errors import NightFlashError
from nightflash.models.weights import state

from tests.models.download.downloading import CONTENT, NAME, OTHER, Downloader, sha256, the_file
from tests.models.download.hostile_server import (
    chunked,
    file,
    in_turn,
    leading_to,
    serving,
    stalling,
    status,
)

HALF = 300_000


@pytest.fixture
def downloader(tmp_path: Path) -> Iterator[Downloader]:
    with serving() as server:
        yield Downloader(server, tmp_path / "deep" / "weights")


def begun(downloader: Downloader, part: bytes = CONTENT[:HALF]) -> Path:
    """A download that was ended midway."""
    downloader.folder.mkdir(parents=True)
    path = downloader.folder / f"{NAME}.part"
    path.write_bytes(part)
    return path


def test_a_file_is_fetched_and_then_there(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    assert downloader.run().read_bytes() == CONTENT
    assert downloader.left() == [NAME]
    assert downloader.steps[-1] == (len(CONTENT), len(CONTENT))
    assert downloader.steps == sorted(downloader.steps)
    assert (downloader.sentences, downloader.pauses) == ([], [])
    asked = downloader.server.requests[0].headers
    assert asked["Accept-Encoding"] == "identity"
    assert asked["User-Agent"].startswith("nightflash/")
    assert downloader.run().read_bytes() == CONTENT
    assert len(downloader.server.requests) == 1


def test_one_thread_waits_for_many_pieces(
    downloader: Downloader, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, start = [], threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        started.append(thread)
        start(thread)

    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    monkeypatch.setattr(threading.Thread, "start", counted)
    downloader.run()
    assert len(downloader.steps) > 5
    assert len(started) <= 2  # one that waits for the server, and the server's own


@pytest.mark.parametrize("known", [8, 0])
def test_where_no_full_hash_is_published_a_note_tells_it(
    downloader: Downloader, known: int
) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    wanted = the_file(downloader.server, sha256(CONTENT)[:known])
    path = downloader.run(wanted)
    assert downloader.left() == [NAME, f"{NAME}.sha256"]
    note = (downloader.folder / f"{NAME}.sha256").read_text()
    assert note == f"{sha256(CONTENT)}  {NAME}\n"
    assert state(wanted, downloader.folder) in ("published", "noted")
    path.write_bytes(OTHER)
    assert state(wanted, downloader.folder) == "damaged"


def test_a_damaged_file_stays_until_a_whole_one_is_there(downloader: Downloader) -> None:
    begun(downloader).unlink()
    path = downloader.folder / NAME
    path.write_bytes(OTHER)
    (downloader.folder / f"{NAME}.sha256").write_text(f"{sha256(b'')}  {NAME}\n")
    downloader.server.pages[f"/{NAME}"] = status(404)
    with pytest.raises(NightFlashError, match="404"):
        downloader.run()
    assert path.read_bytes() == OTHER
    assert [
        str(path) in sentence and "damaged" in sentence for sentence in downloader.sentences
    ] == [True]
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    assert downloader.run().read_bytes() == CONTENT
    assert downloader.left() == [NAME, f"{NAME}.old"]
    assert (downloader.folder / f"{NAME}.old").read_bytes() == OTHER
    assert f"{NAME}.old" in downloader.sentences[-1]


def test_one_of_one_s_own_is_left_alone(downloader: Downloader) -> None:
    begun(downloader).unlink()
    (downloader.folder / NAME).write_bytes(b"trained anew")
    (downloader.folder / f"{NAME}.sha256").write_text(sha256(b"trained anew"))
    assert downloader.run().read_bytes() == b"trained anew"
    assert downloader.server.requests == []


def test_it_goes_on_where_the_connection_broke(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = in_turn(
        file(CONTENT, etag='"1"', breaks_after=HALF),
        file(CONTENT, etag='"1"', breaks_after=100_000),
        file(CONTENT, etag='"1"'),
    )
    assert downloader.run().read_bytes() == CONTENT
    asked = downloader.server.requests
    assert [request.range for request in asked] == [None, "bytes=300000-", "bytes=400000-"]
    assert [request.headers.get("If-Range") for request in asked] == [None, '"1"', '"1"']
    assert downloader.server.sent == len(CONTENT)
    assert downloader.pauses == [1, 1]
    assert all("127.0.0.1" in sentence and "1 s" in sentence for sentence in downloader.sentences)


def test_pauses_grow_and_begin_again_with_bytes(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = in_turn(
        status(503),
        status(500),
        status(429),
        file(CONTENT, breaks_after=HALF),
        status(502),
        status(503, Retry_After=7),
        status(503, Retry_After=999_999),
        file(CONTENT),
    )
    assert downloader.run(tries=5).read_bytes() == CONTENT
    assert downloader.pauses == [1, 2, 4, 1, 2, 7, 30]


@pytest.mark.parametrize("known", [sha256(CONTENT), sha256(CONTENT)[:8], ""])
def test_a_download_ended_before_is_gone_on_with_where_a_hash_tells_the_end(
    downloader: Downloader, known: str
) -> None:
    begun(downloader)
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    assert downloader.run(the_file(downloader.server, known)).read_bytes() == CONTENT
    assert downloader.server.sent == len(CONTENT) - (HALF if known else 0)


def test_a_whole_part_needs_no_server(downloader: Downloader) -> None:
    begun(downloader, CONTENT)
    assert downloader.run().read_bytes() == CONTENT
    assert downloader.server.requests == []


@pytest.mark.parametrize("part", [OTHER, CONTENT + b"more"])
def test_a_full_part_of_other_bytes_is_replaced(downloader: Downloader, part: bytes) -> None:
    begun(downloader, part)
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    assert downloader.run().read_bytes() == CONTENT
    assert downloader.server.sent == len(CONTENT)
    assert downloader.pauses == []


def test_a_part_longer_than_what_the_server_has_is_replaced(downloader: Downloader) -> None:
    begun(downloader, CONTENT + bytes(2000))
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    wanted = the_file(downloader.server, bytes=len(CONTENT) - 3000, rounded=True)
    assert downloader.run(wanted).read_bytes() == CONTENT
    assert [request.range for request in downloader.server.requests] == ["bytes=602000-", None]


def test_a_part_of_another_version_is_found_by_the_hash(downloader: Downloader) -> None:
    begun(downloader, OTHER[:HALF])
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    assert downloader.run().read_bytes() == CONTENT
    assert downloader.server.sent == len(CONTENT) + len(CONTENT) - HALF
    assert any("once more" in sentence for sentence in downloader.sentences)


def test_a_server_without_ranges_begins_again(downloader: Downloader) -> None:
    begun(downloader, OTHER[:HALF])
    downloader.server.pages[f"/{NAME}"] = in_turn(
        file(CONTENT, ranges=False, breaks_after=HALF), file(CONTENT, ranges=False)
    )
    assert downloader.run().read_bytes() == CONTENT
    assert [r.range for r in downloader.server.requests] == ["bytes=300000-", "bytes=300000-"]
    assert downloader.server.sent == HALF + len(CONTENT)


@pytest.mark.parametrize(
    "second",
    [
        file(OTHER, etag='"2"'),
        file(OTHER, heeds=False, Content_Range=f"bytes 0-{len(OTHER) - 1}/{len(OTHER)}"),
        file(OTHER, heeds=False, Content_Range=f"bytes 300001-{len(OTHER) - 1}/{len(OTHER)}"),
        file(OTHER, heeds=False, Content_Range=f"bytes {HALF}-{len(OTHER) - 1}/{len(OTHER) - 5}"),
        file(OTHER, heeds=False, Content_Range=f"bytes {HALF}-{len(OTHER) - 1}/{len(OTHER) + 5}"),
        file(OTHER, heeds=False, Content_Range="bytes all/of it"),
        file(OTHER, heeds=False, Content_Range=f"bytes {HALF}-1/{len(OTHER)}"),
        file(OTHER, heeds=False, Content_Range=None),
        file(OTHER, heeds=False, etag='"2"'),
    ],
)
def test_parts_that_do_not_fit_are_not_joined(downloader: Downloader, second: object) -> None:
    """The file has no published hash, so nothing else would find the mixture."""
    downloader.server.pages[f"/{NAME}"] = in_turn(
        file(CONTENT, etag='"1"', breaks_after=HALF),
        second,  # type: ignore[arg-type]
        file(OTHER, etag='"2"'),
    )
    assert downloader.run(the_file(downloader.server, "")).read_bytes() == OTHER


def test_a_weak_etag_is_no_pin(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = in_turn(
        file(CONTENT, breaks_after=HALF, ETag='W/"1"'), file(CONTENT, ETag='W/"1"')
    )
    assert downloader.run(the_file(downloader.server, "")).read_bytes() == CONTENT
    assert "If-Range" not in downloader.server.requests[1].headers


@pytest.mark.parametrize("known", [sha256(CONTENT), ""])
def test_a_body_of_untold_length(downloader: Downloader, known: str) -> None:
    downloader.server.pages[f"/{NAME}"] = chunked(CONTENT)
    assert downloader.run(the_file(downloader.server, known)).read_bytes() == CONTENT


def test_a_body_of_untold_length_that_ends_early_is_gone_on_with(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = in_turn(chunked(CONTENT[:HALF]), file(CONTENT))
    assert downloader.run().read_bytes() == CONTENT
    assert downloader.server.sent == len(CONTENT)


def test_a_length_published_rounded(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    wanted = the_file(downloader.server, sha256(CONTENT)[:8], bytes=601_000, rounded=True)
    assert downloader.run(wanted).read_bytes() == CONTENT


def test_redirects_are_followed_and_their_bodies_left(downloader: Downloader) -> None:
    url = downloader.server.url
    downloader.server.pages |= {
        f"/{NAME}": leading_to("/there"),
        "/there": leading_to(f"{url}/here?signed=1"),
        "/here": file(CONTENT),
    }
    assert downloader.run().read_bytes() == CONTENT


def test_a_pinned_commit_is_what_later_requests_ask_for(downloader: Downloader) -> None:
    commit = "0123456789abcdef" * 2 + "01234567"
    downloader.server.pages |= {
        "/a/resolve/main/m": leading_to("/cdn", X_Repo_Commit=commit),
        f"/a/resolve/{commit}/m": leading_to("/cdn", X_Repo_Commit=commit),
        "/cdn": in_turn(file(CONTENT, breaks_after=HALF), file(CONTENT)),
    }
    wanted = the_file(downloader.server)
    object.__setattr__(wanted, "url", f"{downloader.server.url}/a/resolve/main/m")
    assert downloader.run(wanted).read_bytes() == CONTENT
    assert len(downloader.server.asked(f"/a/resolve/{commit}/m")) == 1
    assert len(downloader.server.asked("/a/resolve/main/m")) == 1


def test_a_stalled_server_is_left_and_gone_on_with(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = in_turn(stalling(CONTENT, HALF), file(CONTENT))
    assert downloader.run(read=0.3).read_bytes() == CONTENT
    assert "waiting for too long" in downloader.sentences[0]
    assert downloader.server.requests[1].range == "bytes=300000-"


def test_bytes_spoilt_once_are_fetched_once_more(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = in_turn(file(OTHER), file(CONTENT))
    assert downloader.run().read_bytes() == CONTENT
    assert downloader.server.requests[1].range is None


def test_what_stops_the_download_leaves_what_can_be_gone_on_with(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)

    def stop(done: int, total: int) -> None:
        if done > HALF:
            raise KeyboardInterrupt

    for known, left in ((sha256(CONTENT), [f"{NAME}.part"]), ("", [])):
        with pytest.raises(KeyboardInterrupt):
            downloader.run(the_file(downloader.server, known), progress=stop)
        assert downloader.left() == left


def test_a_mirror_has_the_same_names(downloader: Downloader, tmp_path: Path) -> None:
    downloader.server.pages[f"/copies/{NAME}"] = file(CONTENT)
    wanted = the_file(downloader.server)
    assert downloader.run(wanted, f"{downloader.server.url}/copies/").read_bytes() == CONTENT
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / NAME).write_bytes(CONTENT)
    (downloader.folder / NAME).unlink()
    downloader.steps.clear()
    assert downloader.run(wanted, str(tmp_path / "stick")).read_bytes() == CONTENT
    assert downloader.steps[-1] == (len(CONTENT), len(CONTENT))
    assert [request.path for request in downloader.server.requests] == [f"/copies/{NAME}"]


def test_the_note_at_a_mirror_tells_a_hash_that_was_not_published(
    downloader: Downloader, tmp_path: Path
) -> None:
    note = f"{sha256(CONTENT)}  {NAME}\n".encode()
    wanted = the_file(downloader.server, "")
    (tmp_path / f"{NAME}.sha256").write_bytes(note)
    (tmp_path / NAME).write_bytes(OTHER)
    downloader.server.pages |= {
        f"/{NAME}": in_turn(file(OTHER), file(OTHER), file(CONTENT)),
        f"/{NAME}.sha256": in_turn(status(503), file(note)),
    }
    for mirror in (str(tmp_path), downloader.server.url):
        fault = downloader.fault(wanted, mirror)
        assert sha256(OTHER) in fault.sentence
        assert sha256(CONTENT) in fault.sentence
    assert downloader.run(wanted, downloader.server.url).read_bytes() == CONTENT
