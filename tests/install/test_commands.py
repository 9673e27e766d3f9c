from __future__ import annotations

import ast
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.install.machine import CHECKOUT, commands, environment, executable, run_script

SYSTEM_TOOLS = ("bash", "sh", "dirname", "sed", "uname", "env")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder for the PATH that holds what every system has, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in SYSTEM_TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    return folder


def fake_python(path: Path, version: str) -> Path:
    """An interpreter that takes itself for ``version`` and tells its name when it is chosen."""
    code = (
        "import sys; "
        f"sys.version_info = ({version.replace('.', ', ')}, 0, 'final', 0); exec(sys.argv[1])"
    )
    return executable(
        path,
        f'if [ "$1" = -c ]; then exec "{sys.executable}" -c "{code}" "$2"; fi\n'
        f'echo "chosen {path.name} {version}: $2"',
    )


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[0:48, 0:64]
    pixels = np.stack([x * 3, y * 4, 255 - x * 2 - y], axis=-1).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        ({"python3": "3.15", "python3.12": "3.12"}, "python3.12 3.12"),
        ({"python3": "3.9", "python3.11": "3.11"}, "python3.11 3.11"),
        ({"python3.11": "3.11", "python3.12": "3.12", "python3.13": "3.13"}, "python3.13 3.13"),
        ({"python3": "3.13"}, "python3 3.13"),
        ({"python3": "3.14"}, "python3 3.14"),
        ({"python3": "3.15", "python": "3.11"}, "python 3.11"),
    ],
)
@pytest.mark.parametrize("script", ["run.sh", "test.sh"])
def test_the_newest_suitable_python_is_picked(
    bare: Path, tmp_path: Path, installed: dict[str, str], chosen: str, script: str
) -> None:
    for name, version in installed.items():
        fake_python(bare / name, version)
    executable(bare / "python3.10", "exit 0")
    result = run_script(script, cwd=tmp_path, path=[bare], NIGHTFLASH_HOME=str(tmp_path / "none"))
    assert result.stdout.strip() == f"chosen {chosen}: {script.removesuffix('.sh')}"


def test_a_shim_with_nothing_behind_it_is_passed_over(bare: Path, tmp_path: Path) -> None:
    executable(bare / "python3.13", "echo 'python3.13: command not found' >&2; exit 127")
    fake_python(bare / "python3", "3.11")
    result = run_script("run.sh", cwd=tmp_path, path=[bare], NIGHTFLASH_HOME=str(tmp_path / "none"))
    assert result.stdout.startswith("chosen python3 3.11")
    assert result.stderr == ""


@pytest.mark.parametrize("installed", [{}, {"python3": "3.10"}, {"python3": "3.15"}])
def test_without_a_suitable_python_a_sentence_says_so(
    bare: Path, tmp_path: Path, installed: dict[str, str]
) -> None:
    for name, version in installed.items():
        fake_python(bare / name, version)
    result = run_script("run.sh", cwd=tmp_path, path=[bare], NIGHTFLASH_HOME=str(tmp_path / "none"))
    assert result.returncode == 1
    assert "no Python 3.11 to 3.14 was found" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("programs", "command"),
    [
        (
            {"apt-get": "exit 0", "apt-cache": '[ "$2" = python3.12-venv ]'},
            "apt install python3.12 ",
        ),
        ({"apt-get": "exit 0", "apt-cache": "exit 100"}, "uv python install"),
        ({"dnf": "exit 0"}, "dnf install python3.12"),
        ({"zypper": "exit 0"}, "zypper install python313"),
        ({"pacman": "exit 0"}, "pacman -S uv; uv python install"),
        ({"brew": "exit 0"}, "brew install python@3.13"),
        ({}, "uv python install"),
    ],
)
def test_where_a_newer_python_alone_is_there_it_says_what_to_type(
    bare: Path, tmp_path: Path, programs: dict[str, str], command: str
) -> None:
    fake_python(bare / "python3", "3.15")
    for name, does in programs.items():
        executable(bare / name, does)
    result = run_script("run.sh", cwd=tmp_path, path=[bare], NIGHTFLASH_HOME=str(tmp_path / "none"))
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert command in line


