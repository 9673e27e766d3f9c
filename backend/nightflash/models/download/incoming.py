"""One file of weights on its way into the folder: brought, checked and put in place."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from safetensors.torch import save
from torch import Tensor

from nightflash.errors import NightFlashError
from nightflash.models.download.cut import Parts, take
from nightflash.models.download.faults import (
    ELSEWHERE,
    FAILED,
    Absent,
    Changed,
    Interrupted,
    RangesRefused,
    host_of,
)
from nightflash.models.download.local import LocalFile
from nightflash.models.download.patience import Patience, Tries
from nightflash.models.download.remote import Answer, Remote
from nightflash.models.weights import NOTE, WeightsFile, hash_in, noted_sha256
from nightflash.whole_file import written_whole

PART = ".part"  # ends the name of a file that is not whole yet
OLD = ".old"  # ends the name of what was in the place before
MARGIN = 64_000_000  # bytes of the disk that a download leaves free
REVISIONS = 3  # how often a cut begins again because the file on the server changed

Progress = Callable[[int, int], None]
"""Called with the bytes of the file there are, and that there will be; stops by raising."""

Report = Callable[[str], None]
"""Called with a sentence about what happens."""


@dataclass(frozen=True)
class Incoming:
    """One file on its way into the folder; its fields are the arguments of `download`."""

    file: WeightsFile
    path: Path
    mirror: str | None
    progress: Progress
    report: Report
    patience: Patience

    @property
    def part(self) -> Path:
        """What has come so far."""
        return self.path.with_name(self.path.name + PART)

    def run(self) -> None:
        """Fetch the file, and put it and the note on its hash into their places."""
        if self.part.is_symlink() or (self.part.exists() and not self.part.is_file()):
            self.part.unlink()  # not of a download
        if not self.file.sha256:  # two processes might bring parts of two versions
            self.part.unlink(missing_ok=True)
        self._check_room()
        try:
            digest = self._bring()
        except BaseException:
            if not self.file.sha256 or self.file.bring:  # not to be gone on with
                self.part.unlink(missing_ok=True)
            raise
        _sync(self.part)
        note = self.path.with_name(self.path.name + NOTE)
        if len(self.file.sha256) < len(digest):
            with written_whole(note) as out:
                out.write(f"{digest}  {self.path.name}\n".encode())
                out.flush()
                os.fsync(out.fileno())
        if self.path.exists():
            set_aside(self.path, self.report)
        self.part.replace(self.path)
        if len(self.file.sha256) == len(digest):
            note.unlink(missing_ok=True)
        _sync(self.path.parent)

    def _check_room(self) -> None:
        missing = self.file.longest - _size(self.part)
        free = shutil.disk_usage(self.path.parent).free
        if free < missing + MARGIN:
            raise NightFlashError(
                f"{self.file.name} needs {_mb(missing + MARGIN)} MB more of the disk of"
                f" {self.path.parent}, which has {_mb(free)} MB free.",
                "Make room, or name a folder on another disk with --weights.",
                code="no_space",
            )

    def _bring(self) -> str:
        """Bring the file into ``part``; give its sha256."""
        file, mirror = self.file, self.mirror
        if mirror is None:
            return self._cut(file.url) if file.cut else self._whole(file.url, file.sha256)
        try:
            return self._whole(*self._at_mirror(mirror))
        except Absent:
            if not file.cut:
                raise
        return self._cut(_beside(mirror, unquote(Path(urlsplit(file.url).path).name)))

    def _at_mirror(self, mirror: str) -> tuple[str | Path, str]:
        """Where at the mirror the file is, and what the sha256 that it must have begins with."""
        place = _beside(mirror, self.file.name)
        if self.file.sha256:
            return place, self.file.sha256
        if isinstance(place, Path):
            return place, noted_sha256(place) or ""
        with self._remote(place + NOTE) as note:
            while True:
                try:
                    with note.open() as answer:
                        text = b"".join(answer.pieces(64)).decode("ascii", "replace")
                        return place, hash_in(text) or ""
                except Interrupted as fault:
                    note.tries.failed(fault, 0)
                except NightFlashError:
                    return place, ""

    def _whole(self, place: str | Path, wanted: str) -> str:
        """Bring the whole file, once more where its sha256 does not begin as wanted; give that."""
        part, host = self.part, place.parent if isinstance(place, Path) else host_of(place)
        for first in (True, False):
            if not (self.file.may_have(_size(part)) and _sha256(part).startswith(wanted)):
                if isinstance(place, Path):
                    source = LocalFile(place)
                    self._write(source.answer(), source.place)
                elif self.file.bring and self.mirror is None:
                    self.file.bring(part, self.progress, self.patience.connect)
                else:
                    self._receive(place)
            digest = _sha256(part)
            if digest.startswith(wanted):
                if self.file.cut:
                    take(LocalFile(part, str(place)), self.file.cut)
                return digest
            part.unlink()
            if first:
                self.report(f"{self.file.name} came damaged from {host}; fetching it once more.")
        raise NightFlashError(
            f"{host} has another {self.file.name} than the one published: its sha256 is {digest},"
            f" where {wanted}{'...' if len(wanted) < len(digest) else ''} is right.",
            ELSEWHERE,
            code=FAILED,
        )

    def _receive(self, url: str) -> None:
        """Bring ``part`` to its full length, going on from what is there."""
        with self._remote(url) as remote:
            while True:
                if (have := _size(self.part)) >= self.file.longest:
                    self.part.unlink()
                    have = 0
                try:
                    with remote.open(have) as answer:
                        self._write(answer, remote.place)
                    return
                except RangesRefused as fault:
                    self.part.unlink(missing_ok=True)
                    remote.forget()
                    remote.tries.failed(fault, have)
                except Interrupted as fault:
                    remote.tries.failed(fault, _size(self.part))

    def _write(self, answer: Answer, place: str) -> None:
        """Write to ``part`` what comes, as long as that can be the file."""
        name, longest, here = self.file.name, self.file.longest, answer.first
        html = "html" in answer.kind
        if html if answer.total is None else not self.file.may_have(answer.total):
            length = "" if answer.total is None else f" of {answer.total} bytes"
            raise NightFlashError(
                f"{place} sent {'a web page' if html else 'a file'}{length} instead of {name},"
                f" which has {self.file.bytes}.",
                "It may be the login page of a network or a proxy: open any page in a browser"
                " first."
                if html
                else ELSEWHERE,
                code=FAILED,
            )
        with self.part.open("ab" if here else "wb") as out:
            for piece in answer.pieces(longest + 1 - here):
                out.write(piece)
                here += len(piece)
                self.progress(here, answer.total or self.file.bytes)
        if here > longest:
            self.part.unlink()
            raise NightFlashError(
                f"{place} sent more than the {longest} bytes that {name} has.",
                ELSEWHERE,
                code=FAILED,
            )
        if not self.file.may_have(here) or here < (answer.total or 0):
            raise Interrupted(f"{place} sent no more than {here} bytes of {name}.")

    def _cut(self, place: str | Path) -> str:
        """Cut the file out of a larger one into ``part``; give its sha256."""
        if isinstance(place, Path):
            source = LocalFile(place)
            tensors, origin = self._taken(source), source.origin
        else:
            with self._remote(place) as remote:
                for left in reversed(range(REVISIONS)):
                    try:
                        tensors, origin = self._taken(remote), remote.origin
                        break
                    except Changed as fault:
                        if not left:
                            raise
                        self.report(f"{fault.sentence} Beginning again.")
                        remote.forget()
        raw = save(tensors, {"format": "pt", **origin})
        self.part.write_bytes(raw)
        return hashlib.sha256(raw).hexdigest()

    def _taken(self, parts: Parts) -> dict[str, Tensor]:
        assert self.file.cut is not None
        return take(parts, self.file.cut, self.progress)

    def _remote(self, url: str) -> Remote:
        return Remote(url, self.file.name, Tries(self.patience, self.report))


def set_aside(path: Path, report: Report) -> None:
    """Rename what stands in the way of another file: it may be somebody's own work."""
    old = path.with_name(path.name + OLD)
    path.replace(old)
    report(f"What was {path.name} before is kept as {old.name}.")


def _beside(mirror: str, name: str) -> str | Path:
    """Address or path of a file at a mirror."""
    if "://" in mirror:
        return f"{mirror.rstrip('/')}/{quote(name)}"
    return Path(mirror).expanduser() / name


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Have a file's bytes, or a folder's entries, on the disk."""
    if path.is_dir():
        with suppress(OSError):  # Windows has no such thing
            folder = os.open(path, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f}"
