"""TIFF files of 1 to 16 bits per sample and in floating point."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile
from PIL.TiffImagePlugin import TiffImageFile

from . import exif
from .encoding import Codes, Encoding, full_scale
from .raster import Raster, bad_photo, check_dimensions, pillow_raster, resolution

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK = 0, 1, 2, 5
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _CMYK: 4}
_UNSIGNED, _FLOAT = 1, 3
_ASSOCIATED = 1
_ORIENTATION, _ICC, _X_RESOLUTION, _Y_RESOLUTION, _UNIT = 274, 34675, 282, 283, 296
_CENTIMETRE = 3
_MAX_SAMPLES = 16


def decode_tiff(file: BinaryIO, path: Path) -> Raster:
    """The first page of a TIFF file.

    Grey, RGB and CMYK of 1 to 16 bits, half, single and double floats; an extra sample is alpha,
    associated alpha is divided out. Palettes and YCbCr come by way of Pillow, in 8 bits.
    """
    page = tifffile.TiffFile(file).pages[0]
    check_dimensions((page.imagewidth, page.imagelength), path)
    if page.photometric in _COLOURS:
        raster = _samples(page, path)
    else:
        file.seek(0)
        with exif.quietly():
            image = TiffImageFile(file)
        raster = pillow_raster(image, "tiff", path)
    icc = page.tags.valueof(_ICC)
    turned = page.tags.valueof(_ORIENTATION, default=1)
    return replace(
        raster,
        icc=bytes(icc) if icc else None,
        exif=exif.from_tiff(file),
        dpi=_dpi(page),
        orientation=int(turned) if turned in range(1, 9) else 1,
    )


def _samples(page: tifffile.TiffPage, path: Path) -> Raster:
    bits, kind = page.bitspersample, page.sampleformat
    if page.samplesperpixel > _MAX_SAMPLES or page.imagedepth != 1:
        raise bad_photo(f"{path} is not a photo: it has {page.samplesperpixel} samples per pixel.")
    if not (kind == _UNSIGNED and bits in range(1, 17)) and kind != _FLOAT:
        raise bad_photo(
            f"{path} has samples of a type that is not supported.",
            "Save it with 8 or 16 bits per channel, or as floating point.",
        )
    samples = page.asarray()
    if samples.ndim == 2:
        samples = samples[..., np.newaxis]
    elif page.axes.startswith("S"):
        samples = np.moveaxis(samples, 0, -1)
    samples = _floats(samples) if kind == _FLOAT else _full_range(samples, bits)
    colours = _COLOURS[page.photometric]
    colour = samples[..., :colours]
    if colour.shape[2] != colours:
        raise ValueError("fewer samples than the colour model has")
    if page.photometric == _WHITE_IS_ZERO:
        colour = colour.dtype.type(full_scale(colour.dtype)) - colour
    alpha = samples[..., colours] if samples.shape[2] > colours else None
    if alpha is not None and page.extrasamples[:1] == (_ASSOCIATED,):
        colour = _unassociated(colour, alpha)
    return Raster(colour, alpha, "tiff")


def _floats(samples: Codes) -> Codes:
    with np.errstate(over="ignore"):  # what overflows is refused later, as infinite
        return samples.astype(np.float32)


def _full_range(samples: Codes, bits: int) -> Codes:
    """Integers of 1 to 16 bits as uint8 or uint16 with the full code range."""
    dtype = np.dtype(np.uint8 if bits <= 8 else np.uint16)
    if bits in (8, 16):
        return samples.astype(dtype)
    scale = np.float32(full_scale(dtype) / (2**bits - 1))
    return np.rint(samples * scale).astype(dtype)


def _unassociated(colour: Codes, alpha: Codes) -> Codes:
    """Colour that has had alpha multiplied into it, without; black where alpha is 0."""
    top = full_scale(colour.dtype)
    opacity = alpha[..., np.newaxis].astype(np.float32) / np.float32(top)
    plain = np.where(opacity > 0, colour / np.maximum(opacity, np.finfo(np.float32).tiny), 0)
    if colour.dtype.kind == "f":
        return plain.astype(np.float32)
    return np.rint(np.minimum(plain, top)).astype(colour.dtype)


def _dpi(page: tifffile.TiffPage) -> tuple[float, float] | None:
    per_unit = []
    for tag in (_X_RESOLUTION, _Y_RESOLUTION):
        over, under = page.tags.valueof(tag, default=(0, 1))
        per_unit.append(over / under if under else 0.0)
    inches = 2.54 if page.tags.valueof(_UNIT) == _CENTIMETRE else 1.0
    return resolution([value * inches for value in per_unit])


def encode_tiff(file: BinaryIO, codes: Codes, source: Encoding) -> None:
    """Writes codes (H, W, 1 to 4), uint8, uint16 or float32, alpha last, losslessly compressed.

    Args:
        file: An empty file, open for reading and writing.
        codes: What `Photo.to_encoded` returns.
        source: The profile, EXIF block and resolution to write.
    """
    channels = codes.shape[2]
    tifffile.imwrite(
        file,
        codes if channels > 1 else codes[..., 0],
        byteorder="<",
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        predictor=True,
        rowsperstrip=64,
        iccprofile=source.icc,
        resolution=source.dpi,
        resolutionunit="INCH" if source.dpi else None,
        metadata=None,
        software=False,
    )
    if source.exif is not None:
        exif.into_tiff(file, source.exif)
