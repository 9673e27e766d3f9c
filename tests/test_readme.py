"""What the README says is so: its commands run, its names exist."""

from __future__ import annotations

import hashlib
import re
import runpy
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nightflash.cli import main
from nightflash.models.registry import NETWORKS
from PIL import Image

from tests.batch.conftest import in_process, quick  # noqa: F401  (fixtures)
from tests.command_line import ROOT, environment, linear, photo
from tests.server.backend import a_place
from tests.server.elsewhere import elsewhere
from tests.training.made_up import whole_recipe

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = {
    " ".join(kind.split()): text
    for kind, text in re.findall(r"^```(\S.*?)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
}


QUICK = "--set working_size=0.02 --set steps=3"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with stand-ins for all that the README names."""
    photo(tmp_path / "photo.jpg", 800, 600)
    photo(tmp_path / "other.jpg", 90, 60)
    mask = np.zeros((600, 800), np.uint8)
    mask[300:500, 350:500] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    (tmp_path / "install").symlink_to(ROOT / "install")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTFLASH_WEIGHTS", str(tmp_path / "none"))
    return tmp_path


def interpreter(here: Path) -> str:
    """A Python that renders quickly and only names the tools of the checks."""
    path = here / "python"
    path.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        '    "-P -m nightflash models "*) shift 3; echo "told to $@" ;;\n'
        f'    "-P -m nightflash "*) exec "{sys.executable}" "$@" {QUICK} ;;\n'
        '    "-P -m "*) echo "$3" ;;\n'
        f'    *) exec "{sys.executable}" "$@" ;;\n'
        "esac\n"
    )
    path.chmod(0o755)
    return str(path)


def shell(block: str, here: Path, **more: str) -> tuple[list[str], list[str]]:
    """Run a block of the README in a shell.

    Gives the lines of its output, and what the download of networks was told, which does nothing.
    """
    variables = environment(NIGHTFLASH_PYTHON=interpreter(here), **more)
    result = subprocess.run(
        ["bash", "-e", "-c", BLOCKS[block]], env=variables, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    started = re.findall(r"^told to (.*)$", result.stderr, re.MULTILINE)
    return result.stdout.splitlines(), started


def test_every_block_is_run() -> None:
    shells = [
        "run",
        "install",
        "networks",
        "training",
        "gimp",
        "test",
        "nightflash",
        "batch",
        "backend",
        "server",
        "laptop",
    ]
    assert set(BLOCKS) == {
        *("python", "python augment", "bash nightflash"),
        *(f"bash {name}" for name in shells),
        "python gimp",  # run by GIMP's own Python, in tests/gimp/inside/nights.py
        *("bash ray", "python ray"),  # in tests/batch/test_ray.py
    }


def test_the_commands_that_set_up_and_run(here: Path) -> None:
    lines, started = shell("bash run", here)
    nights = ["nightflash-example.jpg", "photo-night.jpg", "night.png"]
    assert list(dict.fromkeys(lines)) == [str(here / night) for night in nights]
    for night, day in zip(nights[1:], ["photo.jpg"] * 2, strict=True):
        assert linear(here / night).mean() < 0.6 * linear(here / day).mean()
    assert started == ["models download auto --reach 8"]  # with the first photo alone


def test_the_commands_that_choose_networks(here: Path) -> None:
    lines, started = shell("bash install", here)
    assert started == ["models download lite"]
    assert set(lines) == {str(here / "nightflash-example.jpg")}


def test_the_networks(
    here: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = here / "mirror"
    mirror.mkdir()
    for path in (shared / "weights").iterdir():
        (mirror / path.name).symlink_to(path)
    content = bytes(1000)
    for name in ("midas_v21_small_256", "u2netp"):
        file = NETWORKS[name].files[0]
        (mirror / file.name).write_bytes(content)
        file = replace(file, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        monkeypatch.setitem(NETWORKS._by_name, name, replace(NETWORKS[name], files=(file,)))
    file = NETWORKS["midas_v21_small_256"].files[0]
    monkeypatch.setenv("NIGHTFLASH_MIRROR", str(mirror))
    for line in BLOCKS["bash networks"].splitlines():
        program, *arguments = shlex.split(line)
        assert program == "nightflash"
        arguments = [re.sub(r"^https:.*", str(mirror), word) for word in arguments]
        assert main(arguments) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.splitlines()[-1] == str(here / "none")
    lite = {n.files[0].name for n in NETWORKS.values() if n.network_set == "lite"}
    found = {path.name for path in (here / "none").iterdir() if not path.name.startswith(".")}
    assert found == {file.name, *lite}


def test_the_training(
    here: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    enter, *lines = BLOCKS["bash training"].splitlines()
    assert enter == "cd backend"
    options = [*whole_recipe(here), f"--weights={shared / 'weights'}"]
    for line in lines:
        _, _, module, *words = shlex.split(line)
        monkeypatch.setattr("sys.argv", [module, *words, *options])
        runpy.run_module(module, run_name="__main__")
    made = sorted(path.name for path in (here / "out").iterdir())
    assert made == ["content_net.safetensors", "scene_net.safetensors"]
    printed = capsys.readouterr().out
    assert "step 4: loss" in printed
    assert "scene_net.safetensors: 2,8" in printed


def test_the_command_that_tests(here: Path) -> None:
    lines, started = shell("bash test", here)
    assert lines[-1] == "pytest"
    assert started == []


def test_the_command_that_installs_the_filter(here: Path) -> None:
    profile = here / "config" / "GIMP" / "3.0"
    profile.mkdir(parents=True)
    places = {"XDG_CONFIG_HOME": str(here / "config"), "PATH": "/usr/bin:/bin"}
    _, started = shell("bash gimp", here, **places)
    assert started == ["models download auto --reach 8"]
    assert (
        profile / "plug-ins" / "nightflash_filter" / "nightflash_filter.py"
    ).stat().st_mode & 0o111


def test_the_backend(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [shlex.split(line) for line in BLOCKS["bash backend"].splitlines()]
    assert [words[:2] for words in lines] == [
        ["nightflash", word] for word in ("serve", "status", "stop", "logs", "doctor")
    ]
    with a_place() as place:
        serve = subprocess.Popen(
            [sys.executable, "-m", *lines[0]],
            env=place.variables,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert serve.stdout is not None
        assert "ready for requests" in serve.stdout.readline()
        for words in lines[1:]:
            assert main(words[1:]) == 0, capsys.readouterr().err
        assert serve.wait(20) == 0
        serve.stdout.close()
        assert main(["status"]) == 3


def test_the_remote(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serve, *server = (shlex.split(line)[1:] for line in BLOCKS["bash server"].splitlines())
    assert serve == ["serve", "--listen", "tcp://0.0.0.0:5577"]
    with elsewhere() as both:
        printed = [both.server.command(*words) for words in server]
        assert [each.returncode for each in printed] == [0] * len(server), printed
        code = printed[0].stdout.strip()
        with both.on_the_laptop():
            for line in BLOCKS["bash laptop"].splitlines():
                words = [code if word == "CODE" else word for word in shlex.split(line)[1:]]
                options = QUICK.split() if words[0] == "render" else []
                assert main([*words, *options]) == 0, capsys.readouterr().err
    assert linear(here / "night.jpg").mean() < 0.6 * linear(here / "photo.jpg").mean()


def test_the_command_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in BLOCKS["bash nightflash"].splitlines():
        program, *arguments = shlex.split(line)
        assert program == "nightflash"
        options = QUICK.split() if arguments[0] == "render" else []
        assert main([*arguments, *options]) == 0, capsys.readouterr().err
    made = {str(p.relative_to(here)) for p in here.rglob("*night.*")}
    assert {"night.jpg", "night.png", "night.tif", "night.webp"} <= made
    assert {"nights/photo-night.jpg", "nights/other-night.jpg"} <= made
    assert len(list((here / "debug").iterdir())) == 4


@pytest.mark.usefixtures("quick")
def test_folders_and_data_sets(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("photos/a.jpg", "photos/b/c.jpg", "more/d/e.jpg"):
        (here / name).parent.mkdir(parents=True)
        photo(here / name, 60, 40)
    (here / "list.csv").write_text('photo,ambient,box\nphotos/a.jpg,-6,"10,10,20,20"\n')
    for line in BLOCKS["bash batch"].splitlines():
        program, *arguments = shlex.split(line)
        assert program == "nightflash"
        assert main([*arguments, *QUICK.split()]) == 0, capsys.readouterr().err
    made = {str(p.relative_to(here)) for f in ("nights", "streets") for p in (here / f).rglob("*")}
    assert {"nights/a.jpg", "nights/b/c.jpg", "nights/report.jsonl"} <= made
    assert {"streets/photos/a.jpg", "streets/d/e.jpg"} <= made
    assert (here / "listed" / "photos" / "a.jpg").is_file()
    assert len((here / "listed.jsonl").read_text().splitlines()) == 1
    assert (here / "looks" / "contact.html").is_file()


def test_python(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(BLOCKS["python"], "README.md", "exec"), {})
    assert linear(here / "night.png").mean() < 0.6 * linear(here / "photo.jpg").mean()
    assert "under the point {'scene': " in capsys.readouterr().out


def test_nights_for_training(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(compile(BLOCKS["python augment"], "README.md", "exec"), names)
    assert "torch.Size([2, 3, 64, 96]) torch.Size([2, 1, 64, 96])" in capsys.readouterr().out
    assert callable(names["transform"])


def test_the_table_names_every_network() -> None:
    section = README[README.index("## The networks") : README.index("## The command line")]
    rows = re.findall(r"^\| .* \|$", section, re.MULTILINE)[1:]
    for column, network_set in ((2, "official"), (3, "lite"), (4, "builtin")):
        named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[column])}
        assert named == {n.name for n in NETWORKS.values() if n.network_set == network_set}


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_variables_named_are_read() -> None:
    sources = [*(ROOT / "backend").rglob("*.py"), *(ROOT / "install").glob("*")]
    code = "".join(path.read_text(encoding="utf-8") for path in sources if path.is_file())
    for name in set(re.findall(r"NIGHTFLASH_[A-Z_]+", README)):
        assert name in code, name


def test_every_option_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["render"],
        ["batch"],
        ["serve"],
        ["models", "download"],
        ["remote", "invite"],
        ["remote", "clients"],
        ["remote", "add"],
    ):
        assert main([*command, "--help"]) == 0
    known = capsys.readouterr().out
    known += "".join(
        (ROOT / "install" / f"{n}.py").read_text() for n in ("gimp", "networks", "commands")
    )
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)):
        assert option in known, option
