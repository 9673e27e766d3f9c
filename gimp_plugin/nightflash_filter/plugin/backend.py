"""The way to the backend: how this installation starts it, and what to say where it cannot."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

from nightflash.client.client import DIALOG_SILENCE, Client
from nightflash.client.remotes import remotes
from nightflash.errors import NightFlashError

from plugin.faults import in_own_language
from plugin.kept import keep, kept
from plugin.texts import translated as _

INSTALLATION = Path(__file__).resolve().parent.parent / "install.json"
HERE = ""  # this computer, where remotes have names
INSTEAD = {
    "nightflash stop": "In the filter's dialog, choose Backend… > Restart.",
    "nightflash logs": "In the filter's dialog, Backend… > Show log tells more; please report it.",
    "nightflash models": "In the filter's dialog, choose Backend… > Download networks.",
    "Choose another --name": "Take another name, or remove the other one first.",
    "on the server for another": "Ask for another code of 'nightflash remote invite' there.",
    "set up anew": (
        "Its server was set up anew, or somebody else poses as it. In Backend…, choose This"
        " computer; if it was set up anew, remove it and add it again."
    ),
    "then here 'nightflash remote": (
        "In Backend…, choose This computer, or remove it and add it again by a new code."
    ),
    "nightflash serve --listen": (
        "See that 'nightflash serve --listen' runs there and no firewall is between, or choose"
        " Backend… > This computer."
    ),
    "the line to it": (
        "See that it and the line to it are up and try again, or choose Backend… > This computer."
    ),
}
"""What GIMP's users have for remedies that name commands, by a piece of each; the first one."""


def installation() -> dict[str, Any]:
    """What the installer wrote down: the command that starts the backend, and its variables.

    Raises:
        NightFlashError: ``not_installed``.
    """
    try:
        found = json.loads(INSTALLATION.read_text(encoding="utf-8"))
        return {"command": [str(w) for w in found["command"]], **found}
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise NightFlashError(
            _("The plug-in was copied here without its installer, so it cannot find its backend."),
            _mending({}),
            code="not_installed",
        ) from fault


def backend() -> Client:
    """A client of the backend on the computer that was chosen.

    Raises:
        NightFlashError: There is no way to it.
    """
    found = installation()
    relay = found.get("relay")
    if found.get("zmq") != "relay" or relay is None:
        try:
            import zmq  # noqa: F401

            relay = None
        except ImportError as fault:  # another GIMP than the installer saw may use this profile
            if relay is None:
                raise NightFlashError(
                    _("GIMP's Python lacks the package pyzmq ({}).").format(fault),
                    _mending(found),
                    code="no_pyzmq",
                ) from fault
    return Client(
        found["command"],
        _environment(found),
        relay=relay,
        silence=DIALOG_SILENCE,
        replaces=True,
        remote=remotes().get(name) if (name := chosen_name()) != HERE else None,
    )


def chosen_name() -> str:
    """The remote that is to do the work, which may be known no more; `HERE` for none."""
    name = kept("computer")
    return name if isinstance(name, str) else HERE


def keep_computer(name: str) -> None:
    """Have a remote, or this computer, do the work from now on."""
    keep("computer", name)


def program(*words: str) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment of `nightflash` with these words.

    Raises:
        NightFlashError: ``not_installed``.
    """
    found = installation()
    serve = found["command"]
    return [*serve[: serve.index("serve")], *words], _environment(found)


def _environment(found: dict[str, Any]) -> dict[str, str]:
    environment = {**os.environ, **found.get("environment", {})}
    for name in ("PYTHONHOME", "LD_LIBRARY_PATH", "GI_TYPELIB_PATH"):  # GIMP's, not the backend's
        environment.pop(name, None)
    return environment


def in_words(fault: NightFlashError) -> NightFlashError:
    """A fault in the user's language, with a remedy that a user of GIMP has."""
    sandbox = next((n for n in ("FLATPAK_ID", "SNAP_NAME") if os.environ.get(n)), None)
    if fault.code == "start_failed" and sandbox is not None:
        return NightFlashError(
            _("This GIMP is a {} and may not start the backend.").format(
                sandbox.partition("_")[0].lower()
            ),
            _("Start it yourself in a terminal: {}").format(shlex.join(installation()["command"])),
            code=fault.code,
        )
    return NightFlashError(in_own_language(fault.sentence), _remedy(fault), code=fault.code)


def _mending(found: dict[str, Any]) -> str:
    """How to install the filter again, in the way that it was installed."""
    command = found.get("installer", "bash install/gimp.sh")
    if command.startswith("nightflash "):
        return _("To mend the installation, run in a terminal: {}").format(command)
    return _("To mend the installation, run in NightFlash's folder: {}").format(command)


def _remedy(fault: NightFlashError) -> str:
    if fault.code == "no_memory":
        return _("Close other programs, or scale the image down.")
    if fault.code == "start_failed":
        log = _("In the filter's dialog, Backend… > Show log tells more.")
        return f"{log} {_mending(installation())}"
    others = (_(has) for command, has in INSTEAD.items() if command in fault.remedy)
    return next(others, in_own_language(fault.remedy))
