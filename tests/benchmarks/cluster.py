"""240 photos on a cluster of Ray's, from and to an S3 server, while parts of it die.

    PYTHONPATH=backend python -m tests.benchmarks.cluster SHARED FOLDER

Needs the extra ``ray`` and ``moto[server]``. Two nodes are this machine; after a quarter of the
photos a worker is killed, after half of them a node. The nights are compared with those of two
local workers, byte by byte. FOLDER keeps pictures between the runs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import threading
import time
from pathlib import Path

from nightflash.cli import main as nightflash

from tests.batch.test_ray import a_bucket, a_cluster, kill
from tests.benchmarks.batch import FAST, LARGE, SMALL, photos


def main() -> None:
    """Make the nights in both ways and compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    days, here = options.folder / "days", options.folder / "here"
    days.mkdir(parents=True, exist_ok=True)
    for path in photos(options.shared, options.folder / "large"):
        if not (days / path.name).exists():
            shutil.copy(path, days)
    start = time.monotonic()
    assert nightflash(["batch", str(days), str(here), "--workers", "2", *FAST]) == 0
    print(f"two local workers: {time.monotonic() - start:.0f} s", flush=True)
    report = options.folder / "cluster.jsonl"
    report.unlink(missing_ok=True)
    with a_bucket() as bucket, a_cluster() as cluster:
        bucket.put(str(days), "photos/days", recursive=True)
        count, start = SMALL + LARGE, time.monotonic()
        killer = threading.Thread(target=kill, args=(cluster, report, count))
        killer.start()
        way = ["--on", "ray", "--report", str(report)]
        assert nightflash(["batch", "s3://photos/days", "s3://photos/nights", *way, *FAST]) == 0
        killer.join()
        print(f"cluster: {time.monotonic() - start:.0f} s", flush=True)
        outs = [json.loads(line)["out"] for line in report.read_text().splitlines()]
        assert len(outs) == len(set(outs)) == count
        nights = sorted(here.glob("*.jpg"))
        assert len(nights) == count
        for night in nights:
            assert bucket.cat(f"photos/nights/{night.name}") == night.read_bytes(), night.name
    print(f"{count} nights, each once in the report, the same bytes")


if __name__ == "__main__":
    main()
