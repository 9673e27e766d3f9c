"""`nightflash gimp`: the plug-in in the profiles of a user of the test's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from nightflash.cli import main
from nightflash.gimp import plug_in, pyzmq
from nightflash.gimp.plug_in import Source


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIMP3_DIRECTORY", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NIGHTFLASH_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("NIGHTFLASH_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(pyzmq, "SYSTEM_PYTHONS", ())
    return tmp_path / ".config/GIMP/3.0"


def test_install_check_and_uninstall(
    profile: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile.mkdir(parents=True)
    place = profile / "plug-ins/nightflash_filter"
    assert main(["gimp", "check"]) == 2
    assert "the plug-in is not there; 'nightflash gimp install'" in capsys.readouterr().out
    assert main(["gimp", "install"]) == 0
    assert "Restart GIMP where it runs" in capsys.readouterr().out
    noted = json.loads((place / "install.json").read_text())
    assert noted["command"][0] == sys.executable
    assert noted["installer"] == "nightflash gimp install"
    assert (place / "nightflash_filter.py").stat().st_mode & 0o111
    assert main(["gimp", "check"]) == 0
    assert f"the plug-in is in {place}" in capsys.readouterr().out
    with monkeypatch.context() as installed:  # what install/gimp.sh puts into the shell runs this
        installed.setattr(plug_in, "__file__", str(place / "lib/nightflash/gimp/plug_in.py"))
        assert Source.of_this() == Source(place, place / "lib/nightflash")
    assert main(["gimp", "uninstall"]) == 0
    assert list(place.parent.iterdir()) == []


def test_without_gimp(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("install", "check"):
        assert main(["gimp", action]) == 2
        assert "No GIMP 3 was found for this user: install GIMP" in capsys.readouterr().err
    assert main(["gimp", "uninstall"]) == 0
    assert not profile.exists()
