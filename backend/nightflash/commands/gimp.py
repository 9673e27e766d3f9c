"""``nightflash gimp install``, ``uninstall`` and ``check``: the plug-in in every GIMP 3."""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightflash.commands import streams
from nightflash.folders import data_folder

if TYPE_CHECKING:
    from nightflash.gimp.everywhere import Gimps

FAILED = 2


def add(commands: Any) -> None:
    """Add the commands to argparse's ``commands``."""
    gimp = commands.add_parser("gimp", help="the filter in GIMP 3", allow_abbrev=False)
    actions = gimp.add_subparsers(required=True, metavar="ACTION")
    for name, run, text in (
        ("install", _install, "put the filter into every GIMP 3 of yours"),
        ("uninstall", _uninstall, "remove it, and end the backend"),
        ("check", _check, "ask every GIMP 3 of yours for the filter"),
    ):
        actions.add_parser(name, help=text, allow_abbrev=False).set_defaults(run=run)


def _install(options: argparse.Namespace) -> int:
    from nightflash.client.ending import end_backend
    from nightflash.gimp.everywhere import MENU
    from nightflash.gimp.plug_in import Source

    gimps = _gimps()
    gimps.require()
    well = gimps.install(Path(sys.executable).absolute(), Source.of_this(), _pyzmq())
    end_backend()  # it runs the code of before
    if well:
        streams.print_output(f"Restart GIMP where it runs, open a photo and choose {MENU}")
    return 0 if well else FAILED


def _uninstall(options: argparse.Namespace) -> int:
    from nightflash.client.ending import end_backend

    well = _gimps().uninstall()
    end_backend()
    return 0 if well else FAILED


def _check(options: argparse.Namespace) -> int:
    gimps = _gimps()
    gimps.require()
    return 0 if gimps.check() else FAILED


def _gimps() -> Gimps:
    from nightflash.gimp.everywhere import Gimps

    return Gimps.found(streams.print_output, _lock)


@contextmanager
def _lock() -> Iterator[None]:
    """One installer at a time, install/gimp.sh included, whose lock is of the same kind."""
    from filelock import FileLock

    home = data_folder()
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "gimp.lock"):
        yield


def _pyzmq() -> str:
    """Which pyzmq NightFlash asks for, as pip understands it."""
    try:
        lines = importlib.metadata.requires("nightflash") or []
    except importlib.metadata.PackageNotFoundError:  # the code of a checkout or of the plug-in
        lines = []
    return next((line for line in lines if line.startswith("pyzmq")), "pyzmq")