def test_the_python_that_uv_keeps_is_found(bare: Path, tmp_path: Path) -> None:
    fake_python(bare / "python3", "3.15")
    kept = fake_python(tmp_path / "uv's" / "python3.13", "3.13")
    executable(bare / "uv", f'[ "$1 $2" = "python find" ] && echo "{kept}"')
    result = run_script("run.sh", cwd=tmp_path, path=[bare], NIGHTFLASH_HOME=str(tmp_path / "none"))
    assert result.stdout.startswith("chosen python3.13 3.13"), result.stderr


def test_an_existing_environment_keeps_its_python(bare: Path, tmp_path: Path) -> None:
    fake_python(bare / "python3.13", "3.13")
    known = fake_python(tmp_path / "älter und bewährt" / "python3.11", "3.11")
    settings = tmp_path / "data ü" / "nightflash" / "environment" / "pyvenv.cfg"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"home = {known.parent}\nexecutable = {known}\n", encoding="utf-8")
    places = {"NIGHTFLASH_HOME": "", "XDG_DATA_HOME": str(tmp_path / "data ü")}
    if sys.platform == "linux":
        result = run_script("run.sh", cwd=tmp_path, path=[bare], **places)
        assert result.stdout.startswith("chosen python3.11 3.11")
    places = {"NIGHTFLASH_HOME": str(settings.parents[1])}
    result = run_script("run.sh", cwd=tmp_path, path=[bare], **places)
    assert result.stdout.startswith("chosen python3.11 3.11")
    known.unlink()
    result = run_script("run.sh", cwd=tmp_path, path=[bare], **places)
    assert result.stdout.startswith("chosen python3.13 3.13")


def test_a_named_interpreter_that_does_not_run_is_a_fault(tmp_path: Path) -> None:
    result = run_script("run.sh", cwd=tmp_path, NIGHTFLASH_PYTHON="/no/such/python")
    assert result.returncode == 1
    assert "'/no/such/python', which is no working Python" in result.stderr


@pytest.mark.parametrize(
    ("name", "out", "expected"),
    [
        ("über see.JPG", None, "in/über see-night.JPG"),
        ("a.b.tiff", None, "in/a.b-night.tiff"),
        ("phone.HEIC", None, "in/phone-night.jpg"),
        ("drawing.gif", None, "in/drawing-night.png"),
        ("no suffix", None, "in/no suffix-night.jpg"),
        ("a.png", "other.png", "other.png"),
        ("a.png", "folder", "folder/a-night.png"),
    ],
)
def test_where_the_result_goes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    out: str | None,
    expected: str,
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    path = commands.result_path(tmp_path / "in" / name, Path(out) if out else None)
    assert path == tmp_path / expected


