"""What gimp.sh and gimp.ps1 do: put the plug-in into every GIMP 3 of this user, or remove it.

What is put there is made beside its place and renamed, so it is whole or not there at all. Its
file install.json says how the plug-in starts the backend, and shows this module that the
folder is NightFlash's own: nothing else is ever replaced or removed.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import launcher
import networks
import removal
from environment import SetupError, data_folder, ensure_environment, say
from lock import one_at_a_time
from requirements import CHECKOUT
from zmq_for_gimp import Program, Zmq, bundled, find_programs, provide

sys.path.insert(0, str(CHECKOUT / "backend"))
from nightflash import __version__
from nightflash.gimp import (
    CLIENT,
    FORMER_PLUG_IN,
    PLUG_IN,
    Profile,
    profiles,
)  # both need the standard library alone

USAGE = """bash install/gimp.sh [--download SET | --uninstall [--everything]]

Puts the filter "Night with Flash" into every GIMP 3 of this user and sets up what it needs, the
networks that suit this machine best and the command `nightflash` included; this folder is not
needed any more then. With --download it fetches another set of networks: auto, official, lite or
none. With --uninstall it removes filter and command and asks whether the environment and the
networks shall go too; with --everything they do."""

MARK = "install.json"
MENU = "Filters > Light and Shadow > Night with Flash…"
UNINSTALL = ("--uninstall", "--everything")
PASSED_ON = ("NIGHTFLASH_HOME", "NIGHTFLASH_WEIGHTS")


def install(checkout: Path = CHECKOUT, download: networks.Wanted = networks.NOTHING_SAID) -> int:
    """Put the plug-in of ``checkout`` into every profile; 1 where that failed for any.

    Args:
        checkout: Where the code is.
        download: Which networks to fetch.
    """
    programs = find_programs()
    found = find_profiles(programs)
    if not found:
        raise SetupError(
            "No GIMP 3 was found for this user: install GIMP 3.0 or newer, start it once, then "
            "start this again."
        )
    python = ensure_environment(("heic",)).absolute()

    def put(profile: Profile) -> str:
        zmq = put_plug_in(profile, python, checkout)
        return f"the plug-in is in {profile.plug_in}; {zmq.text}; {check(profile, programs)}"

    for profile in found:
        if not profile.folder.exists():  # made by hand it would keep older settings from moving in
            say(f"Starting GIMP {profile.version} for the first time, so that it has a profile")
            next(p for p in programs if _belongs(p, profile)).run()
    code = _for_each(found, put)
    removal.end_backend()  # it runs the code of before
    places = [profile.plug_in / "lib" for profile in found]
    if there := [place for place in places if place.is_dir()]:
        launcher.put(python, there[0])
    networks.fetch(python, download)
    if code == 0:
        say(f"Restart GIMP where it runs, open a photo and choose {MENU}")
    return code


def uninstall(everything: bool = False) -> int:
    """Remove the plug-in from every profile and end the backend; 1 where that failed for any.

    Args:
        everything: Remove the environment and the networks too, without a question.
    """
    found = [profile for profile in find_profiles(find_programs()) if profile.folder.exists()]
    if not found:
        say("No GIMP 3 was found for this user, so there is nothing to remove")
    code = _for_each(found, remove_plug_in)
    launcher.remove()
    removal.end_backend()
    removal.offer(everything)
    return code


def find_profiles(programs: Sequence[Program]) -> list[Profile]:
    """The user's profiles, and those that ``programs`` will have once they are started."""
    found = profiles()
    for program in programs:
        if not any(_belongs(program, profile) for profile in found):
            base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "GIMP"
            folder = Path(os.environ.get("GIMP3_DIRECTORY") or base / program.version)
            found.append(Profile(program.version, "package", folder))
    return found


