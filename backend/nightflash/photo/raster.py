"""The pixels of a picture file as they are stored, upright, before any colour is understood."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nightflash.errors import NightFlashError

from . import exif, iptc, xmp
from .encoding import Cicp, Codes, JpegTables

MAX_PIXELS = 500_000_000
"""Pictures of more pixels are refused before anything is decoded: 6 GB in linear light."""

_BAND = 256  # rows

C2PA_NOTE = (
    "The photo's Content Credentials (C2PA) were removed: they vouch for the picture by day alone."
)
GAIN_MAP_NOTE = "The photo's gain map for bright displays was left out: it shows the day."


@dataclass(frozen=True, eq=False)
class Raster:
    """Stored samples and the metadata beside them.

    Args:
        colour: Samples, uint8, uint16 or float32, (H, W, 1) grey, (H, W, 3) RGB, (H, W, 4) CMYK
            with 0 for no ink; CIELAB as linear sRGB in floats, see ``lab``.
        alpha: Opacity (H, W) in the same type, not multiplied into the colour, or None.
        format: ``jpeg``, ``png``, ``tiff``, ``webp``, ``heif``, ``avif``, ``jxl``, ``bmp`` or
            ``gif``.
        icc: ICC profile or None.
        cicp: Code points of the colour space, or None.
        exif: EXIF block or None.
        xmp: XMP packet or None.
        extended_xmp: What a JPEG file has of it in further segments, or None.
        iptc: IPTC-IIM datasets or None.
        dpi: Pixels per inch, horizontally and vertically, or None.
        orientation: EXIF orientation 1..8 still to be applied; None where a decoder has done it.
        depth: Bits per sample where they are fewer than the type has.
        jpeg: How finely a JPEG file was stored.
        thumbnail: Whether the file has a small picture of itself.
        lab: Bits per sample of a CIELAB picture, or 0.
        notes: Sentences about what was not kept.
    """

    colour: Codes
    alpha: Codes | None
    format: str
    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    orientation: int | None = 1
    cicp: Cicp | None = None
    xmp: bytes | None = None
    extended_xmp: bytes | None = None
    iptc: bytes | None = None
    depth: int | None = None
    jpeg: JpegTables | None = None
    thumbnail: bool = False
    lab: int = 0
    notes: tuple[str, ...] = ()

    def upright(self) -> Raster:
        """The picture as it is meant to be seen, in its metadata too, which shows no picture."""
        turn = self.orientation or 1
        if self.orientation == 1 and not exif.has_orientation(self.exif):
            turn = xmp.orientation(self.xmp)
        colour = _turned(self.colour, turn)
        alpha = None if self.alpha is None else _turned(self.alpha, turn)
        height, width = colour.shape[:2]
        dpi = resolution(self.dpi or exif.dpi(self.exif))
        block = exif.upright(self.exif, width, height)
        packet = xmp.cleaned(self.xmp, width, height, self.extended_xmp)
        lost = [
            f"The photo's {name} is damaged and was left out."
            for name, before, after in (("EXIF", self.exif, block), ("XMP", self.xmp, packet))
            if before and after is None
        ]
        if exif.may_show_more(self.exif):
            lost.append("Long values in the photo's EXIF may show the day and were left out.")
        before, after = exif.maker_note(self.exif), exif.maker_note(block)
        if before is not None and block is not None and before != after:
            how = "Parts of" if after is not None else "All of"
            lost.append(f"{how} the photo's maker note may show the day and were left out.")
        return replace(
            self,
            colour=colour,
            alpha=alpha,
            dpi=dpi[::-1] if dpi and turn >= 5 else dpi,
            exif=block,
            xmp=packet,
            extended_xmp=None,
            iptc=iptc.cleaned(self.iptc),
            orientation=1,
            thumbnail=self.thumbnail or exif.has_thumbnail(self.exif),
            notes=(*self.notes, *lost),
        )


def bad_photo(sentence: str, remedy: str = "") -> NightFlashError:
    """A fault of a picture that comes in."""
    return NightFlashError(sentence, remedy, code="bad_photo")


def check_dimensions(size: tuple[int, int], path: Path) -> None:
    """Refuses a size (width, height) of no pixels or of more than `MAX_PIXELS`."""
    width, height = size
    if width < 1 or height < 1:
        raise bad_photo(f"{path} has no pixels.")
    if width * height > MAX_PIXELS:
        raise bad_photo(
            f"{path} declares {width} × {height} pixels; "
            f"NightFlash takes at most {MAX_PIXELS // 10**6} megapixels.",
            "Scale the picture down first.",
        )


def spread(samples: Codes, depth: int) -> Codes:
    """Samples of so many bits as uint16 of the full range."""
    codes: Codes = np.rint(samples.astype(np.float64) * (65535 / (2**depth - 1))).astype(np.uint16)
    return codes


def left_out(c2pa: bool, gain_map: bool = False) -> tuple[str, ...]:
    """Sentences about what a file had beside its picture."""
    return (*[C2PA_NOTE] * c2pa, *[GAIN_MAP_NOTE] * gain_map)


_PLAIN_MODES = {
    "1": "L", "La": "LA", "P": "RGB", "PA": "RGBA", "RGBX": "RGB", "RGBa": "RGBA", "YCbCr": "RGB",
}  # fmt: skip


def pillow_raster(image: Image.Image, name: str, path: Path) -> Raster:
    """The pixels and ICC profile of a picture that Pillow has opened."""
    mode = _PLAIN_MODES.get(image.mode, image.mode)
    if mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "I;16"):
        raise bad_photo(f"{path} has the colour mode {image.mode}, which is not supported.")
    if mode in ("L", "RGB") and image.has_transparency_data:
        mode += "A"
    icc = image.info.get("icc_profile") or None
    samples = _samples(image if image.mode == mode else image.convert(mode))
    if mode == "CMYK":
        return Raster(samples, None, name, icc)
    return split(samples, name, icc)


def _samples(image: Image.Image) -> Codes:
    """The samples of a picture, by bands: all at once, Pillow would have them twice meanwhile."""
    width, height = image.size
    one = np.asarray(image.crop((0, 0, 1, 1)))
    samples: Codes = np.empty((height, width, *one.shape[2:]), one.dtype)
    for top in range(0, height, _BAND):
        rows = slice(top, min(top + _BAND, height))
        samples[rows] = np.asarray(image.crop((0, rows.start, width, rows.stop)))
    return samples


def split(samples: Codes, name: str, icc: bytes | None = None, exif: bytes | None = None) -> Raster:
    """A raster from samples (H, W) or (H, W, 1 to 4), alpha last where their number is even."""
    if samples.ndim == 2:
        samples = samples[..., np.newaxis]
    if samples.shape[2] % 2:
        return Raster(samples, None, name, icc, exif)
    return Raster(samples[..., :-1], samples[..., -1], name, icc, exif)


def resolution(dpi: Any) -> tuple[float, float] | None:
    """Pixels per inch as found in a file, or None where they make no sense."""
    try:
        x, y = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if all(math.isfinite(v) and 0 < v < 1e6 for v in (x, y)) else None


def _turned(samples: Codes, orientation: int) -> Codes:
    """The upright view of samples stored in an EXIF orientation (Exif 3.0, tag 274)."""
    if orientation >= 5:
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return samples
