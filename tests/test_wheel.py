"""What is handed out: a wheel that gives everything, and a source distribution that makes it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "backend/nightflash/data/example.jpg"


def built(kind: str, tree: Path, out: Path) -> Path:
    """What setuptools builds of a tree: an ``sdist`` or a ``wheel``."""
    code = f"import sys; from setuptools.build_meta import *; build_{kind}(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, out], cwd=tree, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.iterdir()
    return made


def files_of(wheel: Path) -> dict[str, int]:
    """Names and checksums of what a wheel puts into an environment."""
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a clone to compare with")
def test_a_source_distribution_is_the_clone_and_gives_the_same_wheel(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = {name for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file()}
    for name in names:
        (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "clone" / name)
    for folder in ("sdist", "wheel", "again"):
        (tmp_path / folder).mkdir()
    wheel = files_of(built("wheel", tmp_path / "clone", tmp_path / "wheel"))
    with tarfile.open(built("sdist", tmp_path / "clone", tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    (tree,) = (tmp_path / "out").iterdir()
    found = {str(file.relative_to(tree)) for file in tree.rglob("*") if file.is_file()}
    made = {name for name in found if "egg-info" in name} | {"PKG-INFO", "setup.cfg"}
    assert found - made == names
    assert files_of(built("wheel", tree, tmp_path / "again")) == wheel
    assert "nightflash_filter/nightflash_filter.py" in wheel
    assert not [name for name in wheel if name.startswith(("tests", "training", "gi/"))]


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
