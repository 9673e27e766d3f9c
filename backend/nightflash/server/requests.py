"""Requests for work, read from their headers into values that are known to be sound."""

from __future__ import annotations

import math
import threading
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from nightflash.aim import Aim, Click, check_aim, working_aim
from nightflash.client.protocol import MAX_ID, SAMPLE_TYPES, Header, Sample, bad_request
from nightflash.errors import Cancelled, NightFlashError
from nightflash.fullsize.region import Region
from nightflash.server.listeners import Peer
from nightflash.server.upload import Upload
from nightflash.server.uploads import Uploads
from nightflash.settings import Settings

Kind = Literal["analyse", "preview", "render"]
VIEWS = ("night", "day", "subject", "depth", "light", "outline")
OUTPUTS = ("one", "parts")
CLICKS = ("add", "remove")
MOST_CLICKS = 100
MOST_SHOWN = 2**24  # pixels of a region: more than any screen has

_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True)
class Work:
    """What a client wants done with a photo.

    Attributes:
        kind: ``analyse``, ``preview`` or ``render``.
        photo: The photo.
        mask: Of the main object, or None.
        box, point: Aim in pixels of the photo, or None.
        clicks, strokes: Corrections of what the aim finds; see `Aim`.
        coded: Whether pictures come back in parts.
        settings: What the user wants.
        views: Pictures that a preview sends.
        output: ``one`` picture of a render, or its two ``parts``, night and flash.
        sample: How a render's pixels come back; None as the photo's.
        region: What of the photo a preview shows, None for all of it at the working size.
        size: (width, height) that the region is shown at.
    """

    kind: Kind
    photo: Upload
    mask: Upload | None
    box: tuple[float, float, float, float] | None
    point: tuple[float, float] | None
    settings: Settings
    views: tuple[str, ...]
    output: str
    sample: Sample | None
    region: Region | None = None
    size: tuple[int, int] = (0, 0)
    clicks: tuple[Click, ...] = ()
    strokes: Upload | None = None
    coded: bool = False

    @property
    def aim(self) -> Aim:
        """The aim in pixels of the photo; `Engine.render` checks whether it fits."""
        mask = None if self.mask is None else self.mask.mask()
        return replace(self._without_mask, mask=mask)

    @property
    def _without_mask(self) -> Aim:
        strokes = None if self.strokes is None else self.strokes.strokes()
        return Aim(None, self.box, self.point, self.clicks, strokes)

    def working_aim(self, size: tuple[int, int]) -> Aim:
        """The aim in pixels of a working picture of ``size`` (width, height).

        Raises:
            NightFlashError: It does not fit the photo.
        """
        aim = self._without_mask
        check_aim(aim, self.photo.size)
        aim = working_aim(aim, self.photo.size, size)
        if self.mask is not None:
            aim = replace(aim, mask=self.mask.working_mask(self.photo.size, size))
        return aim


@dataclass(frozen=True, eq=False)
class Job:
    """Work in the queue.

    Attributes:
        client: Whose it is.
        id: The client's number for it.
        work: What to do.
        cancelled: Set when nobody wants it any more.
    """

    client: Peer
    id: int
    work: Work
    cancelled: threading.Event = field(default_factory=threading.Event)

    def checkpoint(self) -> None:
        """Raise `Cancelled` where nobody wants it any more."""
        if self.cancelled.is_set():
            raise Cancelled


def read_id(header: Header, name: str = "id") -> int:
    """The number of a request.

    Raises:
        NightFlashError: ``bad_request``.
    """
    number = header.get(name)
    if type(number) is not int or not 0 <= number <= MAX_ID:
        raise bad_request(f"The field {name!r} is a whole number from 0 to {MAX_ID}.")
    return number


