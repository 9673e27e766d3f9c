"""Photos to picture files."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL import Image

from nightflash.errors import NightFlashError

from . import png
from .encoding import Codes, Encoding
from .photo import Photo
from .tiff import encode_tiff

_PNG_LEVEL = 3  # a third of the time of zlib's usual 6, for files 5 % larger
_JPEG_MAX_EXIF = 65_500
_EXIF_PREFIX = b"Exif\0\0"


def write_photo(path: str | PathLike[str], photo: Photo, *, quality: int = 95) -> None:
    """Stores a photo as JPEG, PNG, TIFF or WebP, by the file name's suffix.

    Bits, grey, ICC profile, EXIF block and resolution are the source's where the format has them:

    - TIFF: 8 or 16 bits, or floats unclipped; deflated. EXIF: description, make, model, software,
      date, artist, copyright, the camera directory and the GPS directory (not in files above 4 GB).
    - PNG: 8 or 16 bits; floats become 16.
    - JPEG: 8 bits, chroma at full resolution. No alpha. An EXIF block too long for JPEG's 64 KB is
      left out.
    - WebP: 8 bits, always RGB; lossless at quality 100. No resolution.

    A grey source that is no longer grey becomes sRGB, as does CMYK. The file appears whole or not
    at all: it is written beside, under a hidden name, and then takes the name over.

    Args:
        path: Where to; an existing file is replaced, its permissions kept.
        photo: What to store.
        quality: 1 to 100, of JPEG and WebP.

    Raises:
        NightFlashError: With code ``bad_output``, naming the file: a suffix, folder or size that
            cannot be, transparency that JPEG would lose, a quality outside 1 to 100, no permission
            or no space.
    """
    path = Path(path)
    check_output(path)
    if not 1 <= quality <= 100:
        raise _bad(f"The quality of {path} is 1 to 100, not {quality}.")
    file_format = _FORMATS[path.suffix.lower()]
    if max(photo.width, photo.height) > file_format.longest_side:
        raise _bad(
            f"{path} cannot hold {photo.width} × {photo.height} pixels; "
            f"its format ends at {file_format.longest_side}.",
            "Use PNG or TIFF.",
        )
    if not file_format.alpha:
        photo = _without_alpha(photo, path)
    source = photo.source
    if source.grey and not file_format.grey:
        source = replace(source, grey=False, icc=None)
    bits = source.bits if source.bits in file_format.bits else file_format.bits[-1]
    codes = replace(photo, source=source).to_encoded(bits)
    if source.grey and codes.shape[2] > 2:
        source = replace(source, icc=None)  # it described grey
    _write_whole(path, lambda file: file_format.write(file, codes, source, quality))


def check_output(path: str | PathLike[str]) -> None:
    """Raises what `write_photo` would raise about the name and the folder, before any work is done.

    Raises:
        NightFlashError: With code ``bad_output``.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise _bad(
            f"{path} has a suffix that NightFlash does not write.",
            f"Use one of {', '.join(_FORMATS)}.",
        )
    try:
        folder = path.resolve().parent
        occupied, present = path.is_dir(), folder.is_dir()
    except OSError as fault:
        raise _bad(f"{path} cannot be written: {fault.strerror}.") from fault
    if occupied:
        raise _bad(f"{path} is a folder.", "Give the name of a file.")
    if not present:
        raise _bad(f"{path} cannot be written: there is no folder {folder}.", "Make it first.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _bad(f"{path} cannot be written: no permission to write in {folder}.")


def _bad(sentence: str, remedy: str = "") -> NightFlashError:
    return NightFlashError(sentence, remedy, code="bad_output")


def _without_alpha(photo: Photo, path: Path) -> Photo:
    if photo.alpha is not None and np.rint(photo.alpha.min() * 255) < 255:
        raise _bad(
            f"{path} would lose the photo's transparency, which its format cannot hold.",
            "Use PNG, TIFF or WebP.",
        )
    return replace(photo, alpha=None)


def _write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Writes beside the file, then takes its name; on any failure all is as it was before."""
    target = path.resolve()  # a link stays a link
    beside = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    try:
        try:
            with beside.open("x+b") as file:
                write(file)
            if target.exists():
                shutil.copymode(target, beside)
            beside.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
    except MemoryError as fault:
        raise _bad(f"{path} cannot be written: not enough memory is free.") from fault
    except OSError as fault:
        reason = fault.strerror or "the encoder failed"
        raise _bad(f"{path} cannot be written: {reason}.") from fault
    except (ValueError, RuntimeError) as fault:  # what Pillow and imagecodecs raise
        raise _bad(f"{path} cannot be written: the encoder failed ({fault}).") from fault


def _write_jpeg(file: BinaryIO, codes: Codes, source: Encoding, quality: int) -> None:
    exif = _EXIF_PREFIX + source.exif if source.exif is not None else b""
    extra = {"dpi": source.dpi} if source.dpi else {}
    _image(codes).save(
        file,
        "JPEG",
        quality=quality,
        subsampling=0,
        icc_profile=source.icc,
        exif=exif if len(exif) <= _JPEG_MAX_EXIF else b"",
        **extra,
    )


def _write_webp(file: BinaryIO, codes: Codes, source: Encoding, quality: int) -> None:
    lossless = quality == 100
    _image(codes).save(
        file,
        "WEBP",
        lossless=lossless,
        quality=50 if lossless else quality,  # lossless: effort, not loss
        exact=True,
        icc_profile=source.icc or b"",
        exif=source.exif or b"",
    )


def _write_png(file: BinaryIO, codes: Codes, source: Encoding, quality: int) -> None:
    pixels = codes if codes.shape[2] > 1 else codes[..., 0]
    data = bytes(imagecodecs.png_encode(pixels, level=_PNG_LEVEL))
    file.write(png.with_metadata(data, source.icc, source.exif, source.dpi))


def _write_tiff(file: BinaryIO, codes: Codes, source: Encoding, quality: int) -> None:
    encode_tiff(file, codes, source)


def _image(codes: Codes) -> Image.Image:
    return Image.fromarray(codes if codes.shape[2] > 1 else codes[..., 0])


@dataclass(frozen=True)
class _Format:
    write: Callable[[BinaryIO, Codes, Encoding, int], None]
    bits: tuple[int, ...]
    longest_side: int
    grey: bool = True
    alpha: bool = True


_JPEG = _Format(_write_jpeg, bits=(8,), longest_side=65_500, alpha=False)
_PNG = _Format(_write_png, bits=(8, 16), longest_side=2**31 - 1)
_TIFF = _Format(_write_tiff, bits=(8, 16, 32), longest_side=2**31 - 1)
_WEBP = _Format(_write_webp, bits=(8,), longest_side=16_383, grey=False)
_FORMATS = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".png": _PNG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".webp": _WEBP,
}
