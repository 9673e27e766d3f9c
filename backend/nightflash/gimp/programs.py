"""The GIMP 3 programs of this machine: where they are and what they answer. Standard library."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nightflash.gimp.profiles import Profile, profiles

PROGRAMS = tuple(
    f"gimp{kind}{version}" for kind in ("-console", "") for version in ("", "-3", "-3.0", "-3.2")
)
START_SECONDS = 60.0
ANSWER_SECONDS = 30.0

_QUESTION = """
from gi.repository import Gimp
with open({answer}, "w") as file:
    file.write("yes" if Gimp.get_pdb().procedure_exists("plug-in-nightflash") else "no")"""


@dataclass(frozen=True)
class Program:
    """A GIMP 3 that can be started: its path and its version, such as ``3.0``."""

    path: str
    version: str

    def run(self, *arguments: str) -> None:
        """Start it without a window and wait for its end, a minute at the most."""
        command = [self.path, "-i", "-d", "-f", "-s", *arguments, "--quit"]
        output(command, seconds=START_SECONDS)

    def has(self, profile: Profile) -> bool:
        """Whether ``profile`` is that of this program."""
        return profile.kind == "package" and profile.version == self.version

    def lists_plug_in(self) -> bool | None:
        """Whether its procedures have the plug-in's; None where it does not say."""
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "answer"
            question = _QUESTION.format(answer=ascii(str(answer)))
            self.run("--batch-interpreter=python-fu-eval", "-b", question)
            return answer.read_text(encoding="utf-8") == "yes" if answer.exists() else None


def find_programs() -> list[Program]:
    """The GIMP 3 programs on the PATH, those without a window first, one for each version."""
    found: dict[str, Program] = {}
    if sys.platform not in ("win32", "darwin"):
        for path in filter(None, map(shutil.which, PROGRAMS)):
            if Path(path).resolve().name == "snap":  # its profiles lie elsewhere
                continue
            version = re.search(r"\b(3\.\d+)\.\d+", output([path, "--version"]) or "")
            if version:
                found.setdefault(version[1], Program(path, version[1]))
    return list(found.values())


def find_profiles(programs: Sequence[Program]) -> list[Profile]:
    """The user's profiles, and those that ``programs`` will have once they are started."""
    found = profiles()
    for program in programs:
        if not any(program.has(profile) for profile in found):
            base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "GIMP"
            folder = Path(os.environ.get("GIMP3_DIRECTORY") or base / program.version)
            found.append(Profile(program.version, "package", folder))
    return found


def output(
    command: Sequence[str], variables: dict[str, str] | None = None, seconds: float = ANSWER_SECONDS
) -> str | None:
    """What ``command`` prints, started as from the desktop, or None where it fails."""
    with tempfile.TemporaryFile() as out:  # what it leaves behind would keep a pipe open
        try:
            done = subprocess.run(
                command,
                env=variables or desktop_variables(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        out.seek(0)
        return out.read().decode(errors="replace") if done.returncode == 0 else None


def desktop_variables() -> dict[str, str]:
    """The variables as a GIMP from the desktop's menu sees them: nothing of a developer's shell."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    path = variables.get("PATH", os.defpath)
    return {**variables, "PATH": path if sys.platform == "win32" else f"/usr/bin{os.pathsep}{path}"}
