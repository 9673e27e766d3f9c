"""The wheel gives everything: `pip install` of it in a fresh environment, with no checkout near."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "backend/nightflash/data/example.jpg"


@pytest.mark.endurance
def test_a_wheel_in_a_fresh_environment(tmp_path: Path) -> None:
    """Its dependencies are those of this environment: only NightFlash's own files are new."""
    profile = tmp_path / "home/.config/GIMP/3.0"
    profile.mkdir(parents=True)
    python = tmp_path / "fresh/bin/python"
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "GIMP3_DIRECTORY")}
    variables |= {"HOME": str(tmp_path / "home"), "PATH": f"{python.parent}:/usr/bin:/bin"}
    variables |= {"NIGHTFLASH_HOME": str(tmp_path / "data"), "PYTHONSAFEPATH": "1"}
    variables |= {"NIGHTFLASH_RUNTIME_DIR": str(tmp_path / "run")}
    variables.pop("XDG_CONFIG_HOME", None)

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("nightflash-*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "fresh")
    (packages,) = tmp_path.glob("fresh/lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    run(*pip, "--python", python, "install", "--no-deps", wheel)
    command = python.with_name("nightflash")
    origin = run(python, "-c", "import nightflash; print(nightflash.__file__)")
    assert Path(origin.strip()).is_relative_to(packages)
    run(command, "render", PHOTO, "night.jpg", "--quality", "fast", "--preset", "street")
    assert (tmp_path / "night.jpg").stat().st_size > 10_000
    assert (packages / "nightflash/client/PROTOCOL.md").is_file()
    assert "the plug-in is in" in run(command, "gimp", "install")
    files = {p.relative_to(profile / "plug-ins") for p in (profile / "plug-ins").rglob("*.mo")}
    assert files == {Path("nightflash_filter/locale/de/LC_MESSAGES/nightflash.mo")}
    assert "the plug-in is in" in run(command, "gimp", "check")
    run(command, "gimp", "uninstall")
    assert not list((profile / "plug-ins").iterdir())
