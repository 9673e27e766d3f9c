"""What hinders a download: how long it waits for a server, and why nothing came, in a sentence."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, Self, TypeVar

import requests
import urllib3
from requests.exceptions import InvalidProxyURL, InvalidSchema

from nightflash.models.download.sources import ELSEWHERE, FAILED, UNREACHED, Absent, Failed

PROXY_ERRORS = (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)
FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, ValueError)
"""What requests and urllib3 raise where a request or its answer goes wrong."""

ONLINE = f"Check that this machine is online and no firewall in between. {ELSEWHERE}"
TRY_LATER = "Try again later; what has come is kept where it can be gone on with."

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long a download waits for what, in seconds, and how often it tries."""

    connect: float = 15.0  # for a connection
    read: float = 30.0  # for the next byte
    tries: int = 6  # failures in a row after which it gives up
    calls: int = 3  # the same where the host is not even reached
    pause: float = 1.0  # after the first failure; doubled with every further one
    longest_pause: float = 30.0  # where the doubling ends, also if the server asks for more
    floor: float = 1024.0  # bytes per second; a server slower than that is left
    window: float = 30.0  # over which the speed is taken
    sleep: Callable[[float], None] = time.sleep

    @property
    def longest_wait(self) -> float:
        """For an answer, or for more of one, whatever trickles in meanwhile."""
        return self.connect + self.read + self.window


PATIENT = Patience()


class Hand:
    """A thread that does one thing after another for somebody who waits for each only so long.

    A time-out of a socket begins anew with every byte, so a server that drips headers or the frame
    around a body could hold its reader for days. This one can be left, and keeps no process from
    ending. A context manager, behind which it does nothing more.
    """

    def __init__(self) -> None:
        self._orders: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        Thread(target=self._work, daemon=True).start()

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """Have ``work`` done after what was begun before."""
        outcome: Future[T] = Future()
        self._orders.put((work, outcome))
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._orders.put(None)

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            work, outcome = order
            try:
                outcome.set_result(work())
            except BaseException as fault:  # whoever waits gets it
                outcome.set_exception(fault)


class Interrupted(Failed):
    """What may go better at the next try, after as many seconds as the server asks to ``wait``."""

    def __init__(
        self, sentence: str, remedy: str = TRY_LATER, *, code: str = FAILED, wait: float = 0.0
    ) -> None:
        super().__init__(sentence, remedy, code=code)
        self.wait = wait


class RangesRefused(Failed):
    """The server does not send the part of a file that was asked for."""


class Changed(RangesRefused):
    """The file on the server is another one than that of which parts have come."""


def public(url: str) -> str:
    """An address without what may be a password in it, its query and its fragment."""
    return re.split("[?#]", re.sub(r"^([a-zA-Z][\w+.-]*://)?[^/]*@", r"\1", url))[0]


def host_of(url: str) -> str:
    """Host and port of an address; all of it but a password where it is no proper one."""
    found = re.match(r"[a-zA-Z][\w+.-]*://([^/]+)", public(url))
    return found[1] if found else public(url)


def refusal(status: int, url: str, name: str, retry_after: str = "") -> Failed:
    """Say what an answer with ``status`` means, none of those that bring the file."""
    host = host_of(url)
    if status in (404, 410):
        return Absent(
            f"{host} has no {name} (status {status}).",
            f"A newer NightFlash may know where it is now. {ELSEWHERE}",
        )
    if status in (401, 403, 451):
        return Failed(
            f"{host} does not give {name} out (status {status}).",
            f"A filter may be in the way. {ELSEWHERE}",
        )
    if status == 407:
        return _proxy_wants_password(host)
    if status in (408, 425, 429) or status >= 500:
        wait = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
        return Interrupted(f"{host} cannot send {name} now (status {status}).", wait=wait)
    return Failed(f"{host} answered to the request for {name} with the status {status}.")


def unreached(fault: Exception, url: str, name: str) -> Failed:
    """Say what went wrong on the way to ``url`` or on the way back, fetching the file ``name``."""
    host = host_of(url)
    if isinstance(fault, PROXY_ERRORS):
        if "407 " in str(fault):
            return _proxy_wants_password(host)
        return Interrupted(
            f"The proxy on the way to {host} cannot be reached or does not let {name} through.",
            "Check the environment variables HTTPS_PROXY and HTTP_PROXY.",
            code=UNREACHED,
        )
    if isinstance(fault, InvalidSchema) and "SOCKS" in str(fault):
        return Failed(
            f"The SOCKS proxy on the way to {host} needs the Python package PySocks.",
            "Install it, or name an HTTP proxy in HTTPS_PROXY.",
        )
    if isinstance(fault, InvalidProxyURL):
        return Failed(
            "The environment names a proxy whose address cannot be understood.",
            "Look at the variables HTTPS_PROXY, HTTP_PROXY and ALL_PROXY.",
        )
    if isinstance(fault, ValueError):  # as all that requests raises of addresses is
        return Failed(
            f"{public(url)} is no address that {name} can be fetched from.",
            "Name a folder or an address that begins with https:// or http://.",
        )
    return _broken_off(fault, host, name)


def _broken_off(fault: Exception, host: str, name: str) -> Failed:
    """Say what kept a connection from coming about, or ended it."""
    causes = tuple(_causes(fault))

    def is_one_of(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if type(fault) is OSError:
        return Failed(
            f"No secure connection to {host} can be made here: {fault}.",
            "Install the system's certificates (the package ca-certificates), or let"
            " REQUESTS_CA_BUNDLE name the file of them.",
        )
    if is_one_of(ssl.SSLCertVerificationError):
        return Failed(
            f"The certificate that came for {host} is not trusted.",
            "Check this machine's clock; where a company's proxy looks into connections, let"
            " REQUESTS_CA_BUNDLE name the file of its certificates.",
        )
    if is_one_of(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        return Interrupted(f"No secure connection to {host} came about.", code=UNREACHED)
    if is_one_of(urllib3.exceptions.NameResolutionError):
        return Interrupted(f"{host} cannot be found to fetch {name}.", ONLINE, code=UNREACHED)
    if is_one_of(urllib3.exceptions.NewConnectionError):
        return Interrupted(f"{host} cannot be reached to fetch {name}.", ONLINE, code=UNREACHED)
    if is_one_of(requests.Timeout, urllib3.exceptions.TimeoutError):
        return Interrupted(f"{host} left {name} waiting for too long.")
    return Interrupted(f"The connection to {host} broke off while it sent {name}.")


def _proxy_wants_password(host: str) -> Failed:
    return Failed(
        f"The proxy on the way to {host} wants a name and a password.",
        "Give them in HTTPS_PROXY, as in http://NAME:PASSWORD@HOST:PORT.",
    )


def _causes(fault: object) -> Iterator[BaseException]:
    """The fault and what it was made from, in the two ways in which requests and urllib3 tell."""
    while isinstance(fault, BaseException):
        yield fault
        fault = getattr(fault, "reason", None) or next(iter(fault.args), None)
