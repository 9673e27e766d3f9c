"""What is to be done with one photo, as it is sent to whoever does it.

Only light modules are imported at the top.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict

from nightflash.errors import NightFlashError
from nightflash.settings import Settings

if TYPE_CHECKING:
    from nightflash.aim import Aim
    from nightflash.photo import Photo
    from nightflash.photo.metadata import Keep

ALL_BUT_BLACK = 0.02  # of white; the aim takes such a mask for empty


@dataclass(frozen=True)
class NamedAim:
    """Where the flash is aimed, in words and a file that is read later.

    Attributes:
        box: (x, y, w, h) in pixels of the photo.
        points: (x, y) on the object, then on further ones.
        removed: (x, y) on what is none.
        mask: Picture of the photo's size, white is the object.
    """

    box: tuple[float, float, float, float] | None = None
    points: tuple[tuple[float, float], ...] = ()
    removed: tuple[tuple[float, float], ...] = ()
    mask: Path | None = None

    def read(self) -> Aim:
        """The aim itself.

        Raises:
            NightFlashError: The mask cannot be read or is all but black.
        """
        from nightflash.aim import Aim, Click
        from nightflash.photo import read_mask

        mask = read_mask(self.mask) if self.mask is not None else None
        if mask is not None and 0 < mask.max() <= ALL_BUT_BLACK:
            raise NightFlashError(
                f"The brightest value of the mask {self.mask} is {mask.max():.1%} of white.",
                "White is the object: stretch the mask's values to black and white.",
                code="bad_aim",
            )
        first, further = (self.points[0], self.points[1:]) if self.points else (None, ())
        added = [Click(x, y) for x, y in further]
        removed = [Click(x, y, adds=False) for x, y in self.removed]
        return Aim(mask, self.box, first, (*added, *removed))


@dataclass(frozen=True)
class Tools:
    """What an engine is made of, as ``Engine`` takes it."""

    networks: str = "auto"
    weights: Path | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Order:
    """One photo to be made into a night.

    Attributes:
        photo: A path, or the URL of a store that fsspec reads.
        out: Where the night goes, likewise.
        settings: What the user wants.
        aim: Where the flash is aimed.
        quality, keep: See ``write_photo``.
        version: Of the photo's content, as cheap as its store tells it: another content has
            another one.
    """

    photo: str
    out: str
    settings: Settings = field(default_factory=Settings)
    aim: NamedAim = NamedAim()
    quality: int | None = None
    keep: Keep = "all"
    version: str = ""

    def as_json(self) -> str:
        """All of it, for other machines."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def of_json(cls, text: str) -> Self:
        """The order that `as_json` wrote."""
        words = json.loads(text)
        aim = words["aim"]
        words["aim"] = NamedAim(
            aim["box"] and tuple(aim["box"]),
            tuple(map(tuple, aim["points"])),
            tuple(map(tuple, aim["removed"])),
            aim["mask"] and Path(aim["mask"]),
        )
        return cls(**{**words, "settings": Settings.from_values(words["settings"])})

    def wish(self, tools: Tools) -> str:
        """A short hash of everything but the photo that makes the night what it is."""
        mask = self.aim.mask
        state = mask.stat() if mask is not None and mask.is_file() else None
        words = {
            **asdict(replace(self, photo="", out="", version="")),
            "networks": [tools.networks, str(tools.weights)],
            "mask": [str(mask), state and state.st_size, state and state.st_mtime_ns],
        }
        text = json.dumps(words, sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_for(source: Path, out: Path, aim: Aim) -> Photo:
    """Read a photo and refuse at once what would be refused after the work.

    Raises:
        NightFlashError: The photo cannot be read, the aim does not fit it, or its night cannot be
            written as ``out``.
    """
    from nightflash.aim import check_aim
    from nightflash.photo import check_output, read_photo

    photo = read_photo(source)
    check_aim(aim, (photo.width, photo.height))
    jpeg = out.suffix.lower() in (".jpg", ".jpeg")
    if jpeg and photo.alpha is not None and round(float(photo.alpha.min()) * 255) < 255:
        raise NightFlashError(
            f"{out} would lose the transparency of {source}, which JPEG cannot hold.",
            "Use PNG, TIFF or WebP.",
            code="bad_output",
        )
    check_output(out)
    return photo


class Told(TypedDict, total=False):
    """What is told of a night, as JSON has it: see ``nightflash.engine.night.Report``."""

    seconds: dict[str, float]
    networks: dict[str, str]
    subject_box: tuple[float, float, float, float]
    subject_from: str
    subject_metres: float | None
    working_size: tuple[int, int]
    device: str
    notes: list[str]


class Named(TypedDict):
    """Which order a line of the report is about: one without all of this counts for none."""

    photo: str
    out: str


class Entry(Named, Told, total=False):
    """A line of the report: what became of an order, as JSON has it.

    Attributes:
        photo_version: ``Order.version``.
        settings: All of them, by name.
        wish: ``Order.wish``.
        photo_sha256, sha256: Of the photo's file, and of its night's.
        nightflash: The version that made the night.
        fault: Why there is no night; then what is told of one is missing.
    """

    photo_version: str
    settings: dict[str, Any]
    wish: str
    photo_sha256: str
    sha256: str
    nightflash: str
    fault: str


def fault_of(entry: Entry) -> str | None:
    """Why there is no night; None where there is one. (Types do not check ``"…" in entry``.)"""
    return entry.get("fault")


def beginning(order: Order) -> Entry:
    """What a line of the report says of any order."""
    return {
        "photo": order.photo,
        "out": order.out,
        "photo_version": order.version,
        "settings": asdict(order.settings),
    }


def failed(order: Order, fault: str) -> Entry:
    """The line of an order of which came no night."""
    return {**beginning(order), "fault": fault}
