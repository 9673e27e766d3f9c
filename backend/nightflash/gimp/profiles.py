"""Where GIMP 3 keeps its users' things, however it was installed. Standard library only."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CLIENT = (
    *("__init__.py", "effect.py", "errors.py", "own_presets.py", "presets.py"),
    *("setting_info.py", "settings.py", "stages.py", "whole_file.py", "client"),
)
"""Files and the folder of this package that the plug-in imports: they need no package but pyzmq."""

PLUG_IN = "nightflash_filter"
"""Name of the plug-in's folder and of the file in it, which GIMP demands to be the same. A file
``nightflash.py`` would hide this package where Python puts the file's folder first."""

FORMER_PLUG_IN = "nightflash"
"""The same up to version 0.2.0."""

_VERSION = re.compile(r"3\.\d+")


@dataclass(frozen=True)
class Profile:
    """One user's folder of one version of GIMP.

    Attributes:
        version: Such as ``3.0``.
        kind: How GIMP got here: ``package``, ``flatpak`` or ``snap``.
        folder: Of the profile.
    """

    version: str
    kind: str
    folder: Path

    @property
    def plug_ins(self) -> Path:
        """Where plug-ins go."""
        return self.folder / "plug-ins"

    @property
    def plug_in(self) -> Path:
        """The folder of NightFlash's plug-in."""
        return self.plug_ins / PLUG_IN

    @property
    def former_plug_in(self) -> Path:
        """The folder of the plug-in of a version up to 0.2.0."""
        return self.plug_ins / FORMER_PLUG_IN


def profiles(
    home: Path | None = None,
    variables: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> list[Profile]:
    """The GIMP 3 profiles of this user, newest version first.

    Args:
        home: The user's home folder.
        variables: Environment variables.
        platform: As ``sys.platform``.
    """
    home = home or Path.home()
    found: list[Profile] = []
    for kind, base in _bases(home, variables, platform):
        try:
            folders = [entry for entry in base.iterdir() if entry.is_dir()]
        except OSError:
            continue
        found += [Profile(f.name, kind, f) for f in folders if _VERSION.fullmatch(f.name)]
    return sorted(found, key=lambda p: (int(p.version.split(".")[1]), p.kind), reverse=True)


def _bases(home: Path, variables: Mapping[str, str], platform: str) -> list[tuple[str, Path]]:
    if named := variables.get("GIMP3_DIRECTORY"):
        return [("package", Path(named).parent)]
    if platform == "win32":
        return [("package", Path(variables.get("APPDATA") or home / "AppData/Roaming") / "GIMP")]
    if platform == "darwin":
        return [("package", home / "Library/Application Support/GIMP")]
    config = Path(variables.get("XDG_CONFIG_HOME") or home / ".config")
    return [
        ("package", config / "GIMP"),
        ("flatpak", home / ".var/app/org.gimp.GIMP/config/GIMP"),
        ("snap", home / "snap/gimp/current/.config/GIMP"),
        ("snap", home / "snap/gimp/current/GIMP"),
    ]
