"""A download as the tests run it: from a server on this machine, without long pauses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from nightflash.errors import NightFlashError
from nightflash.models.download.fetching import download
from nightflash.models.download.hindrances import Patience
from nightflash.models.weights import WeightsFile

from tests.models.download.hostile_server import Hostile

NAME = "network.pth"
CONTENT = Random(1).randbytes(600_000)
OTHER = Random(2).randbytes(600_000)


def sha256(content: bytes) -> str:
    """In hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def the_file(server: Hostile, sha256: str = sha256(CONTENT), **facts: object) -> WeightsFile:
    """The file of `CONTENT`, at /network.pth."""
    fields: dict[str, object] = {"bytes": len(CONTENT), **facts}
    return WeightsFile(NAME, url=f"{server.url}/{NAME}", sha256=sha256, **fields)  # type: ignore[arg-type]


@dataclass
class Downloader:
    """Downloads, and keeps what was told meanwhile.

    Attributes:
        server: Where from.
        folder: Where to.
        sentences: What was reported.
        pauses: Seconds of each.
        steps: What progress was told.
    """

    server: Hostile
    folder: Path
    sentences: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    steps: list[tuple[int, int]] = field(default_factory=list)

    def patience(self, **facts: float) -> Patience:
        """Little of it."""
        hasty = {"connect": 5.0, "read": 5.0, "tries": 4, "calls": 2, "floor": 100.0, "window": 5.0}
        return Patience(**{**hasty, **facts}, sleep=self.pauses.append)  # type: ignore[arg-type]

    def run(
        self,
        file: WeightsFile | None = None,
        mirror: str | None = None,
        progress: Callable[[int, int], None] | None = None,
        **patience: float,
    ) -> Path:
        """Download the file."""
        return download(
            file or the_file(self.server),
            self.folder,
            mirror,
            progress=progress or (lambda done, total: self.steps.append((done, total))),
            report=self.sentences.append,
            patience=self.patience(**patience),
        )

    def fault(
        self, file: WeightsFile | None = None, mirror: str | None = None, **patience: float
    ) -> NightFlashError:
        """Download the file, which must fail with a fault of one sentence and a remedy."""
        with pytest.raises(NightFlashError) as caught:
            self.run(file, mirror, None, **patience)
        assert caught.value.sentence.endswith(".")
        assert caught.value.remedy.endswith(".")
        assert "\n" not in str(caught.value)
        assert not (self.folder / NAME).exists()
        return caught.value

    def left(self) -> list[str]:
        """Names of what lies in the folder, besides the file that keeps others out."""
        return sorted(p.name for p in self.folder.iterdir() if not p.name.endswith(".lock"))
