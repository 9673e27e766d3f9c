"""What the environment shall hold, and the stamp of what it does. Standard library only."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))
from nightflash.whole_file import written_whole  # needs the standard library alone

CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Stamp:
    """What a complete environment holds; an environment without it was interrupted.

    ``torch_index`` is the index that was meant for PyTorch, whether or not it could be reached.
    """

    python: str
    torch_index: str
    requirements: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Stamp | None:
        """The stamp in the file ``path``, or None where there is no sound one."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                str(fields["python"]),
                str(fields["torch_index"]),
                tuple(str(line) for line in fields["requirements"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write the stamp to ``path``, whole or not at all."""
        with written_whole(path) as file:
            file.write(json.dumps(asdict(self), indent=1).encode())


def requirements(extras: Iterable[str] = (), pyproject: Path | None = None) -> tuple[str, ...]:
    """What pyproject.toml asks for: its dependencies and those of ``extras``."""
    text = (pyproject or CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return tuple(dict.fromkeys(lines))


def distribution(requirement: str) -> str:
    """The normalised name of the distribution that a requirement line asks for."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else requirement
