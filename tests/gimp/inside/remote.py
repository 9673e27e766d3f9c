"""Runs scripts in a GIMP with a window, one after the other, as a test outside hands them in."""

from __future__ import annotations

import os
import time
from pathlib import Path

import cases

FOLDER = Path(os.environ["NIGHTFLASH_TEST_REMOTE"])

while not (FOLDER / "end").exists():
    for script in sorted(FOLDER.glob("*.py")):
        code = compile(script.read_text(encoding="utf-8"), str(script), "exec")
        cases.run(script.stem, lambda code=code: exec(code, {"__name__": "remote"}))
        script.rename(script.with_suffix(".done"))
    time.sleep(0.05)
