"""What the documents for developers say is so, and what stands in one place stands nowhere else."""

from __future__ import annotations

import importlib
import tomllib

import nightflash

from tests.command_line import ROOT
from tests.conftest import SLOW

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SUFFIXES = ("py", "sh", "md", "toml", "yml", "yaml")


def test_the_version_stands_in_the_package_alone() -> None:
    """What pip reads is what the command line, the backend and the plug-in tell."""
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    module, _, name = PROJECT["tool"]["setuptools"]["dynamic"]["version"]["attr"].rpartition(".")
    assert getattr(importlib.import_module(module), name) == nightflash.__version__


def test_slow_rooms_exist() -> None:
    for name in SLOW:
        assert (ROOT / "tests" / name).exists(), name
