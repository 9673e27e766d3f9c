"""Weights files: where they lie, what is known of each, and whether one is what it should be."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol

from nightflash.errors import NightFlashError
from nightflash.folders import data_folder

WEIGHTS_VARIABLE = "NIGHTFLASH_WEIGHTS"
ROUNDING = 0.01  # how far the length of a file may be from one that was published rounded
NOTE = ".sha256"  # ends the name of the note beside a file that holds its sha256

State = Literal["absent", "published", "noted", "unverified", "damaged"]


class Source(Protocol):
    """Who brings a file of weights that no plain address has."""

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        ...

    def ask(self, seconds: float) -> None:
        """See whether it can be had.

        Raises:
            NightFlashError: ``no_network`` where it cannot, or where that is not known in time.
        """
        ...

    def __call__(self, path: Path, progress: Callable[[int, int], None], seconds: float) -> None:
        """Write the file to ``path``.

        Args:
            path: The file.
            progress: Called with the bytes of it there are, and that there will be.
            seconds: To wait for whoever has it.

        Raises:
            NightFlashError: ``no_network``, or ``download_failed``.
        """
        ...


@dataclass(frozen=True)
class Cut:
    """Some tensors of a larger safetensors file, which can be fetched without the rest of it.

    Attributes:
        shapes: Name to shape of every tensor, all float32.
        beginning: First values of one tensor, ``(name, values)``: a fingerprint of the training.
    """

    shapes: Mapping[str, tuple[int, ...]]
    beginning: tuple[str, tuple[float, ...]]

    @property
    def bytes(self) -> int:
        """Bytes of the tensors' values."""
        return 4 * sum(math.prod(shape) for shape in self.shapes.values())


@dataclass(frozen=True)
class WeightsFile:
    """One file of weights.

    Of two of the networks' files a fact is not known, and of VGG19's cut: of dpt_hybrid_384.pt the
    exact length, of dpt_swin2_tiny_256.pt that and the hash, of the cut the hash, since nobody else
    makes it. ``rounded`` and the note beside a file are for those, and for who adds such a one.

    Attributes:
        name: In the weights folder.
        bytes: Its length, as published.
        url: Where it can be downloaded; of a cut, the file that it is cut from.
        sha256: As published: 64 hexadecimal digits, or the first 8 of them that torchvision puts
            into the names of its files; empty where nobody published it.
        aliases: Other names under which the same file serves, where it lies in the folder.
        rounded: Whether ``bytes`` is only nearly right, since it was published rounded.
        cut: The tensors that make up the file, where it is a part of the one at ``url``.
        bring: Brings the file where no plain address has it; ``url`` then only names the place.
            Its ``sha256`` is known in full.
        licence: Of what it comes in, where that has another than the network.
    """

    name: str
    bytes: int
    url: str
    sha256: str = ""
    aliases: tuple[str, ...] = ()
    rounded: bool = False
    cut: Cut | None = None
    bring: Source | None = None
    licence: str = ""

    @property
    def longest(self) -> int:
        """The most bytes that it can have."""
        return self.bytes + (int(ROUNDING * self.bytes) if self.rounded else 0)

    def may_have(self, length: int) -> bool:
        """Whether a file of ``length`` bytes can be this one."""
        return abs(length - self.bytes) <= self.longest - self.bytes


def weights_folder(explicit: Path | None = None) -> Path:
    """Return the folder of the weights.

    ``explicit``, else NIGHTFLASH_WEIGHTS, else ``weights`` in NIGHTFLASH_HOME or in the platform's
    data folder. It need not exist: then it holds no network.
    """
    if explicit is not None:
        return explicit.expanduser()
    if named := os.environ.get(WEIGHTS_VARIABLE):
        return Path(named).expanduser()
    return data_folder() / "weights"


def state(file: WeightsFile, folder: Path) -> State:
    """Say whether a file is in ``folder``, and whole; free for a file already looked at.

    A note beside it, ``NAME.sha256`` as ``sha256sum`` writes it, holds the hash that it must have
    instead of the published one: the download leaves one where no full hash was published, and who
    has trained a network anew writes one. Without either only its length is known: it is
    ``unverified``. Names and shapes in the file are another matter: they are checked when it is
    loaded.

    Raises:
        OSError: It cannot be read.
    """
    path = folder / file.name
    try:
        found = path.stat()
    except FileNotFoundError:
        return "absent"
    noted = noted_sha256(path)
    if noted is None and not file.may_have(found.st_size):
        return "damaged"
    if noted is None and not file.sha256:
        return "unverified"
    digest = sha256(path.resolve(), found.st_mtime_ns, found.st_size)
    published = bool(file.sha256) and digest.startswith(file.sha256)
    if noted is not None and len(file.sha256) < len(digest):
        return "damaged" if digest != noted else "published" if published else "noted"
    if published:
        return "published"
    return "noted" if digest == noted else "damaged"


def verify(file: WeightsFile, folder: Path) -> None:
    """Check that a weights file is whole.

    Raises:
        NightFlashError: ``networks_missing`` or ``networks_corrupt``.
    """
    path = folder / file.name
    try:
        found = state(file, folder)
        if found == "absent":
            path.stat()
    except OSError as fault:
        raise NightFlashError(
            f"{path} cannot be read: {fault.strerror}.",
            "Fetch it with 'nightflash models download', or name the right folder with --weights.",
            code="networks_missing",
        ) from fault
    if found == "damaged":
        noted = noted_sha256(path) is not None
        reason = (
            f"its note {path.name}{NOTE} has another hash"
            if noted
            else "it is not the one published"
        )
        raise NightFlashError(
            f"{path} is damaged ({reason}).",
            "Fetch it again with 'nightflash models download'.",
            code="networks_corrupt",
        )


def noted_sha256(path: Path) -> str | None:
    """Read the note beside a file: its sha256, or None where there is no note of that form."""
    note = path.with_name(path.name + NOTE)
    try:
        if not note.is_file():  # opening a pipe would wait for ever
            return None
        with note.open(encoding="ascii", errors="replace") as text:
            return hash_in(text.read(65))
    except OSError:
        return None


def hash_in(note: str) -> str | None:
    """The sha256 that a note begins with, or None where it is of another form."""
    found = re.match(r"[0-9a-fA-F]{64}\b", note)
    return found[0].lower() if found else None


@lru_cache(maxsize=64)
def sha256(path: Path, modified: int, size: int) -> str:
    """Hash a file; by its time of change and its size a changed one is hashed anew."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
