"""Which photo goes to which file, and that no picture of the user's is ever overwritten.

Standard library only: the installer, which runs before anything is installed, reads it too.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nightflash.errors import NightFlashError

WRITTEN_AS = {
    ".heic": ".jpg",
    ".heif": ".jpg",
    ".hif": ".jpg",
    ".jfif": ".jpg",
    ".jpe": ".jpg",
    ".bmp": ".png",
    ".gif": ".png",
    ".avifs": ".avif",
}
"""What a night is saved as where photos of a kind are read and not written."""

WRITTEN = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".avif", ".jxl")
"""Suffixes of nights."""

PICTURES = {*WRITTEN, *WRITTEN_AS}
"""Suffixes of picture files."""

DEBUG_PICTURES = ("depth", "mask", "target", "refined")


@dataclass(frozen=True)
class Job:
    """One photo to be rendered.

    Attributes:
        source: The photo.
        out: The file that its night is written to.
        stem: What the names of its debug pictures begin with, unlike that of any other job.
    """

    source: Path
    out: Path
    stem: str

    def debug_files(self, folder: Path) -> dict[str, Path]:
        """Where in ``folder`` each of `DEBUG_PICTURES` goes."""
        return {name: folder / f"{self.stem}-{name}.png" for name in DEBUG_PICTURES}


def night_name(photo: Path) -> str:
    """Name of the night of ``photo`` where only a folder is given: NAME-night, suffix kept."""
    suffix = photo.suffix
    if suffix.lower() not in WRITTEN:
        suffix = WRITTEN_AS.get(suffix.lower(), ".jpg")
    return f"{photo.stem}-night{suffix}"


def plan(paths: Sequence[str]) -> list[Job]:
    """Jobs of photos and, as the last path, OUT: a file, or a folder, which is made.

    OUT is a folder where it is one, ends in a slash, or there are several photos.

    Raises:
        NightFlashError: ``bad_output`` where several photos would go to one file, or the folder
            cannot be made; ``bad_photo`` where the one photo is a folder.
    """
    if len(paths) < 2:
        raise NightFlashError(
            "Name a photo and where the result goes.", "See: nightflash render --help"
        )
    photos, out = [Path(p) for p in paths[:-1]], Path(paths[-1])
    if len(photos) == 1 and is_folder(photos[0]):
        raise folder_fault(photos[0])
    slashes = tuple(s for s in (os.sep, os.altsep) if s)
    if len(photos) == 1 and not (is_folder(out) or paths[-1].endswith(slashes)):
        return [Job(photos[0], out, photos[0].stem)]
    if len(photos) > 1 and out.suffix.lower() in PICTURES and not os.path.lexists(out):
        raise _bad(f"{out} is named like a picture; several photos need a folder.")
    make_folder(out)
    stems = [photo.stem for photo in photos]
    return [
        Job(
            photo,
            out / night_name(photo),
            photo.stem if stems.count(photo.stem) == 1 else photo.name,
        )
        for photo in photos
    ]


def folder_fault(folder: Path) -> NightFlashError:
    """What is wrong where a folder is named as the photo."""
    return NightFlashError(
        f"{folder} is a folder, not a picture.",
        "'nightflash batch FOLDER OUT' makes nights of all photos in it.",
        code="bad_photo",
    )


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder; a name that cannot be is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def make_folder(folder: Path) -> None:
    """Make ``folder`` where it is not there yet.

    Raises:
        NightFlashError: ``bad_output``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise _bad(f"{folder} is a file where a folder is needed.") from error
    except OSError as error:
        raise _bad(f"The folder {folder} cannot be made: {error.strerror}.") from error


@contextlib.contextmanager
def no_empty_folder(out: str | Path) -> Iterator[None]:
    """Take the folder ``out`` and those above it away again, where work made them and left nothing.

    Args:
        out: What the user has named as the place of the results.
    """
    folder = Path(out)
    made = [f for f in (folder, *folder.parents) if not os.path.lexists(f)]
    try:
        yield
    finally:
        for folder in made:
            with contextlib.suppress(OSError):  # it holds something, or was never made
                folder.rmdir()


def check_targets(targets: Iterable[Path], originals: Iterable[Path]) -> None:
    """Look before any work whether all ``targets`` can be written without harm.

    No target may be one of the ``originals``, be it by another spelling or by a link, nor be
    another target; every target's folder must take files.

    Raises:
        NightFlashError: ``bad_output``.
    """
    given = set[object]()
    for original in originals:
        with contextlib.suppress(NightFlashError):  # what is wrong with it, its reader reports
            given.add(_identity(original))
    taken, folders = set[object](), set[Path]()
    for target in targets:
        if _is_strange(target):
            raise _bad(f"{target} is not an ordinary file.", "Name another for the result.")
        identity = _identity(target)
        if identity in given:
            raise _bad(
                f"{target} is one of the pictures given, and those are never overwritten.",
                "Name another file or folder for the result.",
            )
        if identity in taken:
            raise _bad(
                f"More than one picture would be written to {target}.",
                "Render photos of the same name one by one.",
            )
        taken.add(identity)
        folders.add(target.parent)
    for folder in sorted(folders):
        _check_takes_files(folder)


def _identity(path: Path) -> object:
    """What two spellings of one file have in common."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return os.path.normcase(os.path.realpath(path))
    except OSError as error:
        raise _bad(f"{path} cannot be used: {error.strerror}.") from error
    return state.st_dev, state.st_ino


def _is_strange(path: Path) -> bool:
    """Whether there is something that is neither a file nor a folder, such as a pipe."""
    try:
        return path.exists() and not path.is_file() and not path.is_dir()
    except OSError:
        return False


def _check_takes_files(folder: Path) -> None:
    """Try, since permissions do not show read-only disks or of /proc."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileNotFoundError as error:
        if is_folder(folder):
            raise _bad(f"Nothing can be written in the folder {folder}.") from error
        raise _bad(f"There is no folder {folder}.", "Make it first.") from error
    except OSError as error:
        raise _bad(f"Nothing can be written in the folder {folder}: {error.strerror}.") from error


def _bad(sentence: str, remedy: str = "") -> NightFlashError:
    return NightFlashError(sentence, remedy, code="bad_output")
