"""The command ``nightflash`` for the user's shell: a small file that starts the installed code.

It lies in ~/.local/bin (XDG_BIN_HOME), on Windows among the user's own commands
(%LOCALAPPDATA%\\Microsoft\\WindowsApps), or in the folder ``bin`` of NIGHTFLASH_HOME where that is
set.
Standard library only.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from environment import say

from nightflash.whole_file import written_whole  # needs the standard library alone

MARK = "Made by NightFlash's installer, which replaces and removes it."
CODE = "It starts the code in: "
PASSED_ON = ("NIGHTFLASH_HOME", "NIGHTFLASH_WEIGHTS")


def command_file() -> Path:
    """Where the command lies, or would."""
    name = "nightflash.cmd" if sys.platform == "win32" else "nightflash"
    if home := os.environ.get("NIGHTFLASH_HOME"):
        return Path(home).expanduser().absolute() / "bin" / name
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
        return base / "Microsoft" / "WindowsApps" / name
    return Path(os.environ.get("XDG_BIN_HOME") or Path.home() / ".local/bin").absolute() / name


def put(python: Path, code: Path, replace: bool = True) -> None:
    """Make the command, and print where it is; a fault is printed and stops nothing.

    Args:
        python: The interpreter.
        code: The folder that holds the package.
        replace: Whether it takes the place of one that starts other code which is still there.
    """
    if os.environ.get("NIGHTFLASH_PYTHON"):
        return  # a packager's environment, who has commands of his own
    path, text = command_file(), _text(python.absolute(), code.absolute())
    found = _found(path)
    if found == text or (found is not None and not replace and _works(found)):
        return
    if found is None and os.path.lexists(path):
        say(f"{path} is another program's and stays; NightFlash's command was not made")
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            file.write(text.encode(errors="surrogateescape"))
            Path(file.name).chmod(0o755)
    except OSError as fault:
        say(f"The command {path} could not be made: {fault}")
        return
    reached = shutil.which(path.name)
    at_once = reached is not None and Path(reached).resolve() == path.resolve()
    how = "" if at_once else f"; where a new terminal does not know it, add {path.parent} to PATH"
    say(f"The command nightflash is {path}{how}")


def remove() -> None:
    """Remove the command where it is NightFlash's."""
    path = command_file()
    if _found(path) is not None:
        try:
            path.unlink()
        except OSError as fault:
            say(f"The command {path} could not be removed: {fault}")


def _text(python: Path, code: Path) -> str:
    variables = {"PYTHONPATH": str(code), "PYTHONNOUSERSITE": "1"}
    for name in PASSED_ON:
        if value := os.environ.get(name):
            variables[name] = str(Path(value).expanduser().absolute())
    if sys.platform == "win32":
        lines = [f'@set "{name}={value}"' for name, value in variables.items()]
        lines = [
            f"@rem {MARK}",
            f"@rem {CODE}{code}",
            "@setlocal",
            *lines,
            f'@"{python}" -P -m nightflash %*',
        ]
        return "\r\n".join(lines) + "\r\n"
    words = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    start = f"{' '.join(words)} exec {shlex.quote(str(python))} -P -m nightflash"
    return f'#!/bin/sh\n# {MARK}\n# {CODE}{code}\nunset PYTHONHOME\n{start} "$@"\n'


def _found(path: Path) -> str | None:
    """What the command says, or None where it is not NightFlash's."""
    try:
        text = path.read_bytes()[:65536].decode(errors="surrogateescape")
    except OSError:
        return None
    return text if MARK in text else None


def _works(text: str) -> bool:
    """Whether the code that a command starts is still there."""
    places = [line.partition(CODE)[2] for line in text.splitlines() if CODE in line]
    return any((Path(place) / "nightflash" / "cli.py").is_file() for place in places)
