"""One file of weights on its way into the folder: brought, checked and put in place."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from safetensors.torch import save

from nightflash.errors import NightFlashError
from nightflash.models.download.cut import take
from nightflash.models.download.hindrances import (
    PATIENT,
    Changed,
    Interrupted,
    Patience,
    RangesRefused,
    host_of,
)
from nightflash.models.download.server import Remote
from nightflash.models.download.sources import (
    ELSEWHERE,
    Absent,
    Answer,
    Failed,
    LocalFile,
    Progress,
    Report,
    ignore,
)
from nightflash.models.weights import NOTE, WeightsFile, hash_in, noted_sha256
from nightflash.whole_file import written_whole

PART = ".part"  # ends the name of a file that is not whole yet
OLD = ".old"  # ends the name of what was in the place before
MARGIN = 64_000_000  # bytes of the disk that a download leaves free
LOG_IN = "It may be the login page of a network or a proxy: open any page in a browser first."

Place = str | Path
"""Where a file can be had: an address, or a path on this machine."""


@dataclass(frozen=True)
class Incoming:
    """One file on its way into the folder; its fields are the arguments of `download`."""

    file: WeightsFile
    path: Path
    mirror: str | None = None
    progress: Progress = ignore
    report: Report = ignore
    patience: Patience = PATIENT

    @property
    def part(self) -> Path:
        """What has come so far."""
        return self.path.with_name(self.path.name + PART)

    def run(self) -> None:
        """Fetch the file, and put it and the note on its hash into their places."""
        known, note = self.file.sha256, self.path.with_name(self.path.name + NOTE)
        begun = self.part.is_file() and not self.part.is_symlink()
        if not (begun and known):  # without it, two versions might be mixed
            self.part.unlink(missing_ok=True)
        self._check_room()
        try:
            digest = self._bring()
        except BaseException:
            if not known or self.file.bring:  # not to be gone on with
                self.part.unlink(missing_ok=True)
            raise
        with self.part.open("rb+") as whole:
            os.fsync(whole.fileno())
        if digest != known:
            with written_whole(note) as out:
                out.write(f"{digest}  {self.path.name}\n".encode())
                out.flush()
                os.fsync(out.fileno())
        if self.path.exists():
            set_aside(self.path, self.report)
        self.part.replace(self.path)
        if digest == known:
            note.unlink(missing_ok=True)

    def _check_room(self) -> None:
        needed = self.file.longest - _size(self.part) + MARGIN
        free = shutil.disk_usage(self.path.parent).free
        if free < needed:
            raise NightFlashError(
                f"{self.file.name} needs {needed / 1e6:.1f} MB more of the disk of"
                f" {self.path.parent}, which has {free / 1e6:.1f} MB free.",
                "Make room, or name a folder on another disk with --weights.",
                code="no_space",
            )

    def _bring(self) -> str:
        """Bring the file into ``part``; give its sha256."""
        file, mirror = self.file, self.mirror
        if mirror is None:
            return self._cut(file.url) if file.cut else self._whole(file.url, file.sha256)
        place = _beside(mirror, file.name)
        try:
            return self._whole(place, file.sha256 or self._noted(place))
        except Absent:
            if not file.cut:
                raise
        return self._cut(_beside(mirror, unquote(Path(urlsplit(file.url).path).name)))

    def _noted(self, place: Place) -> str:
        """The sha256 that a mirror notes beside a file, or nothing."""
        if isinstance(place, Path):
            return noted_sha256(place) or ""
        with self._source(place + NOTE) as note:
            while True:
                try:
                    with note.open() as answer:
                        text = b"".join(answer.pieces(64)).decode("ascii", "replace")
                        return hash_in(text) or ""
                except Interrupted as fault:
                    note.failed(fault)
                except NightFlashError:
                    return ""

    def _whole(self, place: Place, wanted: str) -> str:
        """Bring the whole file, once more where its sha256 does not begin as wanted; give that."""
        part = self.part
        whose = place.parent if isinstance(place, Path) else host_of(place)
        for first in (True, False):
            if not (self.file.may_have(_size(part)) and _sha256(part).startswith(wanted)):
                if self.file.bring and self.mirror is None:
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
                self.report(f"{self.file.name} came damaged from {whose}; fetching it once more.")
        raise Failed(
            f"{whose} has another {self.file.name} than the one published: its sha256 is {digest},"
            f" where {wanted}{'...' if len(wanted) < len(digest) else ''} is right."
        )

    def _receive(self, place: Place) -> None:
        """Bring ``part`` to its full length, going on from what is there."""
        with self._source(place) as source:
            while True:
                if _size(self.part) >= self.file.longest:
                    self.part.unlink()
                try:
                    with source.open(_size(self.part)) as answer:
                        self._write(answer, source.place)
                    return
                except RangesRefused as fault:
                    self.part.unlink(missing_ok=True)
                    source.failed(fault)
                except Interrupted as fault:
                    source.failed(fault)

    def _write(self, answer: Answer, place: str) -> None:
        """Write to ``part`` what comes, as long as that can be the file."""
        name, longest, here = self.file.name, self.file.longest, answer.first
        html = "html" in answer.kind
        if html if answer.total is None else not self.file.may_have(answer.total):
            what = "a web page" if html else "a file"
            length = "" if answer.total is None else f" of {answer.total} bytes"
            raise Failed(
                f"{place} sent {what}{length} instead of {name}, which has {self.file.bytes}.",
                LOG_IN if html else ELSEWHERE,
            )
        with self.part.open("ab" if here else "wb") as out:
            for piece in answer.pieces(longest + 1 - here):
                out.write(piece)
                here += len(piece)
                self.progress(here, answer.total or self.file.bytes)
        if here > longest:
            self.part.unlink()
            raise Failed(f"{place} sent more than the {longest} bytes that {name} has.")
        if not self.file.may_have(here) or here < (answer.total or 0):
            raise Interrupted(f"{place} sent no more than {here} bytes of {name}.")

    def _cut(self, place: Place) -> str:
        """Cut the file out of a larger one into ``part``; give its sha256."""
        assert self.file.cut is not None
        with self._source(place) as source:
            while True:
                try:
                    tensors = take(source, self.file.cut, self.progress)
                    break
                except Changed as fault:
                    source.failed(fault)
            raw = save(tensors, {"format": "pt", **source.origin})
        self.part.write_bytes(raw)
        return hashlib.sha256(raw).hexdigest()

    def _source(self, place: Place) -> AbstractContextManager[LocalFile | Remote]:
        if isinstance(place, Path):
            return nullcontext(LocalFile(place))
        return Remote(place, self.file.name, self.patience, self.report)


def set_aside(path: Path, report: Report) -> None:
    """Rename what stands in the way of another file: it may be somebody's own work."""
    old = path.with_name(path.name + OLD)
    path.replace(old)
    report(f"What was {path.name} before is kept as {old.name}.")


def _beside(mirror: str, name: str) -> Place:
    if "://" in mirror:
        return f"{mirror.rstrip('/')}/{quote(name)}"
    return Path(mirror).expanduser() / name


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
