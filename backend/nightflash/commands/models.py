"""``nightflash models``: which networks there are, downloading them, and whether they are whole."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightflash import streams
from nightflash.commands.networks import add_device
from nightflash.errors import NightFlashError

if TYPE_CHECKING:
    from nightflash.models.choice import Choice
    from nightflash.models.descriptor import NetworkDescriptor
    from nightflash.models.download.incoming import Progress, Tell
    from nightflash.models.weights import WeightsFile

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
    download = actions.add_parser(
        "download", help="fetch the networks that are best on this machine", allow_abbrev=False
    )
    download.add_argument(
        "words",
        nargs="*",
        metavar="SET|NAME",
        help="official, lite: the best of a set; or networks by name; auto, the default: the best",
    )
    download.add_argument(
        "--from",
        dest="mirror",
        metavar="URL|DIR",
        help="server or folder that has the files under their names (or NIGHTFLASH_MIRROR)",
    )
    verify = actions.add_parser(
        "verify", help="check that the network files present are whole", allow_abbrev=False
    )
    verify.add_argument("words", nargs="*", metavar="SET|NAME", help="all, the default")
    path = actions.add_parser("path", help="print the folder of network files", allow_abbrev=False)
    for parser, run in ((listing, _list), (download, _download), (verify, _verify), (path, _path)):
        parser.add_argument("--weights", metavar="DIR", type=Path, help="folder of network files")
        parser.set_defaults(run=run)
    for parser in (listing, download):
        add_device(parser)


def _list(options: argparse.Namespace) -> int:
    from nightflash.device import capacity, choose_device
    from nightflash.models.choice import Choice, Chosen
    from nightflash.models.download import recommended
    from nightflash.models.registry import NETWORKS
    from nightflash.models.weights import weights_folder

    folder, auto = weights_folder(options.weights), Choice.of("auto")
    room = capacity(choose_device(options.device))
    names = {descriptor.name for descriptor in Chosen.of(auto, folder, room).by_role.values()}
    rows = [_row(descriptor, folder, descriptor.name in names) for descriptor in NETWORKS.values()]
    if options.json:
        streams.put(json.dumps(rows, indent=1))
        return 0
    best = {d.name for d in recommended("auto", room)}
    for role, heading in HEADINGS.items():
        streams.put(heading)
        for row in (row for row in rows if row["role"] == role):
            size = f"{row['bytes'] / 1e6:.1f} MB, " if row["bytes"] else ""
            advice = ", the best here" if row["name"] in best else ""
            mark = "*" if row["auto"] else " "
            streams.put(
                f"{mark} {row['name']:22} {row['set']:9} {row['state']}{advice}"
                f"\n      {row['title']}\n      {size}licence: {row['licence']}"
            )
    streams.put(f"* is taken unless --networks says otherwise. The files lie in {folder}.")
    if any(row["name"] in best and row["state"] == "absent" for row in rows):
        streams.put("'nightflash models download' fetches the best for this machine.")
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
        "licence": _licence(descriptor, file),
        "source": descriptor.source,
    }


def _licence(descriptor: NetworkDescriptor[Any], file: WeightsFile | None) -> str:
    """Of a network, and of what its file came in."""
    parts = [descriptor.licence, file.licence if file else ""]
    return "; ".join(part for part in parts if part)


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


def _download(options: argparse.Namespace) -> int:
    from nightflash.device import capacity, choose_device
    from nightflash.models.download import fetch, recommended, whole
    from nightflash.models.download.incoming import PART
    from nightflash.models.registry import NETWORKS
    from nightflash.models.weights import weights_folder

    folder = weights_folder(options.weights)
    room = capacity(choose_device(options.device))
    wanted: dict[str, NetworkDescriptor[Any]] = {}
    for choice in _choices(options.words):
        named = [NETWORKS[name] for name in choice.named.values()]
        for descriptor in named or recommended(choice.network_set, room):
            wanted[descriptor.name] = descriptor
    if not wanted:
        raise NightFlashError(
            "No network of that set suits this machine.",
            "Name the one you want; 'nightflash models list' tells of all.",
            code="networks_missing",
        )
    missing = [d for d in wanted.values() if d.files and whole(d, folder) is None]
    total = sum(descriptor.files[0].bytes for descriptor in missing) / 1e6
    if missing:
        count = f"{len(missing)} network{'s' if len(missing) > 1 else ''}"
        streams.put(f"{count} to download, {total:.1f} MB in all, into {folder}.")
    code, fetched = 0, False
    for name, descriptor in wanted.items():
        if descriptor not in missing:
            streams.put(f"{name}: {'there already' if descriptor.files else 'needs no file'}.")
            continue
        try:
            with _shown(name) as (progress, tell):
                path = fetch(descriptor, folder, options.mirror, progress=progress, tell=tell)
            streams.put(f"{name}: {path}. Licence: {descriptor.licence}.")
            fetched = True
        except NightFlashError as fault:
            streams.tell(f"nightflash: {name}: {fault}")
            code = FAULT
        except KeyboardInterrupt:
            parts = [folder / f"{file.name}{PART}" for file in descriptor.files]
            kept = any(part.exists() for part in parts)
            rest = "the next download goes on from here" if kept else "nothing half-written is left"
            streams.tell(f"nightflash: stopped; {rest}.")
            return INTERRUPTED
    if fetched:
        _renew_backend()
    return code


def _renew_backend() -> None:
    """End a backend that is idle: the one that the next request starts takes the new networks."""
    from nightflash.service.client import Client
    from nightflash.service.connection import backend_runs

    if not backend_runs():
        return
    with suppress(NightFlashError), Client(command=None) as client:
        if client.ask("status")["jobs"] == 0:
            client.ask("shutdown")
            streams.put("The backend was ended; the next one takes the new networks.")
            return
    streams.put("A backend is at work: 'nightflash stop' lets the next one take the new networks.")


@contextmanager
def _shown(name: str) -> Iterator[tuple[Progress, Tell]]:
    """What shows progress, as a bar on a terminal, and sentences."""
    if not sys.stderr.isatty():
        yield lambda done, total: None, lambda text: streams.tell(f"{name}: {text}")
        return
    from tqdm import tqdm

    with tqdm(desc=name, unit="B", unit_scale=True, leave=False) as bar:

        def advance(done: int, total: int) -> None:
            bar.update(done - bar.n)
            if bar.total != total:
                bar.total = total
                bar.refresh()

        yield advance, lambda text: tqdm.write(f"{name}: {text}", file=sys.stderr)


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
            streams.put(f"{text:8} {name}: {folder / file.name}{remedy}")
    if not looked:
        streams.put(f"There are no network files in {folder}.")
    return code


def _by_contents(descriptor: NetworkDescriptor[Any], path: Path) -> str:
    """Judge a file whose hash nobody told by whether it holds the network."""
    import torch

    try:
        descriptor.load(path, torch.device("cpu"))
    except NightFlashError:
        return "damaged"
    return "ok"


def _path(options: argparse.Namespace) -> int:
    from nightflash.models.weights import weights_folder

    streams.put(str(weights_folder(options.weights)))
    return 0


def _choices(words: Sequence[str]) -> list[Choice]:
    """Choices of one set or one network each, from words separated by blanks or commas.

    Raises:
        NightFlashError: ``bad_setting`` for a word that is neither.
    """
    from nightflash.models.choice import Choice

    return [Choice.of(word) for text in words or ["auto"] for word in text.split(",")]


def _to_verify(words: Sequence[str]) -> dict[str, bool]:
    """Names of networks, and whether each must be there."""
    from nightflash.models.registry import NETWORKS

    names: dict[str, bool] = {}
    for choice in _choices(words):
        for name in choice.named.values() or NETWORKS:
            if choice.named or choice.network_set in ("auto", NETWORKS[name].network_set):
                names[name] = bool(choice.named)
    return names
