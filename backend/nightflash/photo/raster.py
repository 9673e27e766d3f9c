"""The pixels of a picture file as they are stored, upright, before any colour is understood."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from nightflash.errors import NightFlashError

from . import png
from .encoding import Codes
from .exif import orientation, quietly, upright

MAX_PIXELS = 500_000_000
"""Pictures of more pixels are refused before anything is decoded: 6 GB in linear light."""

_KNOWN = "NightFlash reads JPEG, PNG, TIFF, WebP and HEIC pictures."


@dataclass(frozen=True, eq=False)
class Raster:
    """Stored samples and the metadata beside them.

    Args:
        colour: Samples, uint8, uint16 or float32, (H, W, 1) grey, (H, W, 3) RGB, (H, W, 4) CMYK
            with 0 for no ink.
        alpha: Opacity (H, W) in the same type, not multiplied into the colour, or None.
        format: ``jpeg``, ``png``, ``tiff``, ``webp``, ``heif``, ``bmp`` or ``gif``.
        icc: ICC profile or None.
        exif: EXIF block or None.
        dpi: Pixels per inch, horizontally and vertically, or None.
        orientation: EXIF orientation 1..8 still to be applied.
    """

    colour: Codes
    alpha: Codes | None
    format: str
    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    orientation: int = 1

    def upright(self) -> Raster:
        """The picture as it is meant to be seen, in its metadata too."""
        colour = _turned(self.colour, self.orientation)
        alpha = None if self.alpha is None else _turned(self.alpha, self.orientation)
        height, width = colour.shape[:2]
        dpi = self.dpi[::-1] if self.dpi and self.orientation >= 5 else self.dpi
        exif = upright(self.exif, width, height)
        return replace(self, colour=colour, alpha=alpha, dpi=dpi, exif=exif, orientation=1)


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
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        from .tiff import decode_tiff

        return decode_tiff
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS:
        return _decode_heif
    if start.startswith(png.SIGNATURE):
        return _decode_png
    for signature, decoder in _BY_PILLOW.items():
        if start.startswith(signature) and (signature != b"RIFF" or start[8:12] == b"WEBP"):
            return decoder
    raise bad_photo(f"{path} is not a picture that NightFlash reads.", _KNOWN)


_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def _decode_heif(file: BinaryIO, path: Path) -> Raster:
    try:
        import pillow_heif
    except ImportError as fault:
        raise bad_photo(
            f"{path} is a HEIC picture, and the package that reads those is not installed.",
            "Install nightflash[heic].",
        ) from fault
    image = pillow_heif.open_heif(file, convert_hdr_to_8bit=False)
    check_dimensions(image.size, path)
    exif = image.info.get("exif")
    # The decoder has applied the orientation already.
    return _split(np.asarray(image), "heif", image.info.get("icc_profile") or None, exif)


def _decode_png(file: BinaryIO, path: Path) -> Raster:
    with quietly():
        image = PngImageFile(file)
    check_dimensions(image.size, path)
    file.seek(0)
    data = file.read()
    exif = png.exif(data) or _exif_as_text(image)
    if png.bit_depth(data) == 16:
        raster = _split(imagecodecs.png_decode(data), "png")
    else:
        raster = pillow_raster(image, "png", path)
    icc, dpi = image.info.get("icc_profile"), resolution(image.info.get("dpi"))
    return replace(raster, icc=icc, exif=exif, dpi=dpi, orientation=orientation(exif))


def _exif_as_text(image: PngImageFile) -> bytes | None:
    """EXIF in the text chunk that ImageMagick and older Exiv2 write: three lines, then hex."""
    try:
        return bytes.fromhex("".join(image.info["Raw profile type exif"].split("\n")[3:]))
    except (KeyError, ValueError, AttributeError):
        return None


def _by_pillow(kind: type[Any], name: str) -> _Decoder:
    def decode(file: BinaryIO, path: Path) -> Raster:
        # The class itself, as Image.open has limits and warnings of its own.
        with quietly():
            image = kind(file)
        check_dimensions(image.size, path)
        exif = image.info.get("exif")
        raster = pillow_raster(image, name, path)
        dpi = resolution(image.info.get("dpi"))
        return replace(raster, exif=exif, dpi=dpi, orientation=orientation(exif))

    return decode


_BY_PILLOW: dict[bytes, _Decoder] = {
    b"\xff\xd8\xff": _by_pillow(JpegImageFile, "jpeg"),
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
    return _split(samples, name, icc)


def _split(
    samples: Codes, name: str, icc: bytes | None = None, exif: bytes | None = None
) -> Raster:
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
