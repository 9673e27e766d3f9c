"""The formats that are written: what each can hold, and how its files are made of samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import imagecodecs
from PIL import Image

from . import png
from .avif import encode_avif
from .encoding import Cicp, Codes, Encoding
from .iptc import to_photoshop
from .jxl import encode_jxl, is_writable

_PNG_LEVEL = 3  # a third of the time of zlib's usual 6, for files 5 % larger
_QUALITY = 95  # where neither the source nor the user says anything
_EXIF_PREFIX = b"Exif\0\0"
_APP13 = b"\xff\xed"


def _write_jpeg(file: BinaryIO, codes: Codes, source: Encoding, quality: int | None) -> None:
    extra: dict[str, Any] = {"dpi": source.dpi} if source.dpi else {}
    if quality is None and source.jpeg is not None:
        extra["qtables"] = [list(table) for table in source.jpeg.quantisation]
        extra["subsampling"] = source.jpeg.subsampling
    else:
        extra |= {"quality": quality or _QUALITY, "subsampling": 0}
    if source.iptc is not None:
        resources = b"Photoshop 3.0\0" + to_photoshop(source.iptc)
        extra["extra"] = _APP13 + (len(resources) + 2).to_bytes(2) + resources
    _image(codes).save(
        file,
        "JPEG",
        icc_profile=source.icc,
        exif=_EXIF_PREFIX + source.exif if source.exif is not None else b"",
        xmp=source.xmp or b"",
        **extra,
    )


def _write_webp(file: BinaryIO, codes: Codes, source: Encoding, quality: int | None) -> None:
    lossless = quality == 100
    _image(codes).save(
        file,
        "WEBP",
        lossless=lossless,
        quality=50 if lossless else quality or _QUALITY,  # lossless: effort, not loss
        exact=True,
        icc_profile=source.icc or b"",
        exif=source.exif or b"",
        xmp=source.xmp or b"",
    )


def _write_png(file: BinaryIO, codes: Codes, source: Encoding, quality: int | None) -> None:
    pixels = codes if codes.shape[2] > 1 else codes[..., 0]
    data = bytes(imagecodecs.png_encode(pixels, level=_PNG_LEVEL))
    whole = png.with_metadata(
        data,
        icc=source.icc,
        cicp=source.cicp,
        exif=source.exif,
        xmp=source.xmp,
        iptc=None if source.iptc is None else to_photoshop(source.iptc),
        dpi=source.dpi,
    )
    file.write(whole)


def _write_tiff(file: BinaryIO, codes: Codes, source: Encoding, quality: int | None) -> None:
    from .tiff import encode_tiff  # tifffile takes 20 ms

    encode_tiff(file, codes, source)


def _write_avif(file: BinaryIO, codes: Codes, source: Encoding, quality: int | None) -> None:
    encode_avif(file, codes, source, quality or _QUALITY)


def _write_jxl(file: BinaryIO, codes: Codes, source: Encoding, quality: int | None) -> None:
    encode_jxl(file, codes, source, quality or _QUALITY)


def _image(codes: Codes) -> Image.Image:
    return Image.fromarray(codes if codes.shape[2] > 1 else codes[..., 0])


@dataclass(frozen=True)
class Format:
    """A format of files, and what it can hold.

    Attributes:
        write: Writes codes to a file, with the metadata of a source, in a quality of 1 to 100 or
            None for the source's own.
        bits: Per sample, the last where a source has others.
        longest_side: In pixels.
        grey, alpha, icc, iptc: Whether it holds these.
        cicp: Whether it holds such code points of a colour space.
    """

    write: Callable[[BinaryIO, Codes, Encoding, int | None], None]
    bits: tuple[int, ...]
    longest_side: int
    grey: bool = True
    alpha: bool = True
    icc: bool = True
    iptc: bool = True
    cicp: Callable[[Cicp], bool] = lambda cicp: False


WIDE = Cicp(9, 13)
"""BT.2020 with sRGB's curve: for profiles that JPEG XL's codec does not take."""
JPEG = Format(_write_jpeg, bits=(8,), longest_side=65_500, alpha=False)
PNG = Format(_write_png, bits=(8, 16), longest_side=2**31 - 1, cicp=lambda cicp: True)
TIFF = Format(_write_tiff, bits=(8, 16, 32), longest_side=2**31 - 1)
WEBP = Format(_write_webp, bits=(8,), longest_side=16_383, grey=False, iptc=False)
AVIF = Format(_write_avif, (8, 16), 65_536, grey=False, iptc=False, cicp=lambda cicp: True)
JXL = Format(_write_jxl, (8, 16, 32), 2**30, icc=False, iptc=False, cicp=is_writable)
FORMATS = {
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".png": PNG,
    ".tif": TIFF,
    ".tiff": TIFF,
    ".webp": WEBP,
    ".avif": AVIF,
    ".jxl": JXL,
}
"""By the suffix of files."""
