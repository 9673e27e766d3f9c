"""The plug-in's folder in a profile of GIMP: put there, removed, and asked for.

What is put there is made beside its place and renamed, so it is whole or not there at all. Its
file install.json says how the plug-in starts the backend, and shows this module that the
folder is NightFlash's own: nothing else is ever replaced or removed. Standard library only.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nightflash import __version__
from nightflash.errors import NightFlashError
from nightflash.gimp.profiles import CLIENT, FORMER_PLUG_IN, PLUG_IN, Profile
from nightflash.gimp.programs import Program
from nightflash.gimp.pyzmq import Zmq, bundled, provide

MARK = "install.json"
PASSED_ON = ("NIGHTFLASH_HOME", "NIGHTFLASH_WEIGHTS")
LEFT_OUT = ("__pycache__", ".*", MARK, "site", "lib")
"""Names in the folders that are copied which are no part of the plug-in or the package."""


@dataclass(frozen=True)
class Source:
    """The code that is installed.

    Attributes:
        plug_in: The plug-in's folder.
        package: The folder of the package ``nightflash``.
        installer: What a user types to install it again; a path is in the folder of a checkout.
    """

    plug_in: Path
    package: Path
    installer: str = "nightflash gimp install"

    @classmethod
    def of_checkout(cls, checkout: Path) -> Source:
        """The code of a checkout, from which its own script installs."""
        shell = "powershell -ExecutionPolicy Bypass -File install\\gimp.ps1"
        script = shell if sys.platform == "win32" else "bash install/gimp.sh"
        return cls(checkout / "gimp_plugin" / PLUG_IN, checkout / "backend/nightflash", script)

    @classmethod
    def of_this(cls) -> Source:
        """The code that runs: of a wheel, of a checkout, or of an installed plug-in."""
        package = Path(__file__).resolve().parents[1]
        beside = package.parent / PLUG_IN, package.parents[1] / "gimp_plugin" / PLUG_IN
        for folder in (*beside, package.parents[1]):
            if (folder / f"{PLUG_IN}.py").is_file():
                return cls(folder, package)
        raise NightFlashError(
            f"{package} came without the plug-in.", "Get NightFlash anew.", code="not_installed"
        )

    def require_whole(self) -> None:
        """Raise where a part is missing.

        Raises:
            NightFlashError: ``not_installed``.
        """
        entry, client = self.plug_in / f"{PLUG_IN}.py", self.package / "client" / "client.py"
        for needed in (entry, client, *(self.package / name for name in CLIENT)):
            if not needed.exists():
                raise NightFlashError(
                    f"This copy of NightFlash lacks {needed}; get it anew.", code="not_installed"
                )


def put(
    profile: Profile,
    python: Path,
    source: Source,
    requirement: str = "pyzmq",
    report: Callable[[str], None] = print,
) -> Zmq:
    """Put the plug-in into ``profile``, in place of an older one of NightFlash's.

    Args:
        profile: Of GIMP.
        python: The interpreter that the backend runs in.
        source: The code; it is copied.
        requirement: Which pyzmq to get where GIMP's Python has none.
        report: Takes sentences on what is done.

    Returns:
        How the plug-in reaches the backend.

    Raises:
        NightFlashError: ``not_installed``: another's folder is in its place, or code is missing.
        OSError: The folder cannot be written.
    """
    place = profile.plug_in
    _require_ours(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    remove_remains(profile)
    new = Path(tempfile.mkdtemp(prefix=f".{PLUG_IN}-", dir=place.parent))
    try:
        _mark(new, python, place, source.installer, "relay")
        _copy(source, new)
        if profile.kind == "package" and sys.platform not in ("win32", "darwin"):
            former = place if place.exists() else profile.former_plug_in
            zmq = provide(new, former, python, requirement, report)
        else:
            zmq = bundled(profile.kind)
        _mark(new, python, place, source.installer, zmq.kind)
        new.chmod(0o755)
        _exchange(new, place)
        if is_ours(profile.former_plug_in):
            _discard(profile.former_plug_in)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return zmq


def remove(profile: Profile) -> str:
    """Remove the plug-in from ``profile``; gives a sentence on what was done.

    Raises:
        OSError: The folder cannot be changed; the next call goes on.
    """
    remove_remains(profile)
    said = []
    for place in (profile.plug_in, profile.former_plug_in):
        if is_ours(place):
            _discard(place)
            said.append(f"{place} was removed")
        elif place.exists() or place.is_symlink():
            said.append(f"{place} was not made by this installer and stays as it is")
    return "; ".join(said) or "the plug-in is not there"


def remove_remains(profile: Profile) -> None:
    """Remove what an interrupted run left beside the plug-in."""
    for folder in profile.plug_ins.glob(f".{FORMER_PLUG_IN}*-*"):
        if is_ours(folder):
            _remove(folder)


def _require_ours(place: Path) -> None:
    """Raise where something is at ``place`` that must stay."""
    if (place.exists() or place.is_symlink()) and not is_ours(place):
        raise NightFlashError(
            f"{place} was not made by this installer and stays as it is; move it away, then start "
            "this again.",
            code="not_installed",
        )


def is_ours(folder: Path) -> bool:
    """Whether an installer of NightFlash's made ``folder``."""
    try:
        content = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "command" in content and not folder.is_symlink()


