"""Running the code of this checkout in NightFlash's environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

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
    variables = {**os.environ, "PYTHONPATH": str(CHECKOUT / "backend"), "PYTHONNOUSERSITE": "1"}
    variables.pop("PYTHONHOME", None)
    command: list[str | Path] = [python, "-P", "-m", module, *arguments]
    return subprocess.run(command, env=variables, stdout=2 if to_stderr else None).returncode
