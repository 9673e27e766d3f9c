from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.install.machine import Machine, environment, executable, seed

CREATE = seed.create  # before the machine of a test pretends
DEB_TOOLS = {
    "apt-get": 'echo "apt-get $*" >> "$NOTES"; [ "$1" = update ] && touch "$NOTES.lists"\n'
    '[ "$1" = download ] || exit 0; [ -e "$NOTES.lists" ] || exit 100\n'
    "touch python3-pip-whl_24.0_all.deb",
    "dpkg-deb": 'mkdir -p "$3/usr/share/python-wheels"\n'
    'cp "$PIP_WHEEL" "$3/usr/share/python-wheels/pip-24.0-py3-none-any.whl"',
}
"""What apt-get and dpkg-deb do, as far as it matters here; packages lists are there or not."""


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian machine whose Python has neither ensurepip nor pip; the calls of apt-get."""
    for tool, script in DEB_TOOLS.items():
        executable(tmp_path / "debian" / tool, script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'debian'}:/usr/bin:/bin")
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    monkeypatch.setenv("PIP_WHEEL", str(pip_wheel(tmp_path / "pip.whl")))
    monkeypatch.setattr(seed, "find_spec", lambda name: None)
    monkeypatch.setattr(seed, "WHEELS", tmp_path / "wheels of the distribution")
    (tmp_path / "notes.lists").touch()
    (tmp_path / "notes").touch()
    (tmp_path / "scratch").mkdir()
    return tmp_path / "notes"


def pip_wheel(path: Path) -> Path:
    """A wheel whose pip puts a pip into the environment that runs it."""
    code = (
        "import sys, sysconfig, pathlib\n"
        "assert sys.argv[1:3] == ['install', '--no-index']\n"
        "assert pathlib.Path(sys.argv[3]).is_file()\n"
        "pip = pathlib.Path(sysconfig.get_path('purelib')) / 'pip'\n"
        "pip.mkdir()\n"
        "(pip / '__main__.py').write_text('print(\"pip at work\")')\n"
    )
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("pip/__init__.py", "")
        wheel.writestr("pip/__main__.py", code)
    return path


def run(command: Sequence[str | Path]) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def create(tmp_path: Path) -> bool:
    return seed.create(tmp_path / "Umgebung für nachts", tmp_path / "scratch", run)


def pip_works(tmp_path: Path) -> bool:
    python = seed.interpreter(tmp_path / "Umgebung für nachts")
    answer = subprocess.run([python, "-m", "pip"], capture_output=True, text=True)
    return answer.stdout == "pip at work\n"


def test_pip_is_fetched_as_a_package_without_root(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "_is_root", lambda: False)
    assert create(tmp_path)
    assert pip_works(tmp_path)
    assert notes.read_text() == "apt-get download python3-pip-whl\n"


def test_the_wheel_of_the_distribution_comes_first(notes: Path, tmp_path: Path) -> None:
    seed.WHEELS.mkdir()
    pip_wheel(seed.WHEELS / "pip-23.0.1-py3-none-any.whl")
    assert create(tmp_path)
    assert pip_works(tmp_path)
    assert notes.read_text() == ""


def test_root_fetches_the_package_lists_where_there_are_none(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(f"{notes}.lists").unlink()
    monkeypatch.setattr(seed, "_is_root", lambda: True)
    assert create(tmp_path)
    assert pip_works(tmp_path)
    assert notes.read_text().splitlines()[1] == "apt-get update"


def test_where_no_pip_is_to_be_had_the_user_is_told_what_to_type(
    notes: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(f"{notes}.lists").unlink()
    monkeypatch.setattr(seed, "_is_root", lambda: False)
    monkeypatch.setattr(seed, "create", CREATE)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(environment.SetupError) as fault:
        machine.set_up()
    assert f"Type: sudo apt install python{version}-venv, then start this again." in str(
        fault.value
    )
    assert machine.calls() == []
    assert "update" not in notes.read_text()


def test_on_other_systems_the_modules_are_named(
    notes: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert not create(tmp_path)
    assert "venv and ensurepip modules" in seed.remedy()


def test_the_pip_of_the_interpreter_installs_into_the_environment(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "find_spec", lambda name: name == "pip" or None)
    commands: list[list[str]] = []

    def note(command: Sequence[str | Path]) -> bool:
        commands.append([str(part) for part in command])
        return "venv" not in commands[-1] or run(command)

    assert seed.create(tmp_path / "environment", tmp_path / "scratch", note)
    *start, target, name = commands[-1]
    assert start == [sys.executable, "-m", "pip", "install", "--target"]
    assert name == "pip"
    python = seed.interpreter(tmp_path / "environment")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    assert target == subprocess.check_output([python, "-c", code], text=True).strip()


def test_an_ordinary_python_needs_none_of_this(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "find_spec", lambda name: object())
    commands: list[Sequence[str | Path]] = []
    assert seed.create(tmp_path / "environment", tmp_path, lambda c: not commands.append(c))
    assert commands == [[sys.executable, "-m", "venv", tmp_path / "environment"]]
