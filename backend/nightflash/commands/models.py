"""``nightflash models``: which networks there are, and whether they are whole."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightflash.commands import download, streams
from nightflash.commands.networks import add_device, choices
from nightflash.errors import NightFlashError

if TYPE_CHECKING:
    from nightflash.models.descriptor import NetworkDescriptor

FAULT = 2
DAMAGED = 1
INTERRUPTED = 130
HEADINGS = {
    "depth": "Depth",
    "subject": "The main object",
    "detector": "Single objects",
    "features": "Content of the photo",
}


def add(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    models = commands.add_parser(
        "models", help="list, download and check the networks", allow_abbrev=False
    )
    actions = models.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser(
        "list", help="tell of every network, * marks what auto takes", allow_abbrev=False
    )
    listing.add_argument("--json", action="store_true", help="as one JSON array")
    downloading = download.add(actions)
    verify = actions.add_parser(
        "verify", help="check that the network files present are whole", allow_abbrev=False
    )
    verify.add_argument("words", nargs="*", metavar="SET|NAME", help="all, the default")
    path = actions.add_parser("path", help="print the folder of network files", allow_abbrev=False)
    runs = {listing: _list, downloading: download.run, verify: _verify, path: _path}
    for parser, run in runs.items():
        parser.add_argument("--weights", metavar="DIR", type=Path, help="folder of network files")
        parser.set_defaults(run=run)
    for parser in (listing, downloading):
        add_device(parser)


def _list(options: argparse.Namespace) -> int:
    from nightflash.models.choice import Choice
    from nightflash.models.chosen import Chosen
    from nightflash.models.device import capacity, choose_device
    from nightflash.models.recommendation import recommended
    from nightflash.models.registry import NETWORKS
    from nightflash.models.weights import weights_folder

    folder, auto = weights_folder(options.weights), Choice.of("auto")
    room = capacity(choose_device(options.device))
    chosen = Chosen.of(auto, folder, room).by_role
    names = {descriptor.name for networks in chosen.values() for descriptor in networks}
    rows = [_row(descriptor, folder, descriptor.name in names) for descriptor in NETWORKS.values()]
    if options.json:
        streams.print_output(json.dumps(rows, indent=1))
        return 0
    best = {d.name for d in recommended("auto", room)}
    for role, heading in HEADINGS.items():
        streams.print_output(heading)
        for row in (row for row in rows if row["role"] == role):
            size = f"{row['bytes'] / 1e6:.1f} MB, " if row["bytes"] else ""
            advice = ", the best here" if row["name"] in best else ""
            mark = "*" if row["auto"] else " "
            streams.print_output(
                f"{mark} {row['name']:31} {row['set']:9} {row['state']}{advice}"
                f"\n      {row['title']}\n      {size}licence: {row['licence']}"
            )
    streams.print_output(f"* is taken unless --networks says otherwise. The files lie in {folder}.")
    if any(row["name"] in best and row["state"] == "absent" for row in rows):
        streams.print_output("'nightflash models download' fetches the best for this machine.")
    return 0


def _row(descriptor: NetworkDescriptor[Any], folder: Path, auto: bool) -> dict[str, Any]:
    """What is known of a network, without reading its file."""
    file = descriptor.present(folder) or next(iter(descriptor.files), None)
    return {
        "name": descriptor.name,
        "set": descriptor.network_set,
        "role": descriptor.role,
        "state": _seen(descriptor, folder),
        "auto": auto,
        "bytes": file.bytes if file else 0,
        "file": file.name if file else None,
        "title": descriptor.title,
        "licence": descriptor.terms(file),
        "source": descriptor.source,
    }


def _seen(descriptor: NetworkDescriptor[Any], folder: Path) -> str:
    """State of a network by the length of its file and the note beside it."""
    from nightflash.models.weights import noted_sha256

    file = descriptor.present(folder)
    if file is None:
        return "absent" if descriptor.files else "built in"
    noted = noted_sha256(folder / file.name)
    if noted is None:
        fits = file.may_have((folder / file.name).stat().st_size)
        return "present" if fits else "damaged"
    return "present" if noted.startswith(file.sha256) else "own"


def _verify(options: argparse.Namespace) -> int:
    from nightflash.models.registry import NETWORKS
    from nightflash.models.weights import state, weights_folder

    folder = weights_folder(options.weights)
    code, looked = 0, False
    for name, named in _to_verify(options.words).items():
        descriptor = NETWORKS[name]
        present = descriptor.present(folder)
        for file in (present,) if present else descriptor.files[: int(named)]:
            try:
                found = state(file, folder)
                text = {"published": "ok", "noted": "own" if file.sha256 else "ok"}.get(
                    found, found
                )
                if found == "unverified":
                    text = _by_contents(descriptor, folder / file.name)
            except OSError as fault:
                text = f"unreadable ({fault.strerror})"
            looked = True
            sound = text in ("ok", "own")
            remedy = "" if sound else f" Fetch it with 'nightflash models download {name}'."
            code = code if sound else DAMAGED
            streams.print_output(f"{text:8} {name}: {folder / file.name}{remedy}")
    if not looked:
        streams.print_output(f"There are no network files in {folder}.")
    return code


def _by_contents(descriptor: NetworkDescriptor[Any], path: Path) -> str:
    """Judge a file of unknown hash by whether it holds the network."""
    import torch

    try:
        descriptor.load(path, torch.device("cpu"))
    except NightFlashError:
        return "damaged"
    return "ok"


def _path(options: argparse.Namespace) -> int:
    from nightflash.models.weights import weights_folder

    streams.print_output(str(weights_folder(options.weights)))
    return 0


def _to_verify(words: Sequence[str]) -> dict[str, bool]:
    """Names of networks, and whether each must be there."""
    from nightflash.models.registry import NETWORKS

    names: dict[str, bool] = {}
    for choice in choices(words):
        for name in choice.named.values() or NETWORKS:
            if choice.named or choice.network_set in ("auto", NETWORKS[name].network_set):
                names[name] = bool(choice.named)
    return names
