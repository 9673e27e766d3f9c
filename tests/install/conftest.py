from __future__ import annotations

from pathlib import Path

import pytest

from tests.install.machine import Machine, pretend


@pytest.fixture(autouse=True)
def no_interpreter_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names an interpreter for these tests names none for the scripts that they start."""
    monkeypatch.delenv("NIGHTFLASH_PYTHON", raising=False)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    folder = tmp_path / "Jürgens Rechner"
    folder.mkdir()
    monkeypatch.delenv("NIGHTFLASH_TORCH_INDEX", raising=False)
    machine = Machine(folder)
    monkeypatch.setenv("NIGHTFLASH_HOME", str(machine.home))
    monkeypatch.setenv("PIP_CONTROL", str(folder))
    pretend(monkeypatch.setattr)
    return machine
