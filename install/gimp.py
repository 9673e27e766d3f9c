"""What gimp.sh and gimp.ps1 do: set up what the plug-in needs, and put it into every GIMP 3.

`nightflash gimp` does the latter alone, where NightFlash is installed in another way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import launcher
import networks
import removal
from environment import SetupError, ensure_environment, say
from lock import one_at_a_time
from requirements import CHECKOUT, requirements

from nightflash.errors import NightFlashError  # all of these need the standard library alone
from nightflash.folders import data_folder
from nightflash.gimp.everywhere import MENU, Gimps
from nightflash.gimp.plug_in import Source

USAGE = """bash install/gimp.sh [--download SET | --uninstall [--everything]]

Puts the filter "Night with Flash" into every GIMP 3 of this user and sets up what it needs, the
networks that suit this machine best and the command `nightflash` included; this folder is not
needed any more then. With --download it fetches another set of networks: auto, official, lite or
none. With --uninstall it removes filter and command and asks whether the environment and the
networks shall go too; with --everything they do."""

UNINSTALL = ("--uninstall", "--everything")


def install(checkout: Path = CHECKOUT, download: networks.Wanted = networks.NOTHING_SAID) -> int:
    """Put the plug-in of ``checkout`` into every profile; 1 where that failed for any.

    Args:
        checkout: Where the code is.
        download: Which networks to fetch.
    """
    gimps = Gimps.found(say, _lock)
    gimps.require()
    python = ensure_environment(("heic",)).absolute()
    pyzmq = next(line for line in requirements() if line.startswith("pyzmq"))
    well = gimps.install(python, Source.of_checkout(checkout), pyzmq)
    removal.end_backend()  # it runs the code of before
    places = [profile.plug_in / "lib" for profile in gimps.profiles]
    if there := [place for place in places if place.is_dir()]:
        launcher.put(python, there[0])
    networks.fetch(python, download)
    if well:
        say(f"Restart GIMP where it runs, open a photo and choose {MENU}")
    return 0 if well else 1


def uninstall(everything: bool = False) -> int:
    """Remove the plug-in from every profile and end the backend; 1 where that failed for any.

    Args:
        everything: Remove the environment and the networks too, without a question.
    """
    well = Gimps.found(say, _lock).uninstall()
    launcher.remove()
    removal.end_backend()
    removal.offer(everything)
    return 0 if well else 1


@contextmanager
def _lock() -> Iterator[None]:
    """One installer at a time."""
    home = data_folder()
    home.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(home / "gimp.lock", lambda: say("Waiting for another installer")):
        yield


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
        raise SetupError(f"{' '.join(arguments)!r} is not understood; --help says what is.")
    except (SetupError, NightFlashError) as fault:
        say(str(fault))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
