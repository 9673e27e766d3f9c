"""Running the code of this checkout in NightFlash's environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from environment import CHECKOUT


def run_in(python: Path, module: str, *arguments: str) -> int:
    """Run ``module`` with the code of this checkout and nothing of the caller's folder."""
    variables = {**os.environ, "PYTHONPATH": str(CHECKOUT / "backend"), "PYTHONNOUSERSITE": "1"}
    variables.pop("PYTHONHOME", None)
    return subprocess.run([python, "-P", "-m", module, *arguments], env=variables).returncode
