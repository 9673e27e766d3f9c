"""Batches on a cluster of Ray: nothing lost and nothing twice, whatever dies on the way.

It needs the extra ``ray`` and, for the store, ``moto[server]``; two nodes are this machine.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nightflash.batch.share import cores
from nightflash.cli import main

from tests.command_line import FAST, photo
from tests.test_readme import BLOCKS

ray = pytest.importorskip("ray", reason="the extra ray is not installed")
server = pytest.importorskip("moto.server", reason="there is no moto to be a store")
from ray.cluster_utils import Cluster  # noqa: E402

pytestmark = [pytest.mark.endurance, pytest.mark.filterwarnings("ignore")]
SMALL = (*FAST, "--set", "working_size=0.02", "--strip-all")
COUNT = 12


@contextmanager
def a_bucket() -> Iterator[Any]:
    """A bucket ``s3://photos`` on this machine, and a file system that sees it."""
    s3fs = pytest.importorskip("s3fs")
    moto = server.ThreadedMotoServer(port=0)
    moto.start()
    port = moto.get_host_and_port()[1]
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in (
            ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("RAY_worker_niceness", "0"),
        ):
            monkeypatch.setenv(name, value)
        system = s3fs.S3FileSystem(skip_instance_cache=True)
        if not system.exists("photos"):
            system.mkdir("photos")
        yield system
    moto.stop()


@contextmanager
def a_cluster() -> Iterator[Any]:
    """Two nodes of one core each."""
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.add_node(num_cpus=1)
    ray.init(address=nodes.address, log_to_driver=False)
    yield nodes
    ray.shutdown()
    nodes.shutdown()


@pytest.fixture
def bucket() -> Iterator[Any]:
    with a_bucket() as system:
        yield system


@pytest.fixture
def cluster(bucket: Any) -> Iterator[Any]:
    with a_cluster() as nodes:
        yield nodes


def test_a_worker_and_a_node_are_killed(tmp_path: Path, bucket: Any, cluster: Any) -> None:
    days = tmp_path / "days"
    days.mkdir()
    for number in range(COUNT):
        photo(days / f"{number:02}.png", 80 + number, 60)
    alone = ["--workers", str(cores())]  # of one thread each, as on Ray: sums have other last bits
    assert main(["batch", str(days), str(tmp_path / "here"), *alone, *SMALL]) == 0
    bucket.put(str(days), "photos/days", recursive=True)
    report = tmp_path / "report.jsonl"
    killer = threading.Thread(target=kill, args=(cluster, report, COUNT))
    killer.start()
    arguments = ["s3://photos/days", "s3://photos/nights", "--on", "ray", "--report", str(report)]
    assert main(["batch", *arguments, *SMALL]) == 0
    killer.join()
    names = sorted(path.name for path in days.iterdir())
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert sorted(line["out"].rpartition("/")[2] for line in lines) == names
    for name in names:
        assert bucket.cat(f"photos/nights/{name}") == (tmp_path / "here" / name).read_bytes()
    before = report.read_bytes()
    assert main(["batch", *arguments, *SMALL]) == 0
    assert report.read_bytes() == before


def kill(cluster: Any, report: Path, count: int) -> None:
    """Kill a worker after a quarter of so many photos, a node after half of them."""
    _wait(report, count // 4)
    for process in Path("/proc").iterdir():
        try:
            if b"MapWorker" in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
                print("killed a worker")
                break
        except OSError:
            continue
    _wait(report, count // 2)
    cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
    print("killed a node")


def _wait(report: Path, lines: int) -> None:
    end = time.monotonic() + 3600
    while time.monotonic() < end:
        if report.exists() and report.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.2)


def test_the_readme(
    tmp_path: Path,
    cluster: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(3):
        photo(tmp_path / "photos" / f"{number}.jpg", 60, 40)
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(BLOCKS["bash ray"])
    assert program == "nightflash"
    assert main(arguments) == 0
    assert len(list((tmp_path / "nights").glob("*.jpg"))) == 3
    (tmp_path / "photos" / "bad.jpg").write_text("no picture")
    capsys.readouterr()
    code = BLOCKS["python ray"].replace('"photos"', repr(str(tmp_path / "photos")))
    exec(compile(code, "README.md", "exec"), {})
    rows = [line.split(" ", 2) for line in capsys.readouterr().out.splitlines()]
    found = {Path(path).name: (int(length), json.loads(report)) for path, length, report in rows}
    assert len(found) == 4
    length, report = found.pop("bad.jpg")
    assert length == 0
    assert "not a picture" in report["fault"]
    for length, report in found.values():
        assert length > 500
        assert report["settings"]["ambient"] == -6.0
