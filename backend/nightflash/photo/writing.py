"""Photos to picture files.

Bits, grey, colour space, metadata and resolution are the source's where the format has them:

- TIFF: 8 or 16 bits, or floats unclipped; deflated. No maker notes, no thumbnail.
- PNG: 8 or 16 bits; floats become 16.
- JPEG: 8 bits; quality and subsampling are those of a source that was JPEG, else 95 and chroma
  at full resolution. No alpha. An EXIF block too long for JPEG's 64 KB loses its largest parts.
- WebP: 8 bits, always RGB; lossless at quality 100. No resolution but EXIF's.
- AVIF: 8, 10 or 12 bits (16 become 12), always RGB; lossless at quality 100.
- JPEG XL: 8, 10, 12 or 16 bits or floats; lossless at quality 100, and always but for sRGB of
  8 bits. Other profiles become BT.2020 of 16 bits.

Where 8 bits in the source's space had no steps for the dark (linear light), they are sRGB.
Light above white, of HDR sources, is kept in 16 bits and floats, and mapped into the range of
8 bits. A grey source that is no longer grey becomes sRGB, as does CMYK. Nothing that shows the
photo as it was is in the file; where the photo had a thumbnail, it gets a fresh one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nightflash.errors import NightFlashError
from nightflash.whole_file import written_whole

from . import exif
from .encoding import Codes, Encoding
from .formats import FORMATS, JPEG, TIFF, WIDE, Format
from .metadata import LONGEST_THUMBNAIL, Keep, result_encoding, with_thumbnail
from .photo import Photo, colour_space
from .profile import profile_space
from .profile_writing import cicp_profile
from .spaces import SRGB
from .tone import tone_mapped

_LONGEST_SEGMENT = 65_533 - 30  # bytes of a JPEG segment, a name in front of it
_COARSE = 0.002  # of white; sRGB's first step is 0.0003


def write_photo(
    path: str | PathLike[str],
    photo: Photo,
    *,
    quality: int | None = None,
    keep: Keep = "all",
) -> tuple[str, ...]:
    """Stores a photo as JPEG, PNG, TIFF, WebP, AVIF or JPEG XL, by the file name's suffix.

    What each of them holds stands at the head of this module. The file appears whole or not at
    all: it is written beside, under a hidden name, and then takes the name over.

    Args:
        path: Where to; an existing file is replaced, its permissions kept.
        photo: What to store.
        quality: 1 to 100, of JPEG, WebP, AVIF and JPEG XL; None for the source's, or 95.
        keep: What of the photo's metadata to keep.

    Returns:
        Sentences about what of the metadata the format cannot hold.

    Raises:
        NightFlashError: With code ``bad_output``, naming the file: a suffix, folder or size that
            cannot be, transparency that JPEG would lose, a quality outside 1 to 100, no permission
            or no space.
    """
    path = Path(path)
    check_output(path)
    file_format = FORMATS[path.suffix.lower()]
    _check_fits(photo, path, file_format, quality)
    codes, source = _encoded(photo, file_format)
    source, notes = _with_metadata(source, photo, file_format, keep)
    _write_whole(path, lambda file: file_format.write(file, codes, source, quality))
    return notes


def _check_fits(photo: Photo, path: Path, file_format: Format, quality: int | None) -> None:
    """Raise where the format cannot hold the photo, or not at that quality."""
    if quality is not None and not 1 <= quality <= 100:
        raise _bad(f"The quality of {path} is 1 to 100, not {quality}.")
    if max(photo.width, photo.height) > file_format.longest_side:
        raise _bad(
            f"{path} cannot hold {photo.width} × {photo.height} pixels; "
            f"its format ends at {file_format.longest_side}.",
            "Use PNG or TIFF.",
        )
    opaque = photo.alpha is None or np.rint(photo.alpha.min() * 255) >= 255
    if not file_format.alpha and not opaque:
        raise _bad(
            f"{path} would lose the photo's transparency, which its format cannot hold.",
            "Use PNG, TIFF or WebP.",
        )


def _encoded(photo: Photo, file_format: Format) -> tuple[Codes, Encoding]:
    """The photo as codes that the format holds, and what they mean."""
    if not file_format.alpha:
        photo = replace(photo, alpha=None)
    source = photo.source
    bits = source.bits if source.bits in file_format.bits else file_format.bits[-1]
    if source.cicp is not None and source.cicp.is_hdr and bits == 8:
        photo = photo.with_rgb(tone_mapped(photo.rgb))
        source = replace(source, cicp=None)
    if bits == 8 < source.bits and _is_coarse(source):
        source = replace(source, icc=None, cicp=None)
    source, bits = _in_format(source, file_format, bits)
    codes = replace(photo, source=source).to_encoded(bits)
    if source.cicp is not None and not file_format.cicp(source.cicp):
        source = replace(source, icc=cicp_profile(source.cicp), cicp=None)
    if source.grey and codes.shape[2] > 2:
        source = replace(source, icc=None, cicp=None)  # they described grey
    if codes.shape[2] > 2 and source.jpeg is not None and len(source.jpeg.quantisation) < 2:
        source = replace(source, jpeg=None)  # likewise
    return codes, source


def _with_metadata(
    source: Encoding, photo: Photo, file_format: Format, keep: Keep
) -> tuple[Encoding, tuple[str, ...]]:
    """The encoding with the metadata of a result, and sentences about what is lost of them."""
    source, notes = result_encoding(
        source,
        (photo.width, photo.height),
        keep,
        holds_iptc=file_format.iptc,
        holds_maker_notes=file_format is not TIFF,
    )
    if file_format is JPEG:
        source, trimmed = _fitting_segments(source)
        notes += trimmed
    if file_format is not TIFF:
        source = with_thumbnail(source, photo.pixels)
    return source, notes


def _is_coarse(source: Encoding) -> bool:
    """Whether 8 bits in the source's colour space have no steps for the dark, as linear ones."""
    first = np.ones((1, 1, 1 if source.grey else 3), np.uint8)
    return bool(colour_space(source, 8).decode(first).max() > _COARSE)


