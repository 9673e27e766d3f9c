"""What the documents for developers say is so, and what stands in one place stands nowhere else."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib

import nightflash
import pytest
import yaml

from tests.command_line import ROOT
from tests.conftest import SLOW
from tests.install.machine import commands

PACKAGE = ROOT / "backend" / "nightflash"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
SUFFIXES = ("py", "sh", "md", "toml", "yml", "yaml")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_stands_in_the_package_alone() -> None:
    """What pip reads is what the command line, the backend and the plug-in tell."""
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    module, _, name = PROJECT["tool"]["setuptools"]["dynamic"]["version"]["attr"].rpartition(".")
    assert getattr(importlib.import_module(module), name) == nightflash.__version__


def test_the_changelog_tells_of_this_version_first() -> None:
    versions = re.findall(r"^## \[(\d[\d.]*)\] - \d{4}-\d\d-\d\d$", text("CHANGELOG.md"), re.M)
    assert versions[0] == nightflash.__version__
    assert versions == sorted(versions, reverse=True)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_named_exist(document: str) -> None:
    files = [path for path in ROOT.rglob("*") if ".git/" not in f"{path}/"]
    names = {path.name for path in files} | {str(path.relative_to(ROOT)) for path in files}
    ends = {f"/{path.relative_to(ROOT)}" for path in files}
    for named in re.findall(rf"`([\w./-]+\.(?:{'|'.join(SUFFIXES)}))`", text(document)):
        if not named.startswith("NAME") and "/NAME" not in named and "_NAME" not in named:
            plain = named.removeprefix("../")
            assert plain in names or any(end.endswith(f"/{plain}") for end in ends), named
    for target in re.findall(r"\]\(([^)]+)\)", text(document)):
        assert target.startswith("https://") or (ROOT / target).is_file(), target


def test_each_room_is_in_the_architecture() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    table = text("ARCHITECTURE.md").partition("## The rooms")[2].partition("Outside of")[0]
    assert set(re.findall(r"^\| `(\w+)/` \|", table, re.M)) == rooms


def test_what_runs_before_a_commit_is_what_the_checks_run() -> None:
    (repository,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    hooks = [tuple(shlex.split(hook["entry"])) for hook in repository["hooks"]]
    assert hooks == list(commands.TEST_TOOLS)


def test_commands_of_continuous_integration_exist() -> None:
    jobs = yaml.safe_load(text(".github/workflows/checks.yml"))["jobs"]
    assert set(jobs) == {"quick", "wheel"}
    for job in jobs.values():
        systems = job["strategy"]["matrix"]["os"]
        assert [system.split("-")[0] for system in systems] == ["ubuntu", "macos", "windows"]
    (quick,) = (step["run"] for step in jobs["quick"]["steps"] if "run" in step)
    assert quick == "bash install/test.sh --quick"


def test_slow_rooms_exist() -> None:
    for name in SLOW:
        assert (ROOT / "tests" / name).exists(), name
