"""``nightflash remote``: backends on other machines, and who from there is let in here."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import sys
import time
from typing import Any

from nightflash.commands import streams
from nightflash.commands.backend import positive
from nightflash.errors import NightFlashError

OUTSIDE = "192.0.2.1"  # of RFC 5737's for documents: nothing is sent there
ANY = ("0.0.0.0", "[::]")
TEST_SIDE = 512  # pixels of the square that tries a line


def add(commands: Any) -> None:
    """Add the commands to argparse's ``commands``."""
    remote = commands.add_parser(
        "remote", help="use a backend on another machine, or let others use this one"
    )
    parts = remote.add_subparsers(required=True, metavar="COMMAND")
    invite = parts.add_parser(
        "invite", help="on the server: print a code that lets one client in", allow_abbrev=False
    )
    invite.add_argument("--name", default="", help="of the client; else its machine's")
    invite.add_argument(
        "--minutes", metavar="N", type=positive, default=15.0, help="that the code holds (15)"
    )
    invite.add_argument(
        "--address", default="", help="tcp://HOST:PORT by which the client finds this machine"
    )
    invite.set_defaults(run=_invite)
    clients = parts.add_parser(
        "clients", help="on the server: list those who are let in", allow_abbrev=False
    )
    clients.add_argument("--remove", metavar="NAME", help="let this one in no more")
    clients.set_defaults(run=_clients)
    enrol = parts.add_parser("add", help="take an invitation", allow_abbrev=False)
    enrol.add_argument(
        "code", help="what 'nightflash remote invite' printed on the server; - reads it"
    )
    enrol.add_argument("--name", help="to call the server by; else its address")
    enrol.set_defaults(run=_add)
    parts.add_parser("list", help="list the remotes", allow_abbrev=False).set_defaults(run=_list)
    remove = parts.add_parser("remove", help="forget a remote and its keys", allow_abbrev=False)
    remove.set_defaults(run=_remove)
    test = parts.add_parser(
        "test", help="see how a remote and the line to it do", allow_abbrev=False
    )
    test.add_argument("--json", action="store_true", help="as one JSON object")
    test.set_defaults(run=_test)
    for parser in (remove, test):
        parser.add_argument("name", help="of the remote")


def _invite(options: argparse.Namespace) -> int:
    from nightflash.client.remotes import check_address, check_name
    from nightflash.server.admission import Admission

    admission = Admission()
    listening = admission.address
    if not listening:
        raise NightFlashError(
            "No backend of yours has listened for other machines yet.",
            "Start one: nightflash serve --listen tcp://0.0.0.0:5577",
        )
    address = check_address(options.address or _seen_from_outside(listening))
    name = check_name(options.name) if options.name else ""
    invitation = admission.invite(name, address, options.minutes * 60)
    streams.print_output(invitation.code)
    streams.print_error(
        f"It holds once, for {options.minutes:g} minutes, where {address} is reached. There, type:"
        " nightflash remote add CODE"
    )
    return 0


def _seen_from_outside(address: str) -> str:
    """An address with which others reach this machine, where it listens at all of its own."""
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    if host not in ANY:
        return address
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((OUTSIDE, 9))
        return f"tcp://{way.getsockname()[0]}:{port}"
    return f"tcp://{socket.gethostname()}:{port}"


def _clients(options: argparse.Namespace) -> int:
    from nightflash.server.admission import Admission

    admission = Admission()
    if options.remove is not None:
        admission.remove(options.remove)
        streams.print_output(f"{options.remove} is let in no more.")
        return 0
    for guest in admission.clients():
        day = time.strftime("%Y-%m-%d", time.localtime(guest.since))
        streams.print_output(f"{guest.name}, since {day}, key {guest.key}")
    return 0


def _add(options: argparse.Namespace) -> int:
    from nightflash.client.client import SCRIPT_SILENCE
    from nightflash.client.invitation import Invitation, enrol
    from nightflash.client.remotes import check_name

    name = check_name(options.name) if options.name else None
    os.umask(0o077)
    code = sys.stdin.readline() if options.code == "-" else options.code
    remote = enrol(Invitation.from_code(code), name, SCRIPT_SILENCE)
    streams.print_output(
        f"{remote.name} at {remote.address} lets this machine in. Try: nightflash remote test"
        f" {remote.name}"
    )
    return 0


def _list(options: argparse.Namespace) -> int:
    from nightflash.client.remotes import remotes

    for remote in remotes().values():
        streams.print_output(f"{remote.name}, {remote.address}, key {remote.server_key}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    from nightflash.client.remotes import forget

    forget(options.name)
    streams.print_output(
        f"{options.name} is forgotten. Its owner may type there: nightflash remote clients --remove"
    )
    return 0


def _test(options: argparse.Namespace) -> int:
    from nightflash.client.client import Client
    from nightflash.client.protocol import Layout, Pixels
    from nightflash.client.remotes import remote_named

    with Client(remote=remote_named(options.name)) as client:
        about = client.connect()
        start = time.perf_counter()
        client.ask("hello")
        answered = time.perf_counter()
        layout = Layout(TEST_SIDE, TEST_SIDE, "u8", 4)
        client.echo(Pixels.cut(layout, os.urandom(layout.bytes)))
        seconds = time.perf_counter() - answered
    found = {
        "milliseconds": round(1000 * (answered - start)),
        "megabits": round(16 * layout.bytes / 1e6 / seconds),
        **{fact: about[fact] for fact in ("version", "state", "device")},
    }
    streams.print_output(
        json.dumps(found)
        if options.json
        else f"{options.name} answers in {found['milliseconds']} ms and passes"
        f" {found['megabits']} Mbit/s: version {found['version']}, {found['state']},"
        f" device {found['device'] or 'not chosen yet'}."
    )
    return 0