def check(profile: Profile, programs: Sequence[Program]) -> str:
    """Ask the GIMP of ``profile`` for the plug-in; gives a sentence on the answer.

    Raises:
        NightFlashError: ``not_installed``: GIMP does not list it.
    """
    program = next((p for p in programs if p.has(profile)), None)
    if program is None:
        return "whether GIMP lists it could not be checked from here"
    listed = program.lists_plug_in()
    if listed is None:
        return (
            f"whether GIMP lists it could not be checked, as {program.path} did not answer (should "
            "it be missing from the menu, install GIMP's support for Python; Debian and Ubuntu: "
            "sudo apt install python3-gi gir1.2-gtk-3.0)"
        )
    if not listed:
        raise NightFlashError(
            f"GIMP does not list the plug-in in {profile.plug_in}; "
            f"'{program.path} -i --verbose --quit' in a terminal says why.",
            code="not_installed",
        )
    return "GIMP lists it"


def _copy(source: Source, folder: Path) -> None:
    """Fill ``folder`` with the plug-in and the package: where they came from may go then."""
    source.require_whole()
    for tree, copy in ((source.plug_in, folder), (source.package, folder / "lib/nightflash")):
        shutil.copytree(
            tree,
            copy,
            ignore=shutil.ignore_patterns(*LEFT_OUT),
            copy_function=shutil.copyfile,
            dirs_exist_ok=True,
        )
    (folder / f"{PLUG_IN}.py").chmod(0o755)  # GIMP passes over what it cannot execute


def _mark(folder: Path, python: Path, place: Path, installer: str, zmq: str) -> None:
    """Write down in ``folder`` how the backend is started once that is ``place``."""
    start = [str(python), "-P", "-m"]
    variables = {"PYTHONPATH": str(place / "lib"), "PYTHONNOUSERSITE": "1"}
    for name in PASSED_ON:
        if value := os.environ.get(name):
            variables[name] = str(Path(value).expanduser().absolute())
    content = {
        "command": [*start, "nightflash", "serve"],
        "relay": [*start, "nightflash.client.relay"],
        "environment": variables,
        "installer": installer,
        "zmq": zmq,
        "version": __version__,
    }
    (folder / MARK).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _exchange(new: Path, place: Path) -> None:
    """Rename ``new`` to ``place``; an older folder there is removed, or stays where that fails."""
    old = new.with_name(f"{new.name}-old")
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    if old.exists():
        with suppress(OSError):  # the next run tries again
            _remove(old)


def _discard(place: Path) -> None:
    """Take away the plug-in in ``place``, for GIMP at once."""
    _remove(place.rename(place.with_name(f".{PLUG_IN}-old")))


def _remove(folder: Path) -> None:
    """Remove a folder, its mark last: where that is interrupted, the next run goes on."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != MARK:
            entry.unlink()
    shutil.rmtree(folder)
