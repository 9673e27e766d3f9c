"""TIFF files of 1 to 16 bits per sample and in floating point."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import tifffile
from PIL.TiffImagePlugin import TiffImageFile

from nightflash.errors import NightFlashError

from . import exif, exif_in_tiff, iptc, raw
from .encoding import Codes, Encoding, full_scale
from .lab import linear_from_lab
from .raster import C2PA_NOTE, Raster, bad_photo, check_dimensions, pillow_raster, resolution

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # faults are sentences of ours

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_LAB = (8, 9)  # a* and b* signed, and as ICC has them
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _CMYK: 4, **dict.fromkeys(_LAB, 3)}
_UNSIGNED, _FLOAT = 1, 3
_ASSOCIATED, _UNASSOCIATED = 1, 2
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2
_KIND, _OLD_KIND, _SUB_DIRECTORIES = 254, 255, 330
_ORIENTATION, _ICC, _X_RESOLUTION, _Y_RESOLUTION, _UNIT = 274, 34675, 282, 283, 296
_XMP, _IPTC, _PHOTOSHOP, _C2PA = 700, 33723, 34377, 0xCD41
_NO_UNIT, _CENTIMETRE = 1, 3
_MAX_SAMPLES = 16
_MOST_PAGES = 64


def decode_tiff(file: BinaryIO, path: Path) -> Raster:
    """The first picture of a TIFF file that is neither a reduced copy nor a mask.

    Grey, RGB and CMYK of 1 to 16 bits, half, single and double floats, CIELAB of 8 and 16 bits;
    the extra sample marked as alpha is alpha, associated alpha is divided out. Palettes and YCbCr
    come by way of Pillow, in 8 bits.
    """
    tiff = tifffile.TiffFile(file)
    pages = _pages(tiff)
    if raw.is_raw_tiff(pages):
        raise raw.refused(path)
    full = [page for page in pages if not _is_reduced(page)]
    page = full[0] if full else max(pages, key=lambda p: p.imagewidth * p.imagelength)
    check_dimensions((page.imagewidth, page.imagelength), path)
    if page.photometric in _COLOURS:
        raster = _samples(page, path)
    elif page.photometric in (_PALETTE, _YCBCR):
        raster = _by_pillow(file, page, path)
    else:
        raise _unsupported(path, f"its colours are of the kind {int(page.photometric)}")
    first = pages[0].tags
    icc, turned = (page.tags.valueof(tag) or first.valueof(tag) for tag in (_ICC, _ORIENTATION))
    notes = list(raster.notes)
    if _C2PA in first:
        notes.append(C2PA_NOTE)
    sizes = [page.imagewidth * page.imagelength for page in full]
    if len(sizes) > 1:
        notes.append(f"The file has {len(sizes)} pictures; the first was taken.")
    return replace(
        raster,
        icc=bytes(icc) if icc else None,
        exif=exif_in_tiff.from_tiff(file),
        xmp=_bytes(first.valueof(_XMP)),
        iptc=_bytes(first.valueof(_IPTC))
        or iptc.from_photoshop(_bytes(first.valueof(_PHOTOSHOP)) or b""),
        dpi=_dpi(page),
        orientation=int(turned) if turned in range(1, 9) else 1,
        thumbnail=len(full) < len(pages),
        notes=tuple(notes),
    )


def _pages(tiff: tifffile.TiffFile) -> list[Any]:
    """The directories of the file, each followed by those below it."""
    found: list[Any] = []
    for number, page in enumerate(tiff.pages):
        if number >= _MOST_PAGES:
            break
        page = page.aspage() if hasattr(page, "aspage") else page
        found.append(page)
        if _SUB_DIRECTORIES in page.tags and page.pages is not None:
            found += [sub.aspage() for sub in list(page.pages)[:_MOST_PAGES]]
    return found


def _is_reduced(page: Any) -> bool:
    kind = page.tags.valueof(_KIND, default=0) or 0
    return bool(int(kind) & (_REDUCED | _MASK)) or page.tags.valueof(_OLD_KIND) == _OLD_REDUCED


def _by_pillow(file: BinaryIO, page: Any, path: Path) -> Raster:
    file.seek(0)
    with exif.quietly():
        image = TiffImageFile(file)
        for number in range(_MOST_PAGES):
            image.seek(number)
            if image.tag_v2._offset == page.offset or image.size == (
                page.imagewidth,
                page.imagelength,
            ):
                return pillow_raster(image, "tiff", path)
    raise _unsupported(path, "its picture lies below another")


def _unsupported(path: Path, why: str) -> NightFlashError:
    return bad_photo(
        f"{path} is a TIFF file of a kind that is not supported: {why}.",
        "Save it as RGB with 8 or 16 bits per channel, or as floating point.",
    )


def _bytes(value: Any) -> bytes | None:
    """A tag's bytes, whichever type it has."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, tuple) and value and all(isinstance(v, int) for v in value):
        wide = max(value) > 255
        return b"".join(v.to_bytes(4 if wide else 1, "little") for v in value if v >= 0)
    return None


