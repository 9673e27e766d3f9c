"""``nightflash serve``, ``status``, ``stop`` and ``logs``: the persistent backend."""

from __future__ import annotations

import argparse
import contextlib
import json
from typing import Any

from nightflash.commands import streams
from nightflash.commands.networks import add_networks
from nightflash.commands.results import is_folder
from nightflash.errors import NightFlashError

NONE_RUNS = 3
LINES = 200


def add(commands: Any) -> None:
    """Add the commands to argparse's ``commands``."""
    serve = commands.add_parser(
        "serve", help="run the backend until it is stopped", allow_abbrev=False
    )
    add_networks(serve)
    for name, unit, default, text in (
        ("--release-after", "MINUTES", 10, "without work until the GPU's memory is given back"),
        ("--exit-after", "HOURS", None, "without a request until the backend ends"),
        ("--upload-memory", "MB", 4096, "for the pictures that clients send"),
        ("--remote-memory", "MB", 1024, "for the pictures of each client from elsewhere"),
    ):
        serve.add_argument(
            name, metavar=unit, type=positive, default=default, help=f"{unit.lower()} {text}"
        )
    serve.add_argument(
        "--tcp", action="store_true", help="open a port of this machine too, for those with the key"
    )
    serve.add_argument(
        "--listen",
        metavar="ADDRESS",
        default="",
        help="let other machines in, by tcp://ADDRESS:PORT; see: nightflash remote",
    )
    for name, text in (
        ("--remote-clients", "clients from elsewhere at once"),
        ("--remote-jobs", "requests of each at once"),
    ):
        serve.add_argument(name, metavar="N", type=whole, default=8, help=text)
    serve.set_defaults(run=_serve)
    status = commands.add_parser(
        "status", help="say whether a backend runs, and how it is", allow_abbrev=False
    )
    status.add_argument("--json", action="store_true", help="as one JSON object")
    status.set_defaults(run=_status)
    commands.add_parser("stop", help="end the backend", allow_abbrev=False).set_defaults(run=_stop)
    logs = commands.add_parser("logs", help="print the log of the backend", allow_abbrev=False)
    logs.set_defaults(run=_logs)


def positive(text: str) -> float:
    """Read a number above 0 for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return number


def whole(text: str) -> int:
    """Read a whole number above 0 for argparse."""
    if not text.isdecimal() or not 0 < int(text) < 10**6:
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def _serve(options: argparse.Namespace) -> int:
    from nightflash.client.remotes import check_address
    from nightflash.server.lifecycle import Service, serve

    if options.weights is not None and not is_folder(options.weights):
        raise NightFlashError(f"There is no folder {options.weights} of network files.")
    hours = float("inf") if options.listen else 8.0
    return serve(
        Service(
            networks=options.networks,
            weights=options.weights,
            device=options.device,
            release_after=options.release_after,
            exit_after=options.exit_after or hours,
            upload_memory=options.upload_memory,
            tcp=options.tcp,
            listen=check_address(options.listen, least=0) if options.listen else "",
            remote_clients=options.remote_clients,
            remote_jobs=options.remote_jobs,
            remote_memory=options.remote_memory,
        ),
        report=streams.print_output,
    )


def _status(options: argparse.Namespace) -> int:
    from nightflash.client.client import Client

    try:
        with Client(command=None) as client:
            state = client.ask("status")
    except NightFlashError as fault:
        if fault.code != "no_backend":
            raise
        streams.print_output("{}" if options.json else "No backend runs.")
        return NONE_RUNS
    fields = {key: value for key, value in state.items() if key not in ("v", "id", "reply")}
    streams.print_output(json.dumps(fields) if options.json else _in_words(fields))
    return 0


def _in_words(state: dict[str, Any]) -> str:
    networks = ", ".join(dict.fromkeys(state["networks"].values())) or "none yet"
    return (
        f"The backend runs (process {state['pid']}, version {state['version']}): "
        f"{state['state']}, device {state['device'] or 'not chosen yet'}, networks {networks}, "
        f"{state['jobs']} requests at work, {state['uploads']} pictures"
        f" ({state['upload_bytes'] / 2**20:.0f} MB). {state['fault']}"
    ).rstrip()


def _stop(options: argparse.Namespace) -> int:
    from nightflash.client.client import DIALOG_SILENCE, Client
    from nightflash.client.connection import Connection, runtime_folder
    from nightflash.client.ending import end_backend
    from nightflash.client.holder import backend_runs, holders

    if not holders():
        if backend_runs():
            raise NightFlashError(
                "A backend runs, and the system does not tell its process.", "End it by hand."
            )
        streams.print_output("No backend runs.")
        return 0
    with contextlib.suppress(NightFlashError), Client(None, silence=DIALOG_SILENCE) as client:
        client.ask("shutdown")
    killed = end_backend()
    if not killed:
        streams.print_output("The backend has ended.")
        return 0
    for path in (Connection.path(), *runtime_folder().glob("*.ipc")):
        with contextlib.suppress(OSError):
            path.unlink()
    which = ", ".join(map(str, sorted(killed)))
    streams.print_output(f"The backend did not answer and was ended (process {which}).")
    return 0


def _logs(options: argparse.Namespace) -> int:
    from nightflash.client.connection import crash_file, log_file

    printed = False
    for path in (log_file(), crash_file()):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise NightFlashError(f"{path} cannot be read: {error.strerror}.") from error
        if lines:
            streams.print_output("\n".join([f"{path}:", *lines[-LINES:]]))
            printed = True
    if not printed:
        streams.print_output(f"No backend has run yet; its log will be {log_file()}.")
    return 0
