"""Why a server gave nothing, or nothing more, in a sentence that names it."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from requests.exceptions import InvalidProxyURL, InvalidSchema, InvalidURL, MissingSchema

from nightflash.errors import NightFlashError

FAILED = "download_failed"
UNREACHED = "no_network"
FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, ValueError)
"""What requests and urllib3 raise where a request or its answer goes wrong."""

TRY_LATER = "Try again later; what has come is kept where it can be gone on with."
ELSEWHERE = "Fetch the file in another way, and name its folder or server with --from."


class Interrupted(NightFlashError):
    """What may go better at the next try.

    Args:
        sentence, remedy, code: As in `NightFlashError`.
        wait: Seconds that the server asks to be left alone.
    """

    def __init__(
        self, sentence: str, remedy: str = TRY_LATER, *, code: str = FAILED, wait: float = 0.0
    ) -> None:
        super().__init__(sentence, remedy, code=code)
        self.wait = wait


class Absent(NightFlashError):
    """The place has no such file."""


class RangesRefused(NightFlashError):
    """The server does not send the part of a file that was asked for."""


class Changed(RangesRefused):
    """The file on the server is another one than that of which parts have come."""


def host_of(url: str) -> str:
    """Host and port of an address, without a password that may stand in it."""
    with suppress(ValueError):
        return urlsplit(url).netloc.rpartition("@")[2] or _without_password(url)
    return _without_password(url)


def public(url: str) -> str:
    """An address without its password, its query and its fragment."""
    with suppress(ValueError):
        scheme, host, path, _, _ = urlsplit(url)
        return _without_password(urlunsplit((scheme, host.rpartition("@")[2], path, "", "")))
    return _without_password(url)


def _without_password(text: str) -> str:
    """A text that is no proper address, without what may be a password in it."""
    return re.sub(r"^([a-zA-Z][\w+.-]*://)?[^/]*@", r"\1", text)


def unreached(fault: Exception, url: str, name: str) -> NightFlashError:
    """Say what went wrong on the way to ``url`` or on the way back, fetching the file ``name``."""
    host, causes = host_of(url), list(_causes(fault))
    text = " ".join(str(cause) for cause in causes)

    def is_one_of(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if is_one_of(requests.exceptions.ProxyError, urllib3.exceptions.ProxyError):
        if "407 " in text:
            return proxy_wants_password(host)
        return Interrupted(
            f"The proxy on the way to {host} cannot be reached or does not let {name} through.",
            "Check the environment variables HTTPS_PROXY and HTTP_PROXY.",
            code=UNREACHED,
        )
    if is_one_of(InvalidSchema) and "SOCKS" in text:
        return NightFlashError(
            f"The SOCKS proxy on the way to {host} needs the Python package PySocks.",
            "Install it, or name an HTTP proxy in HTTPS_PROXY.",
            code=FAILED,
        )
    if isinstance(fault, InvalidProxyURL):
        return NightFlashError(
            "The environment names a proxy whose address cannot be understood.",
            "Look at the variables HTTPS_PROXY, HTTP_PROXY and ALL_PROXY.",
            code=FAILED,
        )
    if isinstance(fault, (InvalidURL, InvalidSchema, MissingSchema, ValueError)):
        return NightFlashError(
            f"{public(url)} is no address that {name} can be fetched from.",
            "Name a folder or an address that begins with https:// or http://.",
            code=FAILED,
        )
    if is_one_of(ssl.SSLCertVerificationError):
        return NightFlashError(
            f"The certificate that came for {host} is not trusted.",
            "Check this machine's clock; where a company's proxy looks into connections, let"
            " REQUESTS_CA_BUNDLE name the file of its certificates.",
            code=FAILED,
        )
    if is_one_of(ssl.SSLError, requests.exceptions.SSLError):
        return Interrupted(f"No secure connection to {host} came about.", code=UNREACHED)
    if is_one_of(socket.gaierror, urllib3.exceptions.NameResolutionError):
        return Interrupted(
            f"{host} cannot be found to fetch {name}.",
            f"Check that this machine is online. {ELSEWHERE}",
            code=UNREACHED,
        )
    if is_one_of(ConnectionRefusedError, urllib3.exceptions.NewConnectionError):
        return Interrupted(
            f"{host} cannot be reached to fetch {name}.",
            f"Check that this machine is online and no firewall in between. {ELSEWHERE}",
            code=UNREACHED,
        )
    if is_one_of(requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
        return Interrupted(f"{host} left {name} waiting for too long.")
    return Interrupted(f"The connection to {host} broke off while it sent {name}.")


def refusal(status: int, url: str, name: str, retry_after: str = "") -> NightFlashError:
    """Say what an answer with ``status`` means, none of those that bring the file."""
    host = host_of(url)
    if status in (404, 410):
        return Absent(
            f"{host} has no {name} (status {status}).",
            f"A newer NightFlash may know where it is now. {ELSEWHERE}",
            code=FAILED,
        )
    if status in (401, 403, 451):
        return NightFlashError(
            f"{host} does not give {name} out (status {status}).",
            f"A filter may be in the way. {ELSEWHERE}",
            code=FAILED,
        )
    if status == 407:
        return proxy_wants_password(host)
    if status in (408, 425, 429) or status >= 500:
        wait = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
        return Interrupted(f"{host} cannot send {name} now (status {status}).", wait=wait)
    return NightFlashError(
        f"{host} answered to the request for {name} with the status {status}.",
        ELSEWHERE,
        code=FAILED,
    )


def proxy_wants_password(host: str) -> NightFlashError:
    """The fault of a proxy that lets nobody through whom it does not know."""
    return NightFlashError(
        f"The proxy on the way to {host} wants a name and a password.",
        "Give them in HTTPS_PROXY, as in http://NAME:PASSWORD@HOST:PORT.",
        code=FAILED,
    )


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """The fault and all that it was raised from, in whichever way each library keeps that."""
    waiting: list[object] = [fault]
    seen = set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