def read_work(kind: Kind, header: Header, uploads: Uploads) -> Work:
    """Read a request for work.

    Raises:
        NightFlashError: ``bad_request``, ``bad_setting`` or ``unknown_handle``.
    """
    values = header.get("settings", {})
    if not isinstance(values, dict):
        raise bad_request("The field 'settings' is an object.")
    aim = header.get("aim", {})
    if not isinstance(aim, dict):
        raise bad_request("The field 'aim' is an object.")
    given = [name for name in ("mask", "box", "point") if aim.get(name) is not None]
    if len(given) > 1:
        raise NightFlashError("Give one of a mask, a box or a point, not several.", code="bad_aim")
    settings = Settings.from_values(values)
    if kind == "render" and settings.quality == "preview":
        raise NightFlashError(
            "A render has the quality fast or best.", "Ask for a preview.", code="bad_setting"
        )
    box, point = _numbers(aim, "box", 4), _numbers(aim, "point", 2)
    photo = uploads.whole(header.get("photo"))
    region = _region(header, photo.size) if kind == "preview" else None
    return Work(
        kind=kind,
        photo=photo,
        mask=uploads.whole(aim["mask"]) if given == ["mask"] else None,
        box=(box[0], box[1], box[2], box[3]) if box else None,
        point=(point[0], point[1]) if point else None,
        settings=settings,
        views=_views(header, ["subject", "depth"] if kind == "analyse" else ["night"]),
        output=_one_of(header, "output", OUTPUTS) or OUTPUTS[0],
        sample=_one_of(header, "sample", SAMPLE_TYPES),
        region=region,
        size=(0, 0) if region is None else _size(header, region),
        clicks=_clicks(aim),
        strokes=uploads.whole(aim["strokes"]) if aim.get("strokes") is not None else None,
        coded=header.get("parts") is True,
    )


def _clicks(aim: dict[str, Any]) -> tuple[Click, ...]:
    clicks = aim.get("clicks", [])
    if not isinstance(clicks, list) or len(clicks) > MOST_CLICKS or not all(map(_is_click, clicks)):
        raise bad_request(
            f"The field 'clicks' of an aim is a list of at most {MOST_CLICKS} lists of one of"
            f" {', '.join(CLICKS)} and two numbers."
        )
    return tuple(Click(float(x), float(y), how == CLICKS[0]) for how, x, y in clicks)


def _is_click(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and value[0] in CLICKS
        and all(map(_is_number, value[1:]))
    )


def _region(header: Header, photo: tuple[int, int]) -> Region | None:
    if header.get("region") is None:
        return None
    x, y, width, height = _whole_numbers(header, "region", 4)
    return Region(x, y, width, height, photo)


def _size(header: Header, region: Region) -> tuple[int, int]:
    """What a region is shown at: as large as it is, or smaller."""
    own = region.width, region.height
    width, height = own if header.get("size") is None else _whole_numbers(header, "size", 2)
    if not 1 <= width <= own[0] or not 1 <= height <= own[1]:
        raise bad_request(f"The size of this region is 1 to {own[0]} and 1 to {own[1]}.")
    if width * height > MOST_SHOWN:
        raise NightFlashError(
            f"A region is shown with at most {MOST_SHOWN} pixels.",
            "Ask for a smaller size, or for a render.",
            code="too_large",
        )
    return width, height


def _whole_numbers(header: Header, name: str, count: int) -> tuple[int, ...]:
    values = header[name]
    if not isinstance(values, list) or len(values) != count:
        raise bad_request(f"The field {name!r} is a list of {count} whole numbers.")
    if not all(type(value) is int and abs(value) <= MAX_ID for value in values):
        raise bad_request(f"The field {name!r} is a list of {count} whole numbers.")
    return tuple(values)


def _views(header: Header, usual: list[str]) -> tuple[str, ...]:
    views: Any = header.get("views", usual)
    known = isinstance(views, list) and all(isinstance(view, str) for view in views)
    if not known or not set(views) <= set(VIEWS) or not 1 <= len(views) <= len(VIEWS):
        raise bad_request(f"The field 'views' is a list of some of {', '.join(VIEWS)}.")
    return tuple(views)


def _one_of(header: Header, name: str, legal: Collection[_Word]) -> _Word | None:
    value = header.get(name)
    if value is None:
        return None
    for word in legal:
        if word == value:
            return word
    raise bad_request(f"The field {name!r} is one of {', '.join(legal)}.")


def _numbers(aim: dict[str, Any], name: str, count: int) -> tuple[float, ...] | None:
    values = aim.get(name)
    if values is None:
        return None
    if not isinstance(values, list) or len(values) != count or not all(map(_is_number, values)):
        raise bad_request(f"The field {name!r} of an aim is a list of {count} numbers.")
    return tuple(float(value) for value in values)


def _is_number(value: object) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False
