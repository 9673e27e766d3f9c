"""Running the code of this checkout in NightFlash's environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import IO

from requirements import CHECKOUT


def run_in(python: Path, module: str, *arguments: str, to_stderr: bool = False) -> int:
    """Run ``module`` with the code of this checkout and nothing of the caller's folder.

    Args:
        python: The interpreter.
        module: Its name.
        arguments: Of the module.
        to_stderr: Whether what it prints goes there, among the lines of the set-up.

    Returns:
        The exit code.
    """
    return subprocess.run(
        _command(python, module, *arguments), env=_variables(), stdout=2 if to_stderr else None
    ).returncode


def begin_in(
    python: Path, output: IO[bytes], module: str, *arguments: str
) -> subprocess.Popen[bytes]:
    """Begin what `run_in` does; all that it prints goes to a file."""
    command = _command(python, module, *arguments)
    return subprocess.Popen(command, env=_variables(), stdout=output, stderr=subprocess.STDOUT)


def _command(python: Path, module: str, *arguments: str) -> list[str | Path]:
    return [python, "-P", "-m", module, *arguments]


def _variables() -> dict[str, str]:
    variables = {**os.environ, "PYTHONPATH": str(CHECKOUT / "backend"), "PYTHONNOUSERSITE": "1"}
    variables.pop("PYTHONHOME", None)
    return variables
