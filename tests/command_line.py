"""Small photos, and the command line run the way a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from nightflash.cli import main
from nightflash.photo import read_photo
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
FAST = ("--networks", "builtin", "--quality", "fast", "--device", "cpu")


def pixels(width: int = 96, height: int = 64, channels: int = 3) -> npt.NDArray[np.uint8]:
    """An object before a sky and a ground, with texture: (height, width, channels)."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    ground = np.stack([90 + 60 * y, 110 - 40 * y, 60 + 20 * x], -1)
    sky = np.stack([120 + 40 * y, 160 + 40 * y, 215 + 0 * x], -1)
    rgb = np.where(y[..., None] < 0.4, sky, ground)
    inside = ((x - 0.5) / 0.15) ** 2 + ((y - 0.6) / 0.3) ** 2 < 1
    rgb[inside] = (200, 90, 60)
    rgb += np.random.default_rng(5).normal(0, 6, rgb.shape)
    alpha = np.where(inside, 255, 120)[..., None]
    whole = np.concatenate([rgb, alpha], -1)[..., :channels].clip(0, 255)
    return whole.astype(np.uint8)


def photo(path: Path, width: int = 96, height: int = 64) -> Path:
    """A small photo at ``path``."""
    Image.fromarray(pixels(width, height)).save(path)
    return path


def linear(path: Path) -> npt.NDArray[np.float32]:
    """Linear light (H, W, 3) of a picture file."""
    return read_photo(path).rgb


def renders(*arguments: str | Path) -> None:
    """Run ``nightflash render`` in this process; it must go well."""
    assert main(["render", *map(str, arguments)]) == 0


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run ``nightflash render``; it must end with exit code 2 and one sentence, which is given."""
    capsys.readouterr()
    assert main(["render", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert err.startswith("nightflash: ")
    assert err.endswith(".\n") or "See: " in err or "?" in err
    return err


def in_process_of_its_own(
    *arguments: str | Path, cwd: Path, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run ``nightflash`` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "nightflash", *arguments],
        cwd=cwd,
        env=environment(**options.pop("variables", {})),
        text=True,
        **{"capture_output": True, "encoding": "utf-8", **options},
    )


def environment(**variables: str) -> dict[str, str]:
    """The environment variables for a process that runs NightFlash from this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "backend"), **variables}
