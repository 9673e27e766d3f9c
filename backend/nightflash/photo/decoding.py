"""Which decoder reads a picture file, by its first bytes; JPEG, and what Pillow decodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

from nightflash.errors import NightFlashError

from . import exif, jpeg, png, raw
from .exif import quietly
from .raster import Raster, bad_photo, check_dimensions, left_out, pillow_raster, resolution, split

MOST_SCANS = 100
"""JPEGs of more scans are refused: each is a pass over the whole picture; programs write 10."""

_KNOWN = "NightFlash reads JPEG, PNG, TIFF, WebP, HEIC, AVIF and JPEG XL pictures."


def read_raster(path: Path) -> Raster:
    """The first picture of a file, recognised by its content and not its name, upright.

    Raises:
        NightFlashError: With code ``bad_photo``: no such file, no permission, no picture, damaged,
            of a kind that is not supported, or of more than `MAX_PIXELS` pixels.
    """
    with _plainly(path):
        if path.is_dir():
            raise bad_photo(f"{path} is a folder, not a picture.")
        if path.exists() and not path.is_file():
            raise bad_photo(f"{path} is not an ordinary file.")
        with path.open("rb") as file:
            start = file.read(32)
            file.seek(0)
            return _decoder(start, path)(file, path).upright()


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    """Whatever goes wrong with a file, in one sentence."""
    try:
        yield
    except NightFlashError:
        raise
    except FileNotFoundError as fault:
        raise bad_photo(f"{path} does not exist.") from fault
    except MemoryError as fault:
        raise bad_photo(f"{path} needs more memory than is free.") from fault
    except (NotImplementedError, ImportError) as fault:
        raise bad_photo(
            f"{path} is stored in a way that is not supported ({fault}).", "Save it as PNG or TIFF."
        ) from fault
    except OSError as fault:
        if fault.errno is None:  # Pillow's own
            raise _damaged(path) from fault
        raise bad_photo(f"{path} cannot be read: {fault.strerror}.") from fault
    except Exception as fault:  # decoders raise dozens of kinds on damaged files
        raise _damaged(path) from fault


def _damaged(path: Path) -> NightFlashError:
    return bad_photo(f"{path} cannot be read: the picture is damaged or cut short.")


_Decoder = Callable[[BinaryIO, Path], Raster]


def _decoder(start: bytes, path: Path) -> _Decoder:
    """The decoder for a file that begins with these bytes."""
    if not start:
        raise bad_photo(f"{path} is empty.")
    if raw.is_raw(start):
        raise raw.refused(path)
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        from .tiff import decode_tiff

        return decode_tiff
    if start[4:8] == b"ftyp":
        if start[8:12] in _AVIF_BRANDS or (start[8:12] in _ANY_BRANDS and b"avi" in start[12:32]):
            from .heif import decode_avif

            return decode_avif
        if start[8:12] in (*_HEIF_BRANDS, *_ANY_BRANDS):
            from .heif import decode_heif

            return decode_heif
    if start.startswith((_JXL_CODESTREAM, _JXL_CONTAINER)):
        from .jxl import decode_jxl

        return decode_jxl
    if start.startswith(png.SIGNATURE):
        from .png_pixels import decode_png

        return decode_png
    for signature, decoder in _BY_PILLOW.items():
        if start.startswith(signature) and (signature != b"RIFF" or start[8:12] == b"WEBP"):
            return decoder
    raise bad_photo(f"{path} is not a picture that NightFlash reads.", _KNOWN)


_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_ANY_BRANDS = (b"mif1", b"msf1", b"miaf")
_AVIF_BRANDS = (b"avif", b"avis")
_JXL_CODESTREAM, _JXL_CONTAINER = b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"


def _decode_jpeg(file: BinaryIO, path: Path) -> Raster:
    data = file.read()
    found = jpeg.segments(data)
    file.seek(0)
    if jpeg.is_for_pillow(found):
        with quietly():
            image = JpegImageFile(file)
        check_dimensions(image.size, path)
        if jpeg.scans(data, MOST_SCANS + 1) > MOST_SCANS:
            raise bad_photo(
                f"{path} is a JPEG of more than {MOST_SCANS} scans.", "Save it anew as a plain one."
            )
        block, tables = image.info.get("exif"), jpeg.tables(image)
        raster = pillow_raster(image, "jpeg", path)
    else:
        raster, block, tables = _uncommon_jpeg(file, data, found, path), found.exif, None
    return replace(
        raster,
        exif=block,
        xmp=found.xmp,
        extended_xmp=found.extended,
        iptc=found.iptc,
        dpi=resolution(found.density),
        orientation=exif.orientation(block),
        jpeg=tables,
        notes=left_out(found.c2pa, found.gain_map),
    )


def _uncommon_jpeg(file: BinaryIO, data: bytes, found: jpeg.Segments, path: Path) -> Raster:
    check_dimensions(found.size, path)
    try:
        samples = jpeg.decode_uncommon(data, found)
    except Exception as fault:
        raise bad_photo(
            f"{path} is a JPEG file of a kind that is not supported: {found.precision} bits per "
            f"sample, process {found.process - 0xC0}.",
            "Save it with 8 bits, or as TIFF.",
        ) from fault
    return split(samples, "jpeg", found.icc)


def _by_pillow(kind: type[Any], name: str) -> _Decoder:
    def decode(file: BinaryIO, path: Path) -> Raster:
        # The class itself, as Image.open has limits and warnings of its own.
        with quietly():
            image = kind(file)
        check_dimensions(image.size, path)
        block = image.info.get("exif")
        raster = pillow_raster(image, name, path)
        dpi = resolution(image.info.get("dpi"))
        file.seek(0)
        return replace(
            raster,
            exif=block,
            xmp=image.info.get("xmp"),
            dpi=dpi,
            orientation=exif.orientation(block),
            notes=left_out(name == "webp" and b"C2PA" in _riff_chunks(file.read())),
        )

    return decode


def _riff_chunks(data: bytes) -> set[bytes]:
    """The kinds of chunks of a WebP file."""
    found, place = set(), 12
    while place + 8 <= len(data):
        found.add(data[place : place + 4])
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8 + size + size % 2
    return found


_BY_PILLOW: dict[bytes, _Decoder] = {
    b"\xff\xd8\xff": _decode_jpeg,
    b"RIFF": _by_pillow(WebPImageFile, "webp"),
    b"BM": _by_pillow(BmpImageFile, "bmp"),
    b"GIF8": _by_pillow(GifImageFile, "gif"),
}
