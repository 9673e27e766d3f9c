"""Files and URLs: pictures come from and go to any store that fsspec knows, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import posixpath
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nightflash.errors import NightFlashError
from nightflash.whole_file import written_whole

VERSION_FIELDS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "size")
"""What stores tell of a file that changes with its content."""


def is_url(place: str) -> bool:
    """Whether ``place`` names a store by its protocol."""
    return "://" in place


def store_of(place: str) -> tuple[Any, str]:
    """The file system of a path or URL, and the path there.

    Raises:
        NightFlashError: There is no such store, or a package for it is missing.
    """
    import fsspec  # takes as long as all else that the command line imports

    try:
        system, path = fsspec.core.url_to_fs(place)
    except (ImportError, ValueError) as fault:
        raise NightFlashError(
            f"{place} cannot be reached: {str(fault).rstrip('.')}.",
            "Packages for stores are called s3fs, gcsfs and so on; pip installs them.",
            code="bad_input",
        ) from fault
    return system, path


def version_of(facts: Mapping[str, Any]) -> str:
    """The version of a file's content, of what its store tells about it."""
    return "-".join(str(facts[field]).strip('"') for field in VERSION_FIELDS if facts.get(field))


@contextlib.contextmanager
def at_hand(place: str) -> Iterator[Path]:
    """A local file with the content of ``place``: itself, or a copy that goes away again.

    Raises:
        NightFlashError: ``bad_photo``: it cannot be read.
    """
    if not is_url(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory(prefix="nightflash-") as folder:
        copy = Path(folder) / posixpath.basename(place)
        with _stated(place, "read", "bad_photo"):
            system, path = store_of(place)
            system.get_file(path, str(copy))
        yield copy


@contextlib.contextmanager
def made_at(place: str) -> Iterator[Path]:
    """A local file to be written, which goes to ``place`` as a whole when all went well.

    Raises:
        NightFlashError: ``bad_output``: it cannot be written.
    """
    if not is_url(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory(prefix="nightflash-") as folder:
        made = Path(folder) / posixpath.basename(place)
        yield made
        with _stated(place, "written", "bad_output"):
            system, path = store_of(place)
            system.put_file(str(made), path)


def fetch(place: str) -> bytes:
    """The content of a path or URL.

    Raises:
        NightFlashError: ``bad_photo``: it cannot be read.
    """
    with _stated(place, "read", "bad_photo"):
        system, path = store_of(place)
        content: bytes = system.cat_file(path)
    return content


def store(place: str, content: bytes) -> None:
    """Put content at a path or URL; it is there whole or not at all.

    Raises:
        NightFlashError: ``bad_output``: it cannot be written.
    """
    with _stated(place, "written", "bad_output"):
        if is_url(place):
            system, path = store_of(place)
            system.pipe_file(path, content)
            return
        target = Path(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(target) as file:
            file.write(content)


def sha256(file: Path) -> str:
    """Of a local file's content, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def _stated(place: str, done: str, code: str) -> Iterator[None]:
    """Faults of stores, which have exceptions of their own, as one sentence."""
    try:
        yield
    except NightFlashError:
        raise
    except Exception as fault:
        reason = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
        raise NightFlashError(
            f"{place} cannot be {done}: {reason.rstrip('.')}.", code=code
        ) from fault
