"""onnxruntime may neither report to anybody nor leave anything behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLAIN = (
    "import sys, onnxruntime as o;"
    "o.InferenceSession(sys.argv[1], providers=o.get_all_providers()[-1:])"
)
TRACE = ("-e", "trace=%network,%file")
REACHES = re.compile(r"\b(socket|connect|sendto)\(.*AF_INET")
CHANGES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|\b(mkdir|rename|unlink|link|symlink|truncate)\w*\(")


def traced(tmp_path: Path, *words: str) -> list[str]:
    """What a Python reaches for, and what it changes outside the folder for temporary files."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace, which tells what a process does, is not here")
    for folder in ("home", "tmp"):
        (tmp_path / folder).mkdir()
    mine = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "XDG_", "CI"))}
    run = subprocess.run(
        [strace, "-f", "-qq", "-o", tmp_path / "trace", *TRACE, sys.executable, "-B", *words],
        env=env | mine | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode and "PTRACE" in run.stderr:
        pytest.skip(f"processes cannot be traced here: {run.stderr[:200]}")
    assert run.returncode == 0, run.stderr
    calls = (tmp_path / "trace").read_text(errors="replace").splitlines()
    harmless = re.compile(rf'ENOENT|EEXIST|"(/dev/|{re.escape(str(tmp_path / "tmp"))})')
    changes = [call for call in calls if CHANGES.search(call) and not harmless.search(call)]
    return [call for call in calls if REACHES.search(call)] + changes


def test_a_render_reaches_for_nobody_and_leaves_only_its_result(
    shared: Path, tmp_path: Path
) -> None:
    day = shared / "photos/daylight/coral_owl.jpg"
    options = ("--networks", "lite", "--weights", str(shared / "weights"), "--quality", "fast")
    night = tmp_path / "out" / "night.png"
    night.parent.mkdir()
    calls = traced(tmp_path, "-m", "nightflash", "render", str(day), str(night), *options)
    assert [call for call in calls if str(night.parent) not in call] == []
    assert calls  # the result itself
    assert not any((tmp_path / "home").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="its wheels for Linux alone do so")
def test_the_trace_would_show_it(shared: Path, tmp_path: Path) -> None:
    """As long as onnxruntime's wheels do so; else this and `open_session` can become simpler."""
    calls = traced(tmp_path, "-c", PLAIN, str(shared / "weights/yolox_nano.onnx"))
    assert any("onnxruntime" in call for call in calls)
