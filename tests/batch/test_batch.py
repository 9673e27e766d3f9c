"""``nightflash batch``: what is done, done again, and told."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from nightflash.batch.order import NamedAim, Order, Told
from nightflash.cli import main
from nightflash.engine.night import Report
from nightflash.settings import Settings

from tests.command_line import FAST, in_process_of_its_own, linear, photo

SMALL = (*FAST, "--set", "working_size=0.02")
Capture = pytest.CaptureFixture[str]


def batch(*arguments: str | Path, code: int = 0) -> None:
    assert main(["batch", *map(str, arguments), *SMALL]) == code


def report(out: Path) -> dict[str, dict[str, Any]]:
    """Name of each photo to its entry; there is one each."""
    entries = [json.loads(line) for line in (out / "report.jsonl").read_text().splitlines()]
    assert max(Counter(entry["out"] for entry in entries).values()) == 1
    return {Path(entry["photo"]).name: entry for entry in entries}


def states(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.rglob("*.png")}


@pytest.mark.usefixtures("in_process")
def test_nights_and_their_report(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (photos / "bad.png").write_text("no picture")
    batch(photos, out, code=2)
    entries = report(out)
    assert set(entries) == {"a.png", "b.png", "c.png", "bad.png"}
    assert "not a picture" in entries.pop("bad.png")["fault"]
    for entry in entries.values():
        day, night = Path(entry["photo"]), Path(entry["out"])
        assert night.relative_to(out) == day.relative_to(photos)
        assert entry["photo_sha256"] == hashlib.sha256(day.read_bytes()).hexdigest()
        assert entry["sha256"] == hashlib.sha256(night.read_bytes()).hexdigest()
        assert entry["settings"]["quality"] == "fast"
        assert entry["networks"]["depth"] == "scene_net"
        assert len(entry["subject_box"]) == 4
        assert {"read", "scene", "write"} <= set(entry["seconds"])
        assert linear(night).mean() < 0.6 * linear(day).mean()
    assert not (out / "bad.png").exists()


@pytest.mark.usefixtures("quick")
def test_what_is_done_is_not_done_again(photos: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    batch(photos, out)
    before = states(out)
    batch(photos, out)
    assert "0 made, 3 done before" in capsys.readouterr().err
    assert states(out) == before
    photo(photos / "a.png", 80, 60)  # changed
    os.utime(photos / "b.png")  # touched alone
    (out / "deep" / "er" / "c.png").unlink()
    with (out / "report.jsonl").open("a") as stream:
        stream.write('{"photo": "torn')  # by a kill
    batch(photos, out)
    changed = {name for name, state in states(out).items() if state != before[name]}
    assert changed == {"a.png", "c.png"}
    assert len(report(out)) == 3
    batch(photos, out, "--set", "flash_ev=1")
    assert all(state != before[name] for name, state in states(out).items())
    assert {entry["settings"]["flash_ev"] for entry in report(out).values()} == {1.0}
    now = states(out)
    batch(photos, out, "--set", "flash_ev=1", "--overwrite", "--limit", "1")
    assert sum(state != now[name] for name, state in states(out).items()) == 1


@pytest.mark.usefixtures("quick")
def test_faults_are_tried_again(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (photos / "d.png").write_text("not yet a picture")
    batch(photos, out, code=2)
    photo(photos / "d.png")
    batch(photos, out)
    assert "fault" not in report(out)["d.png"]


@pytest.mark.usefixtures("quick")
def test_what_was_left_half_written_goes_away(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".0123456789abcdef.png").write_bytes(b"half")
    (out / ".mine.png").write_bytes(b"kept")
    batch(photos, out)
    assert sorted(p.name for p in out.glob(".*png")) == [".mine.png"]


@pytest.mark.usefixtures("quick")
def test_a_dry_run_does_nothing(photos: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    batch(photos, out, "--dry-run", "--limit", "2")
    told = capsys.readouterr()
    assert told.out.splitlines() == [f"{photos}/{n} -> {out}/{n}" for n in ("a.png", "b.png")]
    assert not out.exists()


@pytest.mark.usefixtures("quick")
def test_settings_and_aim_of_a_list(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(
        "photo,out,preset,flash_ev,point\nphotos/a.png,street.png,street,,50 40\n".replace(
            "50 40", '"50,40"'
        )
        + "photos/a.png,bright.png,,1,\n"
    )
    out = tmp_path / "out"
    batch(tmp_path / "list.csv", out)
    lines = (out / "report.jsonl").read_text().splitlines()
    street, bright = map(json.loads, lines)
    assert street["subject_from"] == "by (50.0, 40.0)"
    assert bright["subject_from"] == "by None"
    assert street["settings"]["ambient"] != bright["settings"]["ambient"]
    assert bright["settings"]["flash_ev"] == 1.0


@pytest.mark.usefixtures("quick")
def test_a_sample_has_a_page_of_pairs(photos: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    (photos / "bad.png").write_text("no picture")
    batch(photos, out, "--sample", "4", code=2)
    assert capsys.readouterr().out == f"{out}/contact.html\n"
    page = (out / "contact.html").read_text()
    assert len(re.findall(r'src="data:image/jpeg;base64,[\w+/=]+"', page)) == 6
    assert page.count('class="box"') == 3
    assert page.count('class="fault"') == 1
    assert "http" not in page
    batch(photos, out, "--sample", "2", code=0)
    assert (out / "contact.html").read_text().count("<figure>") == 2


@pytest.mark.usefixtures("quick")
def test_a_report_as_parquet(photos: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "out"
    (photos / "bad.png").write_text("no picture")
    batch(photos, out, "--report", out / "all.parquet", code=2)
    rows = parquet.read_table(out / "all.parquet").to_pylist()
    assert len(rows) == 4
    assert sum(row["fault"] is not None for row in rows) == 1
    assert {row["settings"]["quality"] for row in rows} == {"fast"}


@pytest.mark.usefixtures("quick")
def test_pyarrow_is_asked_for(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    batch(photos, tmp_path / "out", "--report", tmp_path / "all.parquet", code=2)
    assert "pip install 'nightflash[batch]'" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_photos_are_not_overwritten(photos: Path, capsys: Capture) -> None:
    before = states(photos)
    batch(photos, photos, code=2)
    batch(photos / "a.png", photos, code=2)
    assert states(photos) == before
    assert "never overwritten" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_two_batches_do_not_write_one_report(photos: Path, tmp_path: Path, capsys: Capture) -> None:
    from nightflash.batch.report import Report

    (tmp_path / "out").mkdir()
    half = tmp_path / "out" / ".0123456789abcdef.png"
    half.write_bytes(b"being written")
    with Report(tmp_path / "out" / "report.jsonl"):
        batch(photos, tmp_path / "out", code=2)
    assert "Another batch writes" in capsys.readouterr().err
    assert half.exists()


def test_in_processes(photos: Path, tmp_path: Path) -> None:
    (photos / "bad.png").write_text("no picture")
    done = in_process_of_its_own("batch", photos, "out", "--workers", "2", *SMALL, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "3 made, 0 done before, 1 faults" in done.stderr
    assert len(report(tmp_path / "out")) == 4


@pytest.mark.usefixtures("quick")
def test_ray_is_asked_for(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    batch(photos, tmp_path / "out", "--on", "ray", code=2)
    assert "pip install 'nightflash[ray]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    batch(photos, tmp_path / "out", "--on", "dask", code=2)
    assert "not ray or ray:ADDRESS" in capsys.readouterr().err


def test_an_order_goes_to_other_machines(tmp_path: Path) -> None:
    aim = NamedAim((1.0, 2.0, 3.0, 4.0), ((5.0, 6.0),), ((7.0, 8.0),), tmp_path / "mask.png")
    for order in (
        Order("a.jpg", "s3://b/a.jpg", Settings(ambient=None, seed=3), aim, 80, "nothing", "1"),
        Order("a.jpg", "b.jpg"),
    ):
        assert Order.of_json(order.as_json()) == order


def test_a_line_has_all_that_is_told_of_a_night_but_for_its_losses() -> None:
    told = {field.name for field in dataclasses.fields(Report)} - {"losses"}
    assert set(Told.__annotations__) == told
