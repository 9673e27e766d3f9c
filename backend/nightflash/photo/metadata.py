"""What a result says of itself: the photo's metadata, true about the night, and what made it."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace
from typing import Literal

from PIL import Image

from nightflash import __version__

from . import exif, iptc, xmp
from .encoding import Encoding
from .pixels import Pixels, reduced
from .spaces import SRGB
from .tone import tone_mapped

Keep = Literal["all", "no places", "nothing"]
"""What of a photo's metadata a result has: all, all but where it was taken, or nothing."""

SOFTWARE = f"NightFlash {__version__}"
LONGEST_THUMBNAIL = 24_576  # bytes, its directory included
_THUMBNAIL = 160  # pixels of its longer side, as cameras have it


def result_encoding(
    source: Encoding,
    size: tuple[int, int],
    keep: Keep,
    *,
    holds_iptc: bool,
    holds_maker_notes: bool,
) -> tuple[Encoding, tuple[str, ...]]:
    """The encoding with the metadata of a result.

    The software and the kind of the picture (IPTC's DigitalSourceType) are always written, the date
    of change where the photo had metadata; with ``nothing`` not even those.

    Args:
        source: The photo's, with the colour space of the result.
        size: (width, height) of the result.
        keep: What to keep.
        holds_iptc: Whether the format has a place for IPTC-IIM; if not, its words go into XMP.
        holds_maker_notes: Whether maker notes can stay where they count from.

    Returns:
        The encoding, and sentences about what was lost.
    """
    if keep == "nothing":
        return replace(source, exif=None, xmp=None, iptc=None, thumbnail=False), ()
    block, packet = source.exif, source.xmp
    if keep == "no places":
        block = exif.without_gps(block) if block else None
        packet = xmp.without_gps(packet) if packet else None
    changed = datetime.datetime.now().astimezone() if source.exif or source.xmp else None
    datasets, words, notes = (source.iptc, {}, []) if holds_iptc else _as_words(source.iptc)
    if block is not None:
        if not holds_maker_notes and exif.maker_note(block) is not None:
            notes.append("The photo's maker note has no place in TIFF files and is lost.")
        srgb = source.icc is None and source.cicp is None
        made = exif.stamped(block, exif.Facts(*size, srgb, SOFTWARE, changed))
        block = None if made is None else made.tobytes()
    packet = xmp.stamped(packet, size, SOFTWARE, changed, words)
    return replace(source, exif=block, xmp=packet, iptc=datasets), tuple(notes)


def _as_words(
    datasets: bytes | None,
) -> tuple[None, dict[str, tuple[str, ...]], list[str]]:
    """IPTC data as words for XMP, for a format with no place for them, and what is lost."""
    words, rest = iptc.words(datasets, xmp.IPTC_WORDS)
    lost = "Parts of the photo's IPTC data have no place in this format and are lost."
    return None, words, [lost] if rest else []


def thumbnail(pixels: Pixels) -> bytes:
    """A small JPEG picture."""
    height, width = pixels.shape
    scale = min(1.0, _THUMBNAIL / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    codes = SRGB.eight_bits(tone_mapped(reduced(pixels, size)))
    file = io.BytesIO()
    Image.fromarray(codes).save(file, "JPEG", quality=80)
    return file.getvalue()


def with_thumbnail(source: Encoding, pixels: Pixels) -> Encoding:
    """The encoding with a fresh thumbnail in its EXIF block, where the photo had one."""
    if not source.thumbnail:
        return source
    return replace(source, exif=exif.with_thumbnail(source.exif or exif.empty(), thumbnail(pixels)))