def test_the_example_goes_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = commands.result_path(commands.EXAMPLE, None)
    assert path == tmp_path / "nightflash-example.jpg"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.jpg"], "There is no photo {}/missing.jpg."),
        (["."], "{} is a folder, not a picture. 'nightflash batch FOLDER OUT'"),
        (["a.png", "no such folder/a.png"], "The result cannot be written to {}/no such folder"),
        (["a.png", "a.png"], "The result would replace the photo {}/a.png"),
        (["a.png", "b.png", "nights"], "There is no photo {}/b.png."),
        (["a.png", "a.png", "a.png"], "a.png is a file; several photos need a folder"),
    ],
)
def test_faults_are_told_before_any_set_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    photo(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTFLASH_HOME", str(tmp_path / "data"))
    absent = "no photo" in sentence or "not a picture" in sentence
    assert commands.main(["run", *arguments]) == (2 if absent else 1)
    assert sentence.format(tmp_path) in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("option", "markers"),
    [("--endurance", "endurance"), ("--quick", "not slow and not endurance")],
)
def test_a_choice_of_tests(monkeypatch: pytest.MonkeyPatch, option: str, markers: str) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(commands, "ensure_environment", lambda extras: "python")
    monkeypatch.setattr(commands, "run_in", lambda python, *tool: asked.append(tool) or 0)
    monkeypatch.chdir(".")
    assert commands.test([option, "-x"]) == 0
    assert asked[:-1] == list(commands.TEST_TOOLS)
    assert asked[-1] == ("pytest", "-m", markers, "-x")
    commands.test(["-x"])
    assert asked[-1] == ("pytest", "-x")
    assert commands.main(["test", "--quick", "--endurance"]) == 1


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> Path:
    """A checkout whose renderer is ``code``; its folder has a space and an umlaut."""
    checkout = tmp_path / "Nächt flash"
    package = checkout / "backend" / "nightflash"
    package.mkdir(parents=True)
    shutil.copytree(CHECKOUT / "install", checkout / "install")
    shutil.copy(CHECKOUT / "pyproject.toml", checkout)
    (package / "commands").mkdir()
    modules = "__init__", "errors", "folders", "setting_info", "settings", "whole_file"
    for module in (*modules, "commands/__init__", "commands/results"):  # what the installer reads
        shutil.copy(CHECKOUT / "backend/nightflash" / f"{module}.py", package / f"{module}.py")
    (package / "__main__.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("NIGHTFLASH_PYTHON", sys.executable)
    monkeypatch.setenv("NIGHTFLASH_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("NIGHTFLASH_WEIGHTS", raising=False)
    return checkout


def test_the_renderer_gets_whole_paths_and_the_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = stand_in(
        tmp_path,
        monkeypatch,
        "import sys, pathlib; print(sys.argv[1:]); pathlib.Path(sys.argv[3]).touch()",
    )
    here = tmp_path / "bei mir"
    photo(here / "bild.png")
    (here / "nightflash.py").write_text("raise SystemExit('the caller has a file of this name')")
    (here / "alt.png").touch()
    result = subprocess.run(
        ["bash", checkout / "install/run.sh", "bild.png", "alt.png", "--weights", "w ö", "--x=1"],
        cwd=here,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    passed, *_, last = result.stdout.splitlines()
    expected = [
        "render",
        str(here / "bild.png"),
        str(here / "alt.png"),
        "--weights",
        "w ö",
        "--x=1",
    ]
    assert ast.literal_eval(passed) == expected
    assert last == str(here / "alt.png")
    assert f"{here / 'alt.png'} exists and will be overwritten" in result.stderr


def test_several_photos_go_into_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = stand_in(tmp_path, monkeypatch, "import sys; print(sys.argv[1:])")
    names = [photo(tmp_path / f"{name}.png").name for name in "ab"]
    result = subprocess.run(
        ["bash", checkout / "install/run.sh", *names, "nights", "--night", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    passed, last = result.stdout.splitlines()
    assert ast.literal_eval(passed) == ["render", *names, "nights", "--night", "0"]
    assert last == str(tmp_path / "nights")


@pytest.mark.parametrize(
    ("code", "status"), [("raise SystemExit(7)", 7), ("pass", 1)], ids=["fails", "writes nothing"]
)
def test_a_renderer_that_leaves_no_result_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    checkout = stand_in(tmp_path, monkeypatch, code)
    photo(tmp_path / "a.png")
    result = subprocess.run(
        ["bash", checkout / "install/run.sh", "a.png", "--download", "none"],
        cwd=tmp_path,
        capture_output=True,
    )
    assert result.returncode == status
    assert result.stdout == b""


def test_test_runs_every_tool_and_fails_when_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    checkout = stand_in(tmp_path, monkeypatch, "open('nightflash was run', 'w')")
    tools = checkout / "backend"
    for tool in ("ruff", "mypy"):
        (tools / f"{tool}.py").write_text("import sys; print(sys.argv[1:])")
    (tools / "pytest.py").write_text("import sys; print('last line of pytest', sys.argv[1:])")
    command = ["bash", checkout / "install/test.sh", "tests/x", "-k", "a or b"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == "last line of pytest ['tests/x', '-k', 'a or b']"
    (tools / "mypy.py").write_text("raise SystemExit(1)")
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1].startswith("last line of pytest")
    assert result.stderr.splitlines()[-1].startswith("NightFlash: Failed: mypy")
    (checkout / ".ci").mkdir()
    shutil.copy(CHECKOUT / ".ci" / "run", checkout / ".ci" / "run")
    (tools / "mypy.py").write_text("")
    (tools / "pytest.py").write_text("import os; raise SystemExit(os.environ['CI'] == 'true')")
    result = subprocess.run([checkout / ".ci/run"], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1
    failed = result.stderr.splitlines()[-1].removeprefix("NightFlash: Failed: ").split("; ")
    assert failed[0].startswith("pytest --ignore=tests/gimp --ignore=tests/client")
    assert failed[1:] == ["pytest in GIMP's windows", "pytest of processes that talk"]
    (tools / "pytest.py").write_text(
        "import sys; print(sys.argv[1:]); raise SystemExit('tests/gimp' in sys.argv)"
    )
    result = subprocess.run([checkout / ".ci/run"], cwd=tmp_path, capture_output=True, text=True)
    assert result.stderr.splitlines()[-1] == "NightFlash: Failed: pytest in GIMP's windows"
    ran = [ast.literal_eval(line) for line in result.stdout.splitlines() if "tests/" in line]
    assert ran[-1] == ["tests/gimp"]  # shown at the end
    rooms = [room for others in ran[1:] for room in others]
    assert ran[0] == [f"--ignore={room}" for room in [*ran[-1], *ran[-2]]]  # nothing is left out
    assert all((CHECKOUT / room).exists() for room in rooms)
    assert not list(tmp_path.rglob("nightflash was run"))  # and so nothing was downloaded


def test_help_needs_no_set_up(tmp_path: Path) -> None:
    home = tmp_path / "data"
    result = run_script("run.sh", "--help", cwd=tmp_path, NIGHTFLASH_HOME=str(home))
    assert result.returncode == 0
    assert "PHOTO" in result.stdout
    assert not home.exists()


def test_a_photo_is_rendered_end_to_end_though_no_network_can_be_had(tmp_path: Path) -> None:
    here = tmp_path / "päth with space"
    photo(here / "bïld 1.png")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    result = run_script(
        "run.sh",
        "bïld 1.png",
        cwd=here,
        NIGHTFLASH_PYTHON=sys.executable,
        NIGHTFLASH_WEIGHTS=str(tmp_path / "no weights"),
        NIGHTFLASH_HOME=str(tmp_path / "data"),
        NIGHTFLASH_MIRROR=f"http://{host}/networks",
    )
    assert result.returncode == 0, result.stderr
    (line,) = (line for line in result.stderr.splitlines() if host in line)
    assert line.startswith(f"nightflash: {host} could not be reached for ")
    assert "the built-in networks do that work" in line
    night = here / "bïld 1-night.png"
    assert result.stdout.splitlines()[-1] == str(night)
    with Image.open(here / "bïld 1.png") as day, Image.open(night) as rendered:
        assert rendered.size == day.size
        darkening = (
            np.asarray(day, float).mean() - np.asarray(rendered.convert("RGB"), float).mean()
        )
    assert darkening > 0


def test_the_example_picture_is_there() -> None:
    assert commands.EXAMPLE.is_file()


def test_extras_of_the_commands_exist() -> None:
    for extras in (("heic",), ("test",)):
        assert set(environment.requirements(extras)) > set(environment.requirements())
