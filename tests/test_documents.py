"""What the documents for developers say is so, and what stands in one place stands nowhere else."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
from typing import get_args

import nightflash
import pytest
import yaml
from nightflash.client.protocol import SAMPLE_TYPES
from nightflash.gimp import pyzmq
from nightflash.models.descriptor import NetworkSet
from nightflash.models.registry import BEST_FIRST, SHIPPED
from nightflash.server.requests import OUTPUTS, VIEWS, Kind
from nightflash.stages import SHARES, STAGE_WORDS

from tests.command_line import ROOT
from tests.conftest import SLOW
from tests.install.machine import commands, networks

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
    assert set(re.findall(r"^\*\*`(\w+)/`\*\*", table, re.M)) == rooms


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


def test_the_protocol_names_what_there_is() -> None:
    words = (*SAMPLE_TYPES, *STAGE_WORDS, *VIEWS, *OUTPUTS, *get_args(Kind))
    told = text("backend/nightflash/client/PROTOCOL.md")
    assert [word for word in words if f"`{word}`" not in told] == []
    assert {stage for shares in SHARES.values() for stage in shares} < set(STAGE_WORDS)


def test_the_pythons_of_the_project_file_are_those_named_elsewhere() -> None:
    bounds = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    low, high = int(bounds[0]), int(bounds[1]) - 1
    versions = {f"3.{n}" for n in range(low, high + 1)}
    assert PROJECT["project"]["requires-python"] == f">=3.{low},<3.{high + 1}"
    classifiers = " ".join(PROJECT["project"]["classifiers"])
    assert set(re.findall(r"Python :: (3\.\d+)", classifiers)) == versions
    assert (3, low) == pyzmq.OLDEST
    assert PROJECT["tool"]["mypy"]["python_version"] == f"3.{low}"
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py3{low}"
    for name in ("README.md", "install/python.sh", "install/gimp.ps1"):
        assert set(re.findall(r"Python (3\.\d+ to 3\.\d+)", text(name))) == {f"3.{low} to 3.{high}"}
    shell, windows = text("install/python.sh"), text("install/gimp.ps1")
    for script in (shell, windows):
        assert f"(3, {low}) <= sys.version_info[:2] <= (3, {high})" in script
    assert f"'>=3.{low},<3.{high + 1}'" in shell  # as uv is asked for one
    assert set(re.findall(r"\bpython(3\.\d+) ", shell)) >= versions
    assert set(re.search(r"for version in ([\d. ]+);", shell)[1].split()) == versions  # type: ignore[index]
    assert set(re.search(r"in ([\d., ']+)\)", windows)[1].strip("'").split("', '")) == versions  # type: ignore[index]
    matrix = yaml.safe_load(text(".github/workflows/checks.yml"))["jobs"]["quick"]["strategy"][
        "matrix"
    ]
    tried = {*matrix["python"], *(job["python"] for job in matrix["include"])}
    assert {f"3.{low}", f"3.{high}"} <= tried <= versions


def test_the_sets_of_networks_are_named_alike() -> None:
    assert set(get_args(NetworkSet)) == set(BEST_FIRST)
    downloaded = set(BEST_FIRST) - set(SHIPPED)
    assert set(networks.SETS) == downloaded | {"auto", "none"}
    (heads,) = re.findall(r"^\| role \| (.+) \|$", text("README.md"), re.M)
    assert [f"`{name}`" for name in BEST_FIRST if name != "rules"] == heads.split(" | ")


def test_slow_rooms_exist() -> None:
    for name in SLOW:
        assert (ROOT / "tests" / name).exists(), name
