"""The networks on their way into a set-up: the installers' part and NightFlash's own together."""

from __future__ import annotations

import _thread
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nightflash import cli
from nightflash.models.descriptor import NetworkDescriptor
from nightflash.models.registry import NETWORKS, Registry
from nightflash.models.weights import WeightsFile

from tests.install.machine import networks
from tests.models.download.downloading import CONTENT, sha256
from tests.models.download.hostile_server import Hostile, Request, file, nobody, serving
from tests.server.backend import until
from tests.test_models_command import network


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hostile]:
    """A server with the depth network that is the best; it alone is known."""

    def run_here(python: Path, module: str, *arguments: str, to_stderr: bool) -> int:
        assert (python, module, to_stderr) == (Path(sys.executable), "nightflash", True)
        return cli.main([*arguments, "--device", "cpu"])

    monkeypatch.setattr(networks, "run_in", run_here)
    monkeypatch.setenv("NIGHTFLASH_HOME", str(tmp_path))
    for name in ("NIGHTFLASH_WEIGHTS", "NIGHTFLASH_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    with serving() as server:
        weights = WeightsFile("good.pt", len(CONTENT), f"{server.url}/good.pt", sha256(CONTENT))
        known(monkeypatch, network("good", "depth", "official", "", files=(weights,)))
        server.pages["/good.pt"] = file(CONTENT)
        yield server


def known(monkeypatch: pytest.MonkeyPatch, *descriptors: NetworkDescriptor[object]) -> None:
    """Let these be the networks that there are."""
    monkeypatch.setattr(NETWORKS, "_by_name", dict(Registry(descriptors)))


def fetch(*arguments: str) -> None:
    wanted, _ = networks.wanted(arguments)
    networks.fetch(Path(sys.executable), wanted)


def test_they_come_from_where_they_were_published(server: Hostile, tmp_path: Path) -> None:
    fetch()
    assert (tmp_path / "weights" / "good.pt").read_bytes() == CONTENT
    asked = len(server.requests)
    fetch()
    assert len(server.requests) == asked


def test_they_come_from_a_mirror(
    server: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.pt").write_bytes(CONTENT)
    monkeypatch.setenv("NIGHTFLASH_MIRROR", str(tmp_path))
    fetch()
    assert (tmp_path / "weights" / "good.pt").read_bytes() == CONTENT
    assert server.requests == []


def test_one_that_is_out_of_reach_keeps_no_other(
    server: Hostile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = nobody()
    layers = network("layers", "features", "official", f"http://{gone}")
    known(monkeypatch, NETWORKS["good"], layers)
    fetch()
    assert (tmp_path / "weights" / "good.pt").is_file()
    assert f"{gone} could not be reached for layers" in capsys.readouterr().err
    asked = len(server.requests)
    fetch()
    assert capsys.readouterr().err == ""
    with pytest.raises(networks.SetupError, match="--download official goes on from here"):
        fetch("--download", "official", "--from", str(tmp_path / "nowhere"))
    assert len(server.requests) == asked


@pytest.mark.usefixtures("ctrl_c")
def test_a_download_that_was_stopped_goes_on_with_the_next_run(
    server: Hostile, tmp_path: Path
) -> None:
    part = tmp_path / "weights" / "good.pt.part"

    def stopped(request: Request) -> None:
        """Send a part of the file, wait for it to arrive, and press Ctrl-C."""
        if request.headers.get("Range") == "bytes=0-0":  # which only asks whether anybody is there
            return file(CONTENT)(request)
        request.head(200, Content_Length=len(CONTENT))
        request.body(CONTENT[:100_000])
        for _ in until(20):
            if part.exists() and part.stat().st_size:
                break
        _thread.interrupt_main()
        request.hostile.stopped.wait(20)

    server.pages["/good.pt"] = stopped
    with pytest.raises(KeyboardInterrupt):
        fetch()
    begun = part.stat().st_size
    server.pages["/good.pt"] = file(CONTENT)
    fetch()
    assert (tmp_path / "weights" / "good.pt").read_bytes() == CONTENT
    assert server.requests[-1].range == f"bytes={begun}-"
