"""Which room may import which: the contracts stand in pyproject.toml."""

from __future__ import annotations

import logging
import sys
from logging import Logger
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

CHECKOUT = Path(__file__).resolve().parents[1]


def test_contracts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("gimp_plugin/nightflash_filter", "backend"):
        monkeypatch.syspath_prepend(CHECKOUT / folder)
    monkeypatch.chdir(CHECKOUT)
    loggers = [log for log in logging.root.manager.loggerDict.values() if isinstance(log, Logger)]
    kept = lint_imports(str(CHECKOUT / "pyproject.toml"), no_cache=True)
    for log in loggers:  # which import-linter switches off
        log.disabled = False
    sys.modules.pop("plugin", None)
    assert kept == EXIT_STATUS_SUCCESS, capsys.readouterr().out
