"""Downloads that others disturb: processes killed midway, several of them at once, and threads."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nightflash.models.download.fetching import download

from tests.command_line import environment
from tests.models.download.downloading import CONTENT, NAME, Downloader, sha256, the_file
from tests.models.download.hostile_server import Hostile, file, serving

CODE = """
import sys
from pathlib import Path
from nightflash.models.download.fetching import download
from nightflash.models.weights import WeightsFile

url, folder, bytes, sha256 = sys.argv[1:]
path = download(
    WeightsFile("network.pth", int(bytes), url, sha256), Path(folder), report=lambda s: print(s)
)
print(path.stat().st_size)
"""


@pytest.fixture
def server() -> Iterator[Hostile]:
    with serving() as server:
        yield server


def process(server: Hostile, folder: Path) -> subprocess.Popen[str]:
    """Another process that downloads `CONTENT`."""
    arguments: list[str | Path] = [
        f"{server.url}/{NAME}",
        folder,
        str(len(CONTENT)),
        sha256(CONTENT),
    ]
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_download_goes_on_after_its_process_was_killed(server: Hostile, tmp_path: Path) -> None:
    part = tmp_path / f"{NAME}.part"
    server.pages[f"/{NAME}"] = file(CONTENT, pause=0.1)
    first = process(server, tmp_path)
    until(lambda: part.exists() and part.stat().st_size > 50_000)
    first.kill()
    first.communicate()
    have = part.stat().st_size
    assert have < len(CONTENT)
    server.pages[f"/{NAME}"] = file(CONTENT)
    server.requests.clear()
    time.sleep(0.3)  # what the server still sends to the process killed
    server.sent = 0
    second = process(server, tmp_path)
    printed, _ = second.communicate(timeout=50)
    assert (second.returncode, printed) == (0, f"{len(CONTENT)}\n")
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [request.range for request in server.requests] == [f"bytes={have}-"]
    assert server.sent == len(CONTENT) - have


def test_of_two_processes_one_waits_for_the_other(server: Hostile, tmp_path: Path) -> None:
    go_on = threading.Event()

    def after_the_other_came(request: object) -> None:
        go_on.wait(50)
        file(CONTENT)(request)  # type: ignore[arg-type]

    server.pages[f"/{NAME}"] = after_the_other_came
    both = [process(server, tmp_path) for _ in range(2)]
    lines: list[str] = []
    readers = [threading.Thread(target=lambda p=p: lines.extend(p.stdout or ())) for p in both]
    for reader in readers:
        reader.start()
    until(lambda: any("waiting" in line for line in lines))
    go_on.set()
    for one, reader in zip(both, readers, strict=True):
        assert one.wait(50) == 0
        reader.join()
        assert one.stdout is not None
        one.stdout.close()
    assert sorted(lines)[:2] == [f"{len(CONTENT)}\n"] * 2
    assert len(server.requests) == 1
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_of_many_threads_one_fetches(server: Hostile, tmp_path: Path) -> None:
    server.pages[f"/{NAME}"] = file(CONTENT, pause=0.005)
    downloads = [Downloader(server, tmp_path) for _ in range(5)]
    threads = [threading.Thread(target=one.run) for one in downloads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert server.sent == len(CONTENT)


def test_whoever_waits_can_be_stopped(server: Hostile, tmp_path: Path) -> None:
    server.pages[f"/{NAME}"] = file(CONTENT, pause=0.02)
    first = Downloader(server, tmp_path)
    thread = threading.Thread(target=first.run)
    thread.start()

    def stop(sentence: str) -> None:
        assert "waiting" in sentence
        raise KeyboardInterrupt

    until(lambda: len(server.requests) == 1)
    with pytest.raises(KeyboardInterrupt):
        download(the_file(server), tmp_path, report=stop)
    thread.join()
    assert (tmp_path / NAME).read_bytes() == CONTENT
