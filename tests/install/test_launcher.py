"""The command that an installation leaves: it starts the right code, and nothing of others goes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.machine import CHECKOUT

import launcher  # isort: skip  (machine has put install/ on the path)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NIGHTFLASH_HOME", str(tmp_path / "Jürgens $HOME; 'data'"))
    return launcher.command_file()


def code_in(folder: Path, says: str) -> Path:
    package = folder / "nightflash"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "cli.py").touch()
    (package / "__main__.py").write_text(f"import sys; print({says!r}, sys.argv[1:])")
    return folder


def said(command: Path, *arguments: str) -> str:
    variables = {**os.environ, "PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere"}
    result = subprocess.run([command, *arguments], env=variables, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_it_starts_the_code_with_the_arguments_as_they_are(command: Path, tmp_path: Path) -> None:
    launcher.put(Path(sys.executable), code_in(tmp_path / 'it\'s "ü" $x', "first"))
    assert said(command, "a b", "$HOME", "") == "first ['a b', '$HOME', '']"


def test_a_checkout_does_not_take_the_command_from_code_that_is_there(
    command: Path, tmp_path: Path
) -> None:
    first, second = code_in(tmp_path / "a", "first"), code_in(tmp_path / "b", "second")
    launcher.put(Path(sys.executable), first)
    launcher.put(Path(sys.executable), second, replace=False)
    assert said(command).startswith("first")
    (first / "nightflash" / "cli.py").unlink()
    launcher.put(Path(sys.executable), second, replace=False)
    assert said(command).startswith("second")
    launcher.put(Path(sys.executable), code_in(tmp_path / "c", "third"))
    assert said(command).startswith("third")


def test_the_program_of_another_stays(
    command: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\necho mine\n")
    launcher.put(Path(sys.executable), code_in(tmp_path / "a", "first"))
    launcher.remove()
    assert "another program's" in capsys.readouterr().err
    assert command.read_text() == "#!/bin/sh\necho mine\n"


def test_it_is_removed_and_a_folder_that_takes_no_file_is_said(
    command: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    launcher.put(Path(sys.executable), CHECKOUT / "backend")
    assert command.is_file()
    launcher.remove()
    launcher.remove()
    assert not command.exists()
    command.parent.rmdir()
    command.parent.write_text("a file in its way")
    launcher.put(Path(sys.executable), CHECKOUT / "backend")
    assert "could not be made" in capsys.readouterr().err


def test_a_packager_gets_none(command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTFLASH_PYTHON", sys.executable)
    launcher.put(Path(sys.executable), CHECKOUT / "backend")
    assert not command.exists()


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NIGHTFLASH_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_BIN_HOME", raising=False)
    if sys.platform != "win32":
        assert launcher.command_file() == tmp_path / ".local" / "bin" / "nightflash"
        monkeypatch.setenv("XDG_BIN_HOME", str(tmp_path / "own"))
        assert launcher.command_file() == tmp_path / "own" / "nightflash"
