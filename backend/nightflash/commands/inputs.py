"""The photos that INPUT... of ``nightflash batch`` mean: files, folders, globs and lists."""

from __future__ import annotations

import csv
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from nightflash.batch.places import is_url, store_of, version_of
from nightflash.commands.results import PICTURES, WRITTEN, WRITTEN_AS
from nightflash.errors import NightFlashError

LISTS = (".txt", ".csv", ".parquet")


@dataclass(frozen=True)
class Found:
    """A photo that is to be made into a night.

    Attributes:
        photo: Its absolute path, or URL.
        place: Where its night goes, below the folder of all results.
        version: Of its content, see ``Order``; empty where it is not there.
        row: What a list says of it: name of the column to value, without empty ones.
        told_by: The list, and where in it.
    """

    photo: str
    place: str
    version: str
    row: dict[str, str] = field(default_factory=dict)
    told_by: str = ""


def find(inputs: Iterable[str], out: str) -> list[Found]:
    """Find photos, in a steady order.

    Folders are gone through to the bottom, hidden files and OUT left out, and mirrored; where
    there are several inputs, each folder keeps its name.

    Args:
        inputs: Paths or URLs of photos, folders and lists, and globs.
        out: The folder of the results.

    Raises:
        NightFlashError: One of them is not there or means no photo, or a list cannot be read.
    """
    inputs = list(inputs)
    results = _whole(out).rstrip("/") + "/"
    found = list[Found]()
    for text in inputs:
        some = list(_of(text, len(inputs) > 1))
        if not f"{_whole(text)}/".startswith(results):  # else that photos are in OUT is told
            some = [one for one in some if not one.photo.startswith(results)]
        if not some:
            raise NightFlashError(f"There is no photo in {text}.", code="bad_photo")
        found += some
    return found


def _of(text: str, several: bool) -> Iterator[Found]:
    system, path = store_of(text)
    suffix = PurePosixPath(path).suffix.lower()
    if system.isdir(path):
        top = posixpath.dirname(path.rstrip("/")) if several else path.rstrip("/")
        yield from _below(system, top, system.find(path, detail=True))
    elif system.exists(path):
        if suffix in LISTS:
            yield from _listed(text, suffix)
        else:
            name = posixpath.basename(path)
            yield Found(_whole(text), night_place(name), version_of(system.info(path)))
    elif any(sign in text for sign in "*?["):
        fixed = path[: min(path.index(sign) for sign in "*?[" if sign in path)]
        yield from _below(system, posixpath.dirname(fixed), system.glob(path, detail=True))
    else:
        raise NightFlashError(
            f"There is no {text}.", "Name photos, folders, lists or globs.", code="bad_photo"
        )


def _below(system: Any, top: str, found: dict[str, dict[str, Any]]) -> Iterator[Found]:
    """The pictures among files found, each at its place below ``top``."""
    for path in sorted(found):
        place = PurePosixPath(posixpath.relpath(path, top))
        hidden = any(part.startswith(".") for part in place.parts)
        if place.suffix.lower() in PICTURES and not hidden and found[path]["type"] != "directory":
            yield Found(_named(system, path), night_place(str(place)), version_of(found[path]))


def night_place(place: str) -> str:
    """Where a night is, of the place of its photo: the same, with a suffix that is written."""
    suffix = posixpath.splitext(place)[1].lower()
    return place if suffix in WRITTEN else place + WRITTEN_AS.get(suffix, ".jpg")


def _listed(text: str, suffix: str) -> Iterator[Found]:
    """The photos of a list; relative paths begin at its folder, and are mirrored."""
    folder = posixpath.dirname(_whole(text))
    rows = list(_rows(text, suffix))
    photos = [row.pop("photo", "") for row in rows]
    whole = [_joined(folder, photo) for photo in photos]
    tops = {posixpath.dirname(one) for one in whole}
    shared = posixpath.commonpath(tops) if len({one.split("/")[0] for one in tops}) == 1 else ""
    for number, (photo, row) in enumerate(zip(whole, rows, strict=True), 1):
        told_by = f"{text}, photo {number}"
        if not photos[number - 1]:
            raise NightFlashError(f"{told_by}: no photo is named.", "Fill the column photo.")
        inside = posixpath.relpath(photo, folder if photo.startswith(folder + "/") else shared)
        place = row.pop("out", "") or night_place(inside)
        if posixpath.isabs(place) or ".." in PurePosixPath(place).parts:
            raise NightFlashError(
                f"{told_by}: {place} does not lie below the folder of the results.",
                "The column out takes a path that begins there.",
                code="bad_output",
            )
        yield Found(photo, place, _version(photo), row, told_by)


def _joined(folder: str, photo: str) -> str:
    """A path or URL as a list has it, which may begin at the folder of the list."""
    if is_url(photo):
        return photo
    if is_url(folder):
        return f"{folder}/{photo}"
    return posixpath.normpath(Path(folder, photo).as_posix())


def _rows(text: str, suffix: str) -> Iterator[dict[str, str]]:
    system, path = store_of(text)
    try:
        if suffix == ".parquet":
            from nightflash.batch.report import arrow

            arrow("A list as Parquet")
            from pyarrow import parquet

            with system.open(path, "rb") as stream:
                rows = parquet.read_table(stream).to_pylist()
        else:
            with system.open(path, "r", encoding="utf-8-sig", newline="") as stream:
                lines = (line.strip() for line in stream)
                plain = ({"photo": line} for line in lines if line and not line.startswith("#"))
                rows = list(csv.DictReader(stream) if suffix == ".csv" else plain)
    except (OSError, ValueError, csv.Error) as fault:
        raise NightFlashError(f"The list {text} cannot be read: {fault}.") from fault
    for row in rows:
        if None in row:
            raise NightFlashError(f"{text}: a line has more values than the first has names.")
        yield {key: _word(value) for key, value in row.items() if value not in (None, "")}


def _word(value: Any) -> str:
    """A value of a list as the command line has it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value).strip()


def _version(photo: str) -> str:
    system, path = store_of(photo)
    try:
        return version_of(system.info(path))
    except OSError:  # its reader tells
        return ""


def _whole(text: str) -> str:
    """A path made absolute, or a URL as it is."""
    system, path = store_of(text)
    return _named(system, path)


def _named(system: Any, path: str) -> str:
    """A path as it is written where there are other stores too."""
    return path if "file" in _protocols(system) else str(system.unstrip_protocol(path))


def _protocols(system: Any) -> tuple[str, ...]:
    protocol = system.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
