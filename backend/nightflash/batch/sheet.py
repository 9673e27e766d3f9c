"""A page of pairs, photo beside night, that any browser opens without anything else."""

from __future__ import annotations

import base64
import html
import io
import posixpath
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from nightflash.batch.order import Entry, fault_of
from nightflash.batch.places import at_hand
from nightflash.errors import NightFlashError
from nightflash.imaging.resample import area
from nightflash.photo import Photo, read_photo

LONG_SIDE = 480  # pixels of a picture on the page
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>NightFlash</title><style>
body {{ background: #1a1a1c; color: #ddd; font: 14px sans-serif; margin: 1.5em }}
figure {{ display: inline-block; margin: 0 1.5em 1.5em 0; max-width: 980px; vertical-align: top }}
.pair {{ display: flex; gap: 4px }}
.day {{ position: relative }}
img {{ display: block }}
.box {{ position: absolute; border: 1px solid #fb0; box-sizing: border-box }}
.fault {{ color: #f88 }}
</style></head><body>
{figures}
</body></html>
"""


def contact_sheet(entries: Iterable[Entry]) -> str:
    """The page, as HTML that holds its pictures.

    Args:
        entries: Of the report; each is a pair, with the box around the subject, or a fault.
    """
    return PAGE.format(figures="\n".join(map(_figure, entries)))


def _figure(entry: Entry) -> str:
    name = html.escape(posixpath.basename(entry["photo"]), quote=True)
    try:
        if (said := fault_of(entry)) is not None:
            raise NightFlashError(said)
        day, night = _read(entry["photo"]), _read(entry["out"])
    except NightFlashError as fault:
        said = html.escape(str(fault))
        return f'<figure><figcaption class="fault">{name}: {said}</figcaption></figure>'
    x, y, width, height = (
        f"{100 * part / whole:.2f}%"
        for part, whole in zip(entry["subject_box"], 2 * (day.width, day.height), strict=True)
    )
    box = f"left:{x};top:{y};width:{width};height:{height}"
    words = [entry["subject_from"], f"{sum(entry['seconds'].values()):.1f} s", *entry["notes"]]
    return (
        f'<figure><div class="pair"><div class="day">{_picture(day, name)}'
        f'<div class="box" style="{box}"></div></div>{_picture(night, name + " at night")}</div>'
        f"<figcaption>{name}: {html.escape('; '.join(words))}</figcaption></figure>"
    )


def _read(place: str) -> Photo:
    with at_hand(place) as file:
        return read_photo(Path(file))


def _picture(photo: Photo, name: str) -> str:
    scale = min(1.0, LONG_SIDE / max(photo.width, photo.height))
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    small = Photo.from_linear(area(photo.rgb, size).clip(0, 1)).to_encoded(8)
    file = io.BytesIO()
    Image.fromarray(small).save(file, "JPEG", quality=85)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{name}" width="{size[0]}" src="data:image/jpeg;base64,{data}">'
