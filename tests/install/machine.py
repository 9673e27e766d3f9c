"""A machine that a test has to itself: its data folder, and a pip that only pretends to install."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "install"))

import environment  # noqa: E402
import networks  # noqa: E402, F401
import pytorch  # noqa: E402
import seed  # noqa: E402

import commands  # noqa: E402, F401
import gimp  # noqa: E402, F401

PIP = '''
"""Stands for pip: writes torch and torchvision, and notes every call."""
import os, sys, time
from pathlib import Path

control = Path(os.environ["PIP_CONTROL"])
with (control / "calls").open("a", encoding="utf-8") as calls:
    print(*sys.argv[1:], sep="\\t", file=calls)
trouble = [line.split("\\t") for line in (control / "trouble").read_text().splitlines()]
here = Path(__file__).resolve().parent.parent
for kind, word in trouble:
    if any(word in argument for argument in sys.argv):
        if kind == "fail":
            sys.exit("ERROR: No matching distribution found for " + word)
        if kind in ("die", "orphan"):
            (here / "torch.py").write_text("half a fil(")
            os.kill(os.getppid(), 9)
            if kind == "die":
                os._exit(9)
            time.sleep(2)
            (control / "orphan ended").touch()
if sys.argv[1] == "install" and any(a.startswith("torch>") for a in sys.argv):
    matches = not any(k == "mismatch" and w in " ".join(sys.argv) for k, w in trouble)
    (here / "torch.py").write_text("def tensor(values): return values")
    if not (here / "torchvision.py").exists():
        nms = "    def nms(boxes, scores, limit): return [0]" if matches else "    pass"
        (here / "torchvision.py").write_text("class ops:\\n" + nms)
if sys.argv[1] == "uninstall":
    (here / "torch.py").unlink(missing_ok=True)
    (here / "torchvision.py").unlink(missing_ok=True)
'''


class Machine:
    """What a test sees of its machine: the data folder, and what pip was asked for."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "data"
        self.control = folder
        self.trouble()
        (folder / "calls").touch()

    def trouble(self, *kinds: tuple[str, str]) -> None:
        """What pip does when its arguments name a word.

        It may ``fail``, ``die`` with its parent, outlive it as an ``orphan``, or install a torch
        and torchvision that ``mismatch``.
        """
        lines = ["\t".join(kind) for kind in kinds]
        (self.control / "trouble").write_text("\n".join(lines), encoding="utf-8")

    def calls(self) -> list[list[str]]:
        """The arguments of every call of pip since the last look."""
        path = self.control / "calls"
        calls = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
        path.write_text("")
        return calls

    def set_up(self, *extras: str) -> Path:
        return environment.ensure_environment(extras)

    def set_up_elsewhere(self, *extras: str) -> subprocess.Popen[str]:
        """The same in a process of its own."""
        code = (
            f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
            "from tests.install import machine\n"
            "machine.pretend(setattr)\n"
            f"print(machine.environment.ensure_environment({extras!r}))"
        )
        return subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def pretend(replace: Callable[[object, str, object], None]) -> None:
    """Replace what looks at the machine or the network."""
    replace(pytorch, "has_nvidia_gpu", lambda root=Path("/"): False)
    replace(pytorch, "is_reachable", lambda index, seconds=5.0: True)
    replace(seed, "create", create_with_pretended_pip)


def create_with_pretended_pip(folder: Path, scratch: Path, run: seed.Run) -> bool:
    assert run([sys.executable, "-m", "venv", "--without-pip", folder])
    packages = sysconfig.get_path("purelib", "venv", vars={"base": str(folder)})
    pip = Path(packages) / "pip"
    pip.mkdir()
    (pip / "__main__.py").write_text(PIP, encoding="utf-8")
    return True


def executable(path: Path, script: str) -> Path:
    """A shell script at ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def run_script(
    name: str, *arguments: str | Path, cwd: Path, path: Sequence[Path] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script of install/ with ``path`` as the whole PATH (the caller's own where empty)."""
    found = os.pathsep.join(map(str, path)) or os.environ["PATH"]
    return subprocess.run(
        ["bash", CHECKOUT / "install" / name, *arguments],
        cwd=cwd,
        env={**os.environ, "PATH": found, **variables},
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
    )
