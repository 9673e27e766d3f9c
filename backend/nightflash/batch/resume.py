"""What of a batch is done already: by its report, by what is there, and by what has changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from nightflash.batch.order import Entry, Order, Tools, fault_of
from nightflash.batch.places import at_hand, is_url, sha256, store_of
from nightflash.errors import NightFlashError

BESIDE = re.compile(r"^\.[0-9a-f]{16}\.\w+$")
"""Names of what ``written_whole`` writes beside the file it makes."""


def done_by(entries: Iterable[Entry], orders: Sequence[Order], tools: Tools) -> set[str]:
    """The results that are done: as the report says, there, and of what has not changed since.

    Args:
        entries: Of the report.
        orders: All that is wanted.
        tools: With which it is made.
    """
    wanted = {order.out: order for order in orders}
    there, done = _Places(), set[str]()
    for entry in entries:
        order = wanted.get(entry["out"])
        if order is not None and _is_done(order, entry, tools) and order.out in there:
            done.add(order.out)
    return done


def sweep(folders: Iterable[Path]) -> None:
    """Remove what a process that was killed has left half-written in folders of results."""
    for folder in folders:
        if folder.is_dir():
            for file in folder.iterdir():
                if BESIDE.match(file.name):
                    file.unlink(missing_ok=True)


def _is_done(order: Order, entry: Entry, tools: Tools) -> bool:
    # With these types mypy sees a misspelt key, of which `get` would give an object.
    wish: str | None = entry.get("wish")
    version: str | None = entry.get("photo_version")
    content: str | None = entry.get("photo_sha256")
    if fault_of(entry) is not None or wish != order.wish(tools) or order.photo != entry["photo"]:
        return False
    if order.version and order.version == version:
        return True
    try:
        with at_hand(order.photo) as file:
            return sha256(file) == content
    except (NightFlashError, OSError):
        return False


class _Places:
    """Whether nights are there; stores behind URLs are asked once for each folder."""

    def __init__(self) -> None:
        self._listed: dict[str, set[str]] = {}

    def __contains__(self, place: str) -> bool:
        if not is_url(place):
            return Path(place).is_file()
        folder = place.rpartition("/")[0]
        if folder not in self._listed:
            system, path = store_of(folder)
            found = system.find(path, maxdepth=1) if system.exists(path) else []
            self._listed[folder] = {system.unstrip_protocol(one) for one in found}
        return place in self._listed[folder]
