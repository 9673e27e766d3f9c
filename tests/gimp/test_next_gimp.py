"""All tests of the filter once more in GIMP 3.2."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.machine import CHECKOUT

HERE = Path(__file__)
FILES = sorted(path.name for path in HERE.parent.glob("test_*.py") if path != HERE)
CAN_BUILD = hasattr(os, "getuid") and os.getuid() == 0 and shutil.which("apt-get") is not None


@pytest.mark.endurance
@pytest.mark.timeout(7200)
@pytest.mark.skipif(not CAN_BUILD, reason="only root on Debian can build a GIMP of its own")
@pytest.mark.parametrize("name", FILES)
def test_in_gimp_3_2(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", f"tests/gimp/{name}"],
        cwd=CHECKOUT,
        env={**os.environ, "NIGHTFLASH_TEST_GIMP": "3.2"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