def put_plug_in(profile: Profile, python: Path, checkout: Path) -> Zmq:
    """Put the plug-in into ``profile``, in place of an older one of NightFlash's."""
    place, former = profile.plug_in, profile.former_plug_in
    if (place.exists() or place.is_symlink()) and not is_ours(place):
        raise SetupError(
            f"{place} was not made by this installer and stays as it is; move it away, then start "
            "this again."
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    remove_remains(profile)
    new = Path(tempfile.mkdtemp(prefix=f".{PLUG_IN}-", dir=place.parent))
    try:
        _mark(new, python, place, "relay")
        _copy(checkout, new)
        if profile.kind == "package" and sys.platform not in ("win32", "darwin"):
            zmq = provide(new, place if place.exists() else former, python)
        else:
            zmq = bundled(profile.kind)
        _mark(new, python, place, zmq.kind)
        new.chmod(0o755)
        _exchange(new, place)
        if is_ours(former):
            _discard(former)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return zmq


def remove_plug_in(profile: Profile) -> str:
    """Remove the plug-in from ``profile`` and print what was done."""
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


def is_ours(folder: Path) -> bool:
    """Whether this installer made ``folder``."""
    try:
        content = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "command" in content and not folder.is_symlink()


def check(profile: Profile, programs: Sequence[Program]) -> str:
    """Ask the GIMP of ``profile`` for the plug-in; raises SetupError where it has none."""
    program = next((p for p in programs if _belongs(p, profile)), None)
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
        raise SetupError(
            f"GIMP does not list the plug-in in {profile.plug_in}; "
            f"'{program.path} -i --verbose --quit' in a terminal tells why."
        )
    return "GIMP lists it"


def _belongs(program: Program, profile: Profile) -> bool:
    return profile.kind == "package" and profile.version == program.version


def _for_each(found: Sequence[Profile], work: Callable[[Profile], str]) -> int:
    """Do ``work`` for every profile, whatever happens to the others; 1 where one failed."""
    code = 0
    for profile in found:
        about = f"GIMP {profile.version} ({profile.kind}): "
        try:
            home = data_folder()
            home.mkdir(parents=True, exist_ok=True)
            with one_at_a_time(home / "gimp.lock", lambda: say("Waiting for another installer")):
                say(about + work(profile))
        except SetupError as fault:
            say(about + str(fault))
            code = 1
        except OSError as fault:
            say(f"{about}{profile.plug_ins} could not be changed: {fault}. Is it yours to write?")
            code = 1
    return code


def _copy(checkout: Path, folder: Path) -> None:
    """Fill ``folder`` with the plug-in and the backend: the checkout may go then."""
    source, package = checkout / "gimp_plugin" / PLUG_IN, checkout / "backend/nightflash"
    entry, client = source / f"{PLUG_IN}.py", package / "client" / "client.py"
    for needed in (entry, client, *(package / name for name in CLIENT)):
        if not needed.exists():
            raise SetupError(f"This copy of NightFlash lacks {needed}; get it anew.")
    for tree, copy in ((source, folder), (package, folder / "lib/nightflash")):
        shutil.copytree(
            tree,
            copy,
            ignore=shutil.ignore_patterns("__pycache__", ".*", MARK),
            copy_function=shutil.copyfile,
            dirs_exist_ok=True,
        )
    (folder / f"{PLUG_IN}.py").chmod(0o755)  # GIMP passes over what it cannot execute


def _mark(folder: Path, python: Path, place: Path, zmq: str) -> None:
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


def main(arguments: Sequence[str]) -> int:
    """Install or uninstall; faults become a sentence on stderr."""
    if set(arguments) & {"-h", "--help"}:
        print(USAGE)
        return 0
    try:
        download, rest = networks.wanted(arguments)
        if not rest:
            return install(download=download)
        asked = set(rest)
        if download == networks.NOTHING_SAID and "--uninstall" in asked <= set(UNINSTALL):
            return uninstall("--everything" in asked)
        raise SetupError(f"{' '.join(arguments)!r} is not understood; --help tells what is.")
    except SetupError as fault:
        say(str(fault))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
