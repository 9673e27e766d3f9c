"""A virtual environment with pip in it, also where the Python comes without ensurepip.

Debian and Ubuntu split ensurepip off into python3-venv, which a fresh machine lacks. The pip for
the environment then comes from, in this order: the interpreter's own pip, a wheel of pip that the
distribution has on disk, or that wheel fetched with ``apt-get download``, which needs no root and
installs nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

Run = Callable[[Sequence[str | Path]], bool]
"""Runs a command to its end with its output in the log; whether it succeeded."""

WHEELS = Path("/usr/share/python-wheels")


def create(folder: Path, scratch: Path, run: Run) -> bool:
    """Make a virtual environment with pip in the new ``folder``; ``scratch`` takes what it fetches.

    Returns False where no pip is to be had; `remedy` then says what to type.
    """
    if find_spec("ensurepip") and run([sys.executable, "-m", "venv", folder]):
        return True
    if not run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder]):
        return False
    python = interpreter(folder)
    if find_spec("pip"):
        packages = sysconfig.get_path("purelib", "venv", vars={"base": str(folder)})
        if run([sys.executable, "-m", "pip", "install", "--target", packages, "pip"]):
            return True
    return any(
        run([python, wheel / "pip", "install", "--no-index", wheel])
        for wheel in _pip_wheels(scratch, run)
    )


def interpreter(folder: Path) -> Path:
    """The Python of the virtual environment in ``folder``."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def remedy() -> str:
    """What the user types where `create` finds no pip."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if shutil.which("apt-get"):
        return f"Type: sudo apt install python{version}-venv, then start this again."
    return (
        f"Install your system's package with the venv and ensurepip modules of Python {version}, "
        "then start this again."
    )


def _pip_wheels(scratch: Path, run: Run) -> Iterator[Path]:
    yield from sorted(WHEELS.glob("pip-*.whl"), reverse=True)
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return
    fetch: list[str | Path] = ["env", "-C", scratch, "apt-get", "download", "python3-pip-whl"]
    # Minimal images hold no package lists; only root may fetch them.
    if not run(fetch) and not (_is_root() and run(["apt-get", "update"]) and run(fetch)):
        return
    for archive in scratch.glob("python3-pip-whl*.deb"):
        if run(["dpkg-deb", "-x", archive, scratch / "wheel"]):
            yield from scratch.glob("wheel/**/pip-*.whl")


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0
