"""The networks that the installers fetch, with a stand-in for the package that does it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.install.machine import gimp, networks
from tests.install.test_commands import photo, stand_in

RENDERER = """
import os, pathlib, sys
told = sys.argv[1:3] if sys.argv[1] == "render" else sys.argv[1:]
print("told to", *told, file=sys.stdout if told[0] == "render" else sys.stderr, flush=True)
if sys.argv[1] == "render":
    pathlib.Path(sys.argv[3]).touch()
elif os.path.exists("download kills"):
    os.kill(os.getpid(), 9)
elif os.path.exists("download ends with"):
    sys.exit(int(pathlib.Path("download ends with").read_text()))
"""
THE_BEST = "told to models download auto --reach 8"


@pytest.mark.parametrize(
    ("arguments", "chosen", "rest"),
    [
        ([], None, []),
        (["a.png", "b.png", "--x"], None, ["a.png", "b.png", "--x"]),
        (["--download", "official"], "official", []),
        (["--download", "auto"], "auto", []),
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
    assert result.stderr == "told to models list --json\n"


@pytest.mark.parametrize("arguments", [["--download"], ["--download="], ["--download", "all"]])
def test_no_set_is_a_fault(arguments: list[str]) -> None:
    with pytest.raises(networks.SetupError, match="takes one of auto, official, lite, none"):
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
    photo(tmp_path / "a.png")
    return stand_in(tmp_path, monkeypatch, RENDERER)


def fetched(checkout: Path, here: Path, *arguments: str) -> list[str]:
    """What a run with a photo tells the download, which must not keep it from the photo."""
    result = run(checkout, here, "a.png", *arguments)
    assert result.returncode == 0, result.stderr
    printed, path = result.stdout.splitlines()
    assert printed == f"told to render {here / 'a.png'}"
    assert path == str(here / "a-night.png")
    return [line for line in result.stderr.splitlines() if line.startswith("told to")]


def note(here: Path) -> Path:
    return here / "data" / "weights" / networks.NOTE


def a_day_passes(note: Path) -> None:
    two_days_ago = time.time() - 2 * networks.DAY
    os.utime(note, (two_days_ago, two_days_ago))


def test_the_best_are_fetched_once(checkout: Path, tmp_path: Path) -> None:
    assert fetched(checkout, tmp_path) == [THE_BEST]
    assert fetched(checkout, tmp_path) == []
    a_day_passes(note(tmp_path))
    assert fetched(checkout, tmp_path) == []


def test_a_failed_try_is_repeated_after_a_day(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "download ends with").write_text(str(networks.OUT_OF_REACH))
    assert fetched(checkout, tmp_path) == [THE_BEST]
    assert fetched(checkout, tmp_path) == []
    a_day_passes(note(tmp_path))
    assert fetched(checkout, tmp_path) == [THE_BEST]
    assert fetched(checkout, tmp_path) == []
    (tmp_path / "download ends with").unlink()
    assert fetched(checkout, tmp_path, "--download", "auto") == ["told to models download auto"]
    a_day_passes(note(tmp_path))
    assert fetched(checkout, tmp_path) == []


def test_what_is_out_of_reach_is_told_by_the_download_alone(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "download ends with").write_text(str(networks.OUT_OF_REACH))
    first, *others = run(checkout, tmp_path, "a.png").stderr.splitlines()
    assert "--download none refuses" in first
    assert others == [THE_BEST, "NightFlash: The night photo is here:"]


def test_networks_that_failed_are_told_and_done_without(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "download ends with").write_text(str(networks.FAULT))
    result = run(checkout, tmp_path, "a.png")
    assert result.returncode == 0
    assert "`bash install/run.sh --download auto` goes on from here" in result.stderr
    assert (tmp_path / "a-night.png").exists()
    assert fetched(checkout, tmp_path) == []


def test_a_download_that_was_killed_goes_on_with_the_next_run(
    checkout: Path, tmp_path: Path
) -> None:
    (tmp_path / "download kills").touch()
    assert fetched(checkout, tmp_path) == [THE_BEST]
    (tmp_path / "download kills").unlink()
    assert fetched(checkout, tmp_path) == [THE_BEST]


def test_whoever_stops_the_download_stops_it_all(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "download ends with").write_text(str(networks.INTERRUPTED))
    assert run(checkout, tmp_path, "a.png").returncode == networks.INTERRUPTED
    assert not (tmp_path / "a-night.png").exists()
    (tmp_path / "download ends with").unlink()
    assert fetched(checkout, tmp_path) == [THE_BEST]


def test_a_refusal_holds_until_it_is_taken_back(checkout: Path, tmp_path: Path) -> None:
    assert fetched(checkout, tmp_path, "--download", "none") == []
    a_day_passes(note(tmp_path))
    assert fetched(checkout, tmp_path) == []
    assert fetched(checkout, tmp_path, "--download", "auto") == ["told to models download auto"]


def test_a_set_that_was_asked_for_is_not_replaced(checkout: Path, tmp_path: Path) -> None:
    assert fetched(checkout, tmp_path, "--download", "lite") == ["told to models download lite"]
    assert fetched(checkout, tmp_path) == []


def test_a_set_that_fails_is_a_fault(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "download ends with").write_text(str(networks.FAULT))
    result = run(checkout, tmp_path, "a.png", "--download", "lite")
    assert result.returncode == 1
    assert "were not downloaded" in result.stderr
    assert "--download lite goes on" in result.stderr
    assert not (tmp_path / "a-night.png").exists()


def test_a_folder_named_for_one_run_is_filled_on_request_alone(
    checkout: Path, tmp_path: Path
) -> None:
    assert fetched(checkout, tmp_path, "--weights", "mine") == []
    asked = fetched(checkout, tmp_path, "--weights", "mine", "--download", "auto")
    assert asked == ["told to models download auto --weights mine"]
    assert fetched(checkout, tmp_path) == [THE_BEST]


def test_every_folder_of_networks_has_its_own_note(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fetched(checkout, tmp_path) == [THE_BEST]
    monkeypatch.setenv("NIGHTFLASH_WEIGHTS", str(tmp_path / "other"))
    assert fetched(checkout, tmp_path) == [THE_BEST]
    assert fetched(checkout, tmp_path) == []
    note(tmp_path).write_text("{")
    monkeypatch.delenv("NIGHTFLASH_WEIGHTS")
    assert fetched(checkout, tmp_path) == [THE_BEST]


def test_a_new_nightflash_or_pytorch_fetches_its_best(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fetched(checkout, tmp_path) == [THE_BEST]
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.setenv("NIGHTFLASH_PYTHON", str(tmp_path / "python"))
    assert fetched(checkout, tmp_path) == [THE_BEST]
    package = checkout / "backend" / "nightflash" / "__init__.py"
    package.write_text(package.read_text().replace('\n__version__ = "', '\n__version__ = "9'))
    assert fetched(checkout, tmp_path) == [THE_BEST]
    assert fetched(checkout, tmp_path) == []


def test_a_folder_of_somebody_else_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert networks.is_due(tmp_path / "weights" / networks.NOTE)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert not networks.is_due(tmp_path / "weights" / networks.NOTE)


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
