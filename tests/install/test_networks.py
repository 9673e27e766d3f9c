"""The networks that the installers fetch, with a stand-in for the package that does it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.install.machine import gimp, networks
from tests.install.test_commands import photo, stand_in

RENDERER = """
import os, pathlib, sys
print("told to", *sys.argv[1:3] if sys.argv[1] == "render" else sys.argv[1:], flush=True)
if sys.argv[1] == "render":
    pathlib.Path(sys.argv[3]).touch()
elif os.path.exists("server is down"):
    sys.exit(2)
"""


@pytest.mark.parametrize(
    ("arguments", "chosen", "rest"),
    [
        ([], None, []),
        (["a.png", "b.png", "--x"], None, ["a.png", "b.png", "--x"]),
        (["--download", "official"], "official", []),
        (["a.png", "--download=lite", "--x"], "lite", ["a.png", "--x"]),
        (["--download", "lite", "a.png", "--download", "none"], "none", ["a.png"]),
        (["--downloads", "x"], None, ["--downloads", "x"]),
    ],
)
def test_the_option_is_taken_out(arguments: list[str], chosen: str | None, rest: list[str]) -> None:
    assert networks.wanted(arguments) == (networks.Wanted(chosen), rest)


def test_the_download_s_own_options_are_passed_on() -> None:
    said, rest = networks.wanted(
        ["a.png", "--from", "mirror", "--download=lite", "--weights=w", "--quality", "fast"]
    )
    assert said == networks.Wanted("lite", ("--from", "mirror", "--weights", "w"))
    assert rest == ["a.png", "--weights=w", "--quality", "fast"]
    with pytest.raises(networks.SetupError, match="needs --download"):
        networks.wanted(["--from", "mirror"])


def test_networks_can_be_told_of_without_a_photo(checkout: Path, tmp_path: Path) -> None:
    result = run(checkout, tmp_path, "models", "list", "--json")
    assert result.stdout == "told to models list --json\n"


@pytest.mark.parametrize("arguments", [["--download"], ["--download="], ["--download", "all"]])
def test_no_set_is_a_fault(arguments: list[str]) -> None:
    with pytest.raises(networks.SetupError, match="takes one of official, lite, none"):
        networks.wanted(arguments)


def run(checkout: Path, here: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", checkout / "install/run.sh", *arguments],
        cwd=here,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NIGHTFLASH_HOME", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    photo(tmp_path / "a.png")
    return stand_in(tmp_path, monkeypatch, RENDERER)


def test_networks_are_fetched_before_the_photo_is_rendered(checkout: Path, tmp_path: Path) -> None:
    result = run(checkout, tmp_path, "a.png", "--download", "official")
    assert result.returncode == 0, result.stderr
    first, second, last = result.stdout.splitlines()
    assert first == "told to models download official"
    assert second == f"told to render {tmp_path / 'a.png'}"
    assert last == str(tmp_path / "a-night.png")


@pytest.mark.parametrize("arguments", [(), ("--download", "none")])
def test_nothing_is_fetched_or_asked_without_a_terminal(
    checkout: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = run(checkout, tmp_path, "a.png", *arguments)
    assert result.returncode == 0, result.stderr
    assert "models" not in result.stdout
    assert "Which?" not in result.stderr


def test_a_download_that_fails_is_told(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "server is down").touch()
    result = run(checkout, tmp_path, "a.png", "--download", "lite")
    assert result.returncode == 1
    assert "were not downloaded" in result.stderr
    assert "--download lite goes on" in result.stderr
    assert not (tmp_path / "a-night.png").exists()


def answered(checkout: Path, here: Path, typed: bytes) -> str:
    """What a terminal shows when ``typed`` is the answer."""
    screen, keyboard = pty.openpty()
    child = subprocess.Popen(
        ["bash", checkout / "install/run.sh", "a.png"],
        cwd=here,
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
    )
    os.close(keyboard)
    os.write(screen, typed)
    shown = b""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            piece = os.read(screen, 4096)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    child.wait(timeout=10)
    os.close(screen)
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(
    ("typed", "fetched"),
    [(b"\n", "official"), (b"x\nlite\n", "lite"), (b"n\n", None), (b"\x04", None)],
    ids=["return", "a slip", "none", "end of input"],
)
def test_a_terminal_is_asked_once(
    checkout: Path, tmp_path: Path, typed: bytes, fetched: str | None
) -> None:
    first = answered(checkout, tmp_path, typed)
    assert first.count("Which?") == 1 + typed.startswith(b"x")
    assert (f"models download {fetched}" in first) == (fetched is not None)
    assert f"render {tmp_path}" in first
    assert "Which?" not in answered(checkout, tmp_path, b"")


def test_the_plug_in_s_installer_fetches_them_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[networks.Wanted] = []
    monkeypatch.setattr(gimp, "install", lambda download: calls.append(download) or 0)
    assert gimp.main(["--download", "official"]) == 0
    assert gimp.main([]) == 0
    assert calls == [networks.Wanted("official"), networks.Wanted()]
    assert gimp.main(["--download", "official", "--uninstall"]) == 1
    assert "not understood" in capsys.readouterr().err
