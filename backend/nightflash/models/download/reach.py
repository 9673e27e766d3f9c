"""Which servers answer, found out for all of them at the same time.

One after the other, a firewall that swallows what is sent would hold a set-up for as long as there
are hosts behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import wait
from functools import partial

from nightflash.models.download.deadline import begun
from nightflash.models.download.faults import Interrupted, host_of
from nightflash.models.download.patience import Patience, Tries
from nightflash.models.download.remote import Remote


def silent_hosts(urls: Iterable[str], seconds: float) -> set[str]:
    """Ask every host for the first byte of one file, all of them at the same time.

    Args:
        urls: Addresses of files. Of each host the first is asked for, wherever that leads.
        seconds: How long to wait for the answers, in all.

    Returns:
        Hosts, with their ports, that cannot be reached, or give nothing in time. One that refuses
        a file or does not have it is none of them.
    """
    asked: dict[str, str] = {}
    for url in urls:
        asked.setdefault(host_of(url), url)
    answers = {host: begun(partial(_ask, url, seconds)) for host, url in asked.items()}
    wait(answers.values(), seconds)
    return {
        host
        for host, answer in answers.items()
        if not answer.done() or isinstance(answer.exception(), Interrupted)
    }


def _ask(url: str, seconds: float) -> None:
    """Have a server answer, or raise what went wrong."""
    patience = Patience(connect=seconds, read=seconds)
    with Remote(url, "a file", Tries(patience, lambda sentence: None)) as remote, remote.open(0, 1):
        pass
