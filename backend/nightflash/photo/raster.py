"""The pixels of a picture file as they are stored, upright, before any colour is understood."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

from nightflash.errors import NightFlashError

from . import exif, iptc, jpeg, png, raw, xmp
from .encoding import Cicp, Codes, JpegTables
from .exif import quietly

MAX_PIXELS = 500_000_000
"""Pictures of more pixels are refused before anything is decoded: 6 GB in linear light."""

MOST_SCANS = 100
"""JPEGs of more scans are refused: each is a pass over the whole picture; programs write 10."""

_KNOWN = "NightFlash reads JPEG, PNG, TIFF, WebP, HEIC, AVIF and JPEG XL pictures."
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


def read_raster(path: Path) -> Raster:
    """The first picture of a file, told by its content and not its name, upright.

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


def spread(samples: Codes, depth: int) -> Codes:
    """Samples of so many bits as uint16 of the full range."""
    codes: Codes = np.rint(samples.astype(np.float64) * (65535 / (2**depth - 1))).astype(np.uint16)
    return codes


def left_out(c2pa: bool, gain_map: bool = False) -> tuple[str, ...]:
    """Sentences about what a file had beside its picture."""
    return (*[C2PA_NOTE] * c2pa, *[GAIN_MAP_NOTE] * gain_map)


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
    samples = np.asarray(image if image.mode == mode else image.convert(mode))
    if mode == "CMYK":
        return Raster(samples, None, name, icc)
    return split(samples, name, icc)


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