def _in_format(source: Encoding, file_format: Format, bits: int) -> tuple[Encoding, int]:
    """The source in a colour space that the format has words for, and the bits to take."""
    if source.grey and not file_format.grey:
        source = replace(source, grey=False, icc=None, cicp=None)
    if bits == 32 and source.cicp is not None:
        source = replace(source, cicp=None)
    if source.icc is not None and not file_format.icc and profile_space(source.icc) is SRGB:
        source = replace(source, icc=None)
    holds = file_format.icc or (source.cicp is not None and file_format.cicp(source.cicp))
    if not holds and (source.icc is not None or source.cicp is not None):
        if source.grey:
            return replace(source, icc=None, cicp=None), bits
        return replace(source, icc=None, cicp=WIDE, depth=None), max(bits, 16)
    return source, bits


def _fitting_segments(source: Encoding) -> tuple[Encoding, tuple[str, ...]]:
    """The source with metadata that fit the segments of a JPEG file."""
    notes: list[str] = []
    block = exif.opened(source.exif)
    if block is not None:
        room = _LONGEST_SEGMENT - (LONGEST_THUMBNAIL if source.thumbnail else 0)
        data, left_out = exif.fitted(block, room)
        source = replace(source, exif=data)
        if left_out:
            what = ", ".join(left_out)
            notes.append(f"The photo's EXIF is longer than JPEG holds: without {what}.")
    if len(source.xmp or b"") > _LONGEST_SEGMENT - 100:
        source = replace(source, xmp=None)
        notes.append("The photo's XMP is longer than JPEG holds and is lost.")
    if len(source.iptc or b"") > _LONGEST_SEGMENT - 100:
        source = replace(source, iptc=None)
        notes.append("The photo's IPTC data are longer than JPEG holds and are lost.")
    return source, tuple(notes)


def check_output(path: str | PathLike[str]) -> None:
    """Raises what `write_photo` would raise about the name and the folder, before any work is done.

    Raises:
        NightFlashError: With code ``bad_output``.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise _bad(
            f"{path} has a suffix that NightFlash does not write.",
            f"Use one of {', '.join(FORMATS)}.",
        )
    try:
        folder = path.resolve().parent
        occupied, present = path.is_dir(), folder.is_dir()
        strange = path.exists() and not path.is_file()
    except OSError as fault:
        raise _bad(f"{path} cannot be written: {fault.strerror}.") from fault
    if occupied:
        raise _bad(f"{path} is a folder.", "Give the name of a file.")
    if strange:
        raise _bad(f"{path} is not an ordinary file.", "Give the name of a file.")
    if not present:
        raise _bad(f"{path} cannot be written: there is no folder {folder}.", "Make it first.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _bad(f"{path} cannot be written: no permission to write in {folder}.")


def _bad(sentence: str, remedy: str = "") -> NightFlashError:
    return NightFlashError(sentence, remedy, code="bad_output")


def _write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Writes beside the file, then takes its name; on any failure all is as it was before."""
    target = path.resolve()  # a link stays a link
    try:
        with written_whole(target) as file:
            write(file)
            if target.exists():
                shutil.copymode(target, file.name)
    except MemoryError as fault:
        raise _bad(f"{path} cannot be written: not enough memory is free.") from fault
    except OSError as fault:
        reason = fault.strerror or "the encoder failed"
        raise _bad(f"{path} cannot be written: {reason}.") from fault
    except (ValueError, RuntimeError) as fault:  # what Pillow and imagecodecs raise
        raise _bad(f"{path} cannot be written: the encoder failed ({fault}).") from fault