def _samples(page: tifffile.TiffPage, path: Path) -> Raster:
    _check_samples(page, path)
    bits, lab = page.bitspersample, page.photometric in _LAB
    samples = _array(page, path)
    if lab:
        samples = samples.view(f"uint{bits}")
    else:
        floats = page.sampleformat == _FLOAT
        samples = _floats(samples) if floats else _full_range(samples, bits)
    colours = _COLOURS[page.photometric]
    colour = samples[..., :colours]
    if colour.shape[2] != colours:
        raise ValueError("fewer samples than the colour model has")
    if page.photometric == _WHITE_IS_ZERO:
        colour = colour.dtype.type(full_scale(colour.dtype)) - colour
    alpha, associated = _alpha(page, samples, colours)
    notes: tuple[str, ...] = ()
    if samples.shape[2] > colours + (alpha is not None):
        notes = ("Channels of the file that are neither colour nor alpha were left out.",)
    if lab:
        light = linear_from_lab(colour, signed=page.photometric == _LAB[0])
        alpha = None if alpha is None else alpha.astype(np.float32) / np.float32(2**bits - 1)
        return Raster(light, alpha, "tiff", lab=bits, notes=notes)
    if alpha is not None and associated:
        colour = _unassociated(colour, alpha)
    return Raster(colour, alpha, "tiff", notes=notes)


def _check_samples(page: tifffile.TiffPage, path: Path) -> None:
    """Raise where the samples are of a type or a number that no photo of ours has."""
    bits, kind = page.bitspersample, page.sampleformat
    if page.samplesperpixel > _MAX_SAMPLES or page.imagedepth != 1:
        raise bad_photo(f"{path} is not a photo: it has {page.samplesperpixel} samples per pixel.")
    lab = page.photometric in _LAB
    if lab and bits not in (8, 16):
        raise _unsupported(path, f"CIELAB of {bits} bits")
    if not (kind == _UNSIGNED and bits in range(1, 17)) and kind != _FLOAT and not lab:
        raise bad_photo(
            f"{path} has samples of a type that is not supported.",
            "Save it with 8 or 16 bits per channel, or as floating point.",
        )


def _array(page: tifffile.TiffPage, path: Path) -> npt.NDArray[Any]:
    """The samples as they are stored, (H, W, samples)."""
    try:
        samples: npt.NDArray[Any] = page.asarray()
    except ValueError as fault:
        if "not supported" in str(fault) or "requires" in str(fault):
            raise _unsupported(path, f"its compression is {page.compression!s}") from fault
        raise
    if samples.ndim == 2:
        return samples[..., np.newaxis]
    return np.moveaxis(samples, 0, -1) if page.axes.startswith("S") else samples


def _alpha(page: tifffile.TiffPage, samples: Codes, colours: int) -> tuple[Codes | None, bool]:
    """The sample that is marked as alpha, and whether the colours are multiplied by it."""
    extras = [int(extra) for extra in page.extrasamples or ()]
    marked = [i for i, extra in enumerate(extras) if extra in (_ASSOCIATED, _UNASSOCIATED)]
    if not marked or samples.shape[2] <= colours + marked[0]:
        return None, False
    return samples[..., colours + marked[0]], extras[marked[0]] == _ASSOCIATED


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
    if page.tags.valueof(_UNIT) == _NO_UNIT:
        return None
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
        source: The profile, metadata and resolution to write.
    """
    channels = codes.shape[2]
    texts = ((_XMP, source.xmp), (_IPTC, source.iptc))
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
        extratags=[
            (tag, 7 if tag == _IPTC else 1, len(text), text, True) for tag, text in texts if text
        ],
    )
    block = exif.opened(source.exif)
    if block is not None:
        exif_in_tiff.into_tiff(file, block)
