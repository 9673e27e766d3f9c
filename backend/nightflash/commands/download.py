"""``nightflash models download``: the networks that are best on this machine, a set, or by name."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightflash.commands import streams
from nightflash.commands.backend import positive
from nightflash.commands.networks import choices
from nightflash.errors import NightFlashError

if TYPE_CHECKING:
    from nightflash.models.descriptor import NetworkDescriptor
    from nightflash.models.download.sources import Progress, Report
    from nightflash.models.weights import WeightsFile

FAULT = 2
OUT_OF_REACH = 3
INTERRUPTED = 130
SIGN_OF_LIFE = 30.0  # seconds


def add(actions: Any) -> argparse.ArgumentParser:
    """Add the action to argparse's ``actions``; gives its parser."""
    download: argparse.ArgumentParser = actions.add_parser(
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
    download.add_argument(
        "--reach",
        metavar="SECONDS",
        type=positive,
        help="ask all servers at once, tell in one line which of them gave no answer in that time,"
        " do without what they have, and end with 3: for a set-up that nobody watches",
    )
    download.add_argument(
        "--every",
        metavar="SECONDS",
        type=positive,
        default=SIGN_OF_LIFE,
        help="between two lines about progress, where no bar is shown (default: %(default)g)",
    )
    return download


def run(options: argparse.Namespace) -> int:
    """Fetch what is missing of the networks named.

    Gives 0, 2 after a fault, which was printed, 3 where ``--reach`` left something out,
    or 130 after Ctrl-C.
    """
    from nightflash.models.download.fetching import whole
    from nightflash.models.weights import weights_folder

    folder = weights_folder(options.weights)
    wanted = _wanted(options)
    missing = [d for d in wanted if d.files and whole(d, folder) is None]
    for descriptor in (d for d in wanted if d not in missing):
        there = "there already" if descriptor.files else "needs no file"
        streams.print_output(f"{descriptor.name}: {there}.")
    away: Mapping[str, str] = {}
    if options.reach is not None:
        away = _out_of_reach(missing, options.mirror, options.reach)
    near = [d for d in missing if any(file.name not in away for file in d.files)]
    code = 0 if len(near) == len(missing) else OUT_OF_REACH
    return _fetch(near, folder, options.mirror, away, options.every) or code


def _wanted(options: argparse.Namespace) -> list[NetworkDescriptor[Any]]:
    """The networks that the words name, each once."""
    from nightflash.models.device import capacity, choose_device
    from nightflash.models.recommendation import recommended
    from nightflash.models.registry import NETWORKS

    room = capacity(choose_device(options.device))
    wanted: dict[str, NetworkDescriptor[Any]] = {}
    for choice in choices(options.words):
        named = [NETWORKS[name] for name in choice.named.values()]
        for descriptor in named or recommended(choice.network_set, room):
            wanted[descriptor.name] = descriptor
    if not wanted:
        raise NightFlashError(
            "No network of that set suits this machine.",
            "Name the one you want; 'nightflash models list' tells of all.",
            code="networks_missing",
        )
    return list(wanted.values())


def _out_of_reach(
    missing: Sequence[NetworkDescriptor[Any]], mirror: str | None, seconds: float
) -> Mapping[str, str]:
    """Files that cannot be had, with their hosts; prints the networks that cannot therefore."""
    from nightflash.models.download.fetching import MIRROR_VARIABLE, out_of_reach

    mirror = mirror or os.environ.get(MIRROR_VARIABLE) or ""
    if mirror and "://" not in mirror:
        return {}
    away = out_of_reach([file for d in missing for file in d.files], mirror, seconds)
    far = [d for d in missing if all(file.name in away for file in d.files)]
    if far:
        hosts = _listed(away[file.name] for descriptor in far for file in descriptor.files)
        streams.print_error(
            f"nightflash: {hosts} could not be reached for {_listed(d.name for d in far)}: the"
            " built-in networks do that work; `bash install/run.sh --download auto` tries again."
        )
    return away


def _listed(words: Iterable[str]) -> str:
    """ "a", "a and b", or "a, b and c"; each word once."""
    *others, last = dict.fromkeys(words)
    return f"{', '.join(others)} and {last}" if others else last


def _fetch(
    missing: Sequence[NetworkDescriptor[Any]],
    folder: Path,
    mirror: str | None,
    away: Mapping[str, str],
    every: float,
) -> int:
    """Download networks, each whatever happens to the others; gives the exit code."""
    from nightflash.models.download.fetching import fetch
    from nightflash.models.download.incoming import PART

    if missing:
        total = sum(_first(descriptor, away).bytes for descriptor in missing) / 1e6
        count = f"{len(missing)} network{'s' if len(missing) > 1 else ''}"
        streams.print_output(f"{count} to download, {total:.1f} MB in all, into {folder}.")
    code, fetched = 0, False
    for descriptor in missing:
        name = descriptor.name
        try:
            with _shown(name, every) as (progress, report):
                path = fetch(
                    descriptor, folder, mirror, without=away, progress=progress, report=report
                )
            streams.print_output(
                f"{name}: {path}. Licence: {descriptor.terms(descriptor.present(folder))}."
            )
            fetched = True
        except NightFlashError as fault:
            streams.print_error(f"nightflash: {name}: {fault}")
            code = FAULT
        except KeyboardInterrupt:
            parts = [folder / f"{file.name}{PART}" for file in descriptor.files]
            kept = any(part.exists() for part in parts)
            rest = "the next download goes on from here" if kept else "nothing half-written is left"
            streams.print_error(f"nightflash: stopped; {rest}.")
            return INTERRUPTED
    if fetched:
        _renew_backend()
    return code


def _first(descriptor: NetworkDescriptor[Any], away: Mapping[str, str]) -> WeightsFile:
    """The file of a network that is fetched first."""
    return next(file for file in descriptor.files if file.name not in away)


def _renew_backend() -> None:
    """End a backend that is idle: the one that the next request starts takes the new networks."""
    from nightflash.client.client import DIALOG_SILENCE, Client
    from nightflash.client.ending import end_backend
    from nightflash.client.holder import backend_runs

    idle = False
    with suppress(NightFlashError):
        if not backend_runs():
            return
        with Client(command=None, silence=DIALOG_SILENCE) as client:
            idle = client.ask("status")["jobs"] == 0
            if idle:
                client.ask("shutdown")  # whose reply its end may overtake
    if idle:
        end_backend()
        streams.print_output("The backend was ended; the next one takes the new networks.")
    else:
        streams.print_output(
            "A backend is at work: 'nightflash stop' lets the next one take the new networks."
        )


@contextmanager
def _shown(name: str, every: float) -> Iterator[tuple[Progress, Report]]:
    """What shows progress, as a bar on a terminal or now and then in a line, and sentences."""
    if not sys.stderr.isatty():
        last = time.monotonic()

        def remark(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= every:
                streams.print_error(f"{name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")
                last = time.monotonic()

        yield remark, lambda text: streams.print_error(f"{name}: {text}")
        return
    from tqdm import tqdm

    with tqdm(desc=name, unit="B", unit_scale=True, leave=False) as bar:

        def advance(done: int, total: int) -> None:
            bar.update(done - bar.n)
            if bar.total != total:
                bar.total = total
                bar.refresh()

        yield advance, lambda text: tqdm.write(f"{name}: {text}", file=sys.stderr)
