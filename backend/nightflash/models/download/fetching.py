"""Fetching files of weights so that what lies in the folder afterwards is whole, or was before."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch
from filelock import FileLock, Timeout

from nightflash.errors import NightFlashError
from nightflash.models.descriptor import NetworkDescriptor
from nightflash.models.download.hindrances import Hand, Interrupted, Patience, host_of
from nightflash.models.download.incoming import Incoming, set_aside
from nightflash.models.download.server import Remote
from nightflash.models.download.sources import FAILED, UNREACHED, Failed, Progress, Report, ignore
from nightflash.models.weights import NOTE, WeightsFile, state

MIRROR_VARIABLE = "NIGHTFLASH_MIRROR"
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class Told(TypedDict, total=False):
    """What is told of a download meanwhile, and how patient it is.

    Attributes:
        progress: Called with the bytes there are, and that there will be; stops by raising.
        report: Given a sentence on every hindrance that is overcome.
        patience: How long to wait for a server, and how often to try.
    """

    progress: Progress
    report: Report
    patience: Patience


def whole(descriptor: NetworkDescriptor[Any], folder: Path) -> Path | None:
    """Return the file in ``folder`` that a network is read from, or None where it is not whole."""
    file = descriptor.present(folder)
    with suppress(OSError):  # `download` finds the same and says so
        if file is not None and _is_whole(file, folder):
            return folder / file.name
    return None


def fetch(
    descriptor: NetworkDescriptor[Any],
    folder: Path,
    mirror: str | None = None,
    *,
    without: Collection[str] = (),
    **told: Unpack[Told],
) -> Path | None:
    """Have the weights of a network in ``folder``: the first of its files that can be had.

    Args:
        descriptor: The network.
        folder, told: See `download`.
        mirror: See `download`; without it, what NIGHTFLASH_MIRROR names.
        without: Names of files that are known to be out of reach.

    Returns:
        The file, or None for a network that needs none.

    Raises:
        NightFlashError: See `download`; of several files, the fault of the last.
    """
    if (there := whole(descriptor, folder)) is not None:
        return there
    mirror = mirror or os.environ.get(MIRROR_VARIABLE) or None
    report = told.get("report", ignore)
    files = [file for file in descriptor.files if file.name not in without]
    for file in files:
        try:
            path = download(file, folder, mirror, **told)
        except NightFlashError as fault:
            if fault.code not in (FAILED, UNREACHED) or file is files[-1]:
                raise
            report(f"{fault.sentence} Fetching another file with the same weights instead.")
        else:
            if not file.sha256 and file.cut is None:
                _check_contents(path, descriptor)
            _clear_before(path, descriptor, report)
            return path
    return None


def download(
    file: WeightsFile, folder: Path, mirror: str | None = None, **told: Unpack[Told]
) -> Path:
    """Have one file in ``folder``, whole; nothing is fetched where it is there.

    Whoever else downloads it at the same time is waited for. A download that ends midway is gone
    on with by the next one, where the file's sha256 was published.

    Args:
        file: What to fetch.
        folder: Where to; made where it is not there.
        mirror: Address or folder that has the file under its name, or in the case of a cut the
            file that it is cut from; None for where it was published.
        told: See `Told`.

    Returns:
        The file.

    Raises:
        NightFlashError: ``no_network``, ``download_failed``, ``no_space``, or ``bad_output`` where
            nothing can be written in the folder.
    """
    path, report = folder / file.name, told.get("report", ignore)
    try:
        if _is_whole(file, folder):
            return path
        if path.exists() and not path.is_file():
            raise IsADirectoryError(errno.EISDIR, "something else stands there", str(path))
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(path, report):
            if not _is_whole(file, folder):  # nor has the one waited for brought it
                if path.exists():
                    report(f"{path} is damaged or unknown, and stays until a whole one is there.")
                Incoming(file, path, mirror, **told).run()
    except OSError as fault:
        raise _unwritable(fault, path) from fault
    return path


def out_of_reach(files: Iterable[WeightsFile], mirror: str, seconds: float) -> dict[str, str]:
    """Ask every host for the first byte of one file, all of them at the same time.

    A firewall that swallows what is sent would hold a set-up for each host behind it.

    Args:
        files: What is to be fetched. Of each host the first is asked for, wherever that leads.
        mirror: Address that has them all; empty for where they were published.
        seconds: How long to wait for the answers, in all.

    Returns:
        Names of the files that cannot be had, and their hosts, with ports: hosts that cannot be
        reached, or give nothing in time. One that refuses or lacks a file is none of them.
    """
    places: dict[str, str] = {}
    answers: dict[str, Future[None]] = {}
    for file in files:
        source = None if mirror else file.bring
        url = mirror or file.url
        place = places[file.name] = source.name if source else host_of(url)
        if place not in answers:
            ask = partial(source.ask, seconds) if source else partial(_ask, url, seconds)
            with Hand() as hand:
                answers[place] = hand.begin(ask)
    wait(answers.values(), seconds)
    silent = {place for place, answer in answers.items() if not answer.done() or _lost(answer)}
    return {name: place for name, place in places.items() if place in silent}


@contextmanager
def _alone(path: Path, report: Report) -> Iterator[None]:
    """Keep others from downloading to ``path``, processes as well as threads."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        report(f"{path.name} is being downloaded already; waiting for that to end.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _is_whole(file: WeightsFile, folder: Path) -> bool:
    return state(file, folder) in ("published", "noted")


def _check_contents(path: Path, descriptor: NetworkDescriptor[Any]) -> None:
    """Read a file whose hash nobody published as the network it shall be."""
    try:
        descriptor.load(path, torch.device("cpu"))
    except NightFlashError as fault:
        for spoilt in (path, path.with_name(path.name + NOTE)):
            spoilt.unlink(missing_ok=True)
        raise Failed(
            f"What came for {path.name} is not that: {fault.sentence}",
            "Try again later, or fetch it from a mirror with --from.",
        ) from fault


def _clear_before(path: Path, descriptor: NetworkDescriptor[Any], report: Report) -> None:
    """Set the damaged files aside that would be taken before ``path``, which serves as well."""
    for file in descriptor.files:
        other = path.with_name(file.name)
        if other == path:
            break
        try:
            if other.exists():
                set_aside(other, report)
        except OSError as fault:
            raise _unwritable(fault, other) from fault


def _unwritable(fault: OSError, path: Path) -> NightFlashError:
    if fault.errno in FULL:
        return NightFlashError(
            f"The disk of {path.parent} is full, and {path.name} not whole yet.",
            "Make room and download again, or name a folder on another disk with --weights.",
            code="no_space",
        )
    return NightFlashError(
        f"{path} cannot be written: {fault.strerror or fault}.",
        "Name a folder that takes files with --weights.",
        code="bad_output",
    )


def _ask(url: str, seconds: float) -> None:
    """Have a server answer, or raise what went wrong."""
    patience = Patience(connect=seconds, read=seconds)
    with Remote(url, "a file", patience) as remote, remote.open(0, 1):
        pass


def _lost(answer: Future[None]) -> bool:
    """Whether a host was not reached, rather than that it has nothing for us."""
    fault = answer.exception()
    return isinstance(fault, Interrupted) or (
        isinstance(fault, NightFlashError) and fault.code == UNREACHED
    )
