"""Which servers answer, found out for all of them at the same time.

One after the other, a firewall that swallows what is sent would hold a set-up for as long as there
are hosts behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, wait
from functools import partial

from nightflash.errors import NightFlashError
from nightflash.models.download.deadline import begun
from nightflash.models.download.faults import UNREACHED, Interrupted, host_of
from nightflash.models.download.patience import Patience, Tries
from nightflash.models.download.remote import Remote
from nightflash.models.weights import WeightsFile


def out_of_reach(files: Iterable[WeightsFile], mirror: str, seconds: float) -> dict[str, str]:
    """Ask every host for the first byte of one file, all of them at the same time.

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
        url = mirror or file.url
        source = file.bring if not mirror else None
        places[file.name] = source.name if source else host_of(url)
        if places[file.name] not in answers:
            ask = partial(source.ask, seconds) if source else partial(_ask, url, seconds)
            answers[places[file.name]] = begun(ask)
    wait(answers.values(), seconds)
    silent = {place for place, answer in answers.items() if not answer.done() or _lost(answer)}
    return {name: place for name, place in places.items() if place in silent}


def _lost(answer: Future[None]) -> bool:
    """Whether a host was not reached, rather than that it has nothing for us."""
    fault = answer.exception()
    return isinstance(fault, NightFlashError) and (
        isinstance(fault, Interrupted) or fault.code == UNREACHED
    )


def _ask(url: str, seconds: float) -> None:
    """Have a server answer, or raise what went wrong."""
    patience = Patience(connect=seconds, read=seconds)
    with Remote(url, "a file", Tries(patience, lambda sentence: None)) as remote, remote.open(0, 1):
        pass
