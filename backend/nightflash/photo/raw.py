"""Raw files of cameras: recognised and refused, as they have to be developed first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nightflash.errors import NightFlashError

_SIGNATURES = (
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\0",
    b"FUJIFILMCCD-RAW",
    b"FOVb",
    b"\0MRM",
    b"ARRIRAW",
)
_CFA, _LINEAR_RAW = 32803, 34892
_DNG_VERSION = 50706


def is_raw(start: bytes) -> bool:
    """Whether a file that begins with these bytes is raw by its first ones."""
    canon = start[:4] in (b"II*\0", b"MM\0*") and start[8:10] == b"CR"
    return canon or start.startswith(_SIGNATURES) or start[4:12] == b"ftypcrx "


def is_raw_tiff(pages: list[Any]) -> bool:
    """Whether a TIFF file with these pages (of tifffile) is a raw file."""
    return any(
        page.photometric in (_CFA, _LINEAR_RAW) or _DNG_VERSION in page.tags for page in pages
    )


def refused(path: Path) -> NightFlashError:
    """The fault of giving a raw file."""
    return NightFlashError(
        f"{path} is a camera's raw file, which NightFlash does not develop.",
        "Develop it first, with darktable or RawTherapee, and give the result.",
        code="bad_photo",
    )
