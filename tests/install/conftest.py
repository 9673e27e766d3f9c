from __future__ import annotations

from pathlib import Path

import pytest

from tests.install.machine import Machine, pretend


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    folder = tmp_path / "Jürgens Rechner"
    folder.mkdir()
    for name in ("NIGHTFLASH_PYTHON", "NIGHTFLASH_TORCH_INDEX"):
        monkeypatch.delenv(name, raising=False)
    machine = Machine(folder)
    monkeypatch.setenv("NIGHTFLASH_HOME", str(machine.home))
    monkeypatch.setenv("PIP_CONTROL", str(folder))
    pretend(monkeypatch.setattr)
    return machine
