"""Picture files to photos and masks."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from nightflash.errors import NightFlashError

from .decoding import read_raster
from .encoding import Cicp, Codes, Encoding, Linear, full_scale, strips
from .exif import is_adobe_rgb
from .photo import Photo, require_finite
from .pixels import LinearPixels
from .profile import colour_model, profile_space
from .profile_writing import adobe_rgb
from .raster import Raster, bad_photo
from .spaces import SRGB

_SRGB = Cicp(1, 13)
_LOSSY = ("jpeg", "webp", "heif", "avif")
_RIPPLE = 0.2  # beside a hard edge
_MOST_BETWEEN = 0.02  # of the pixels of a mask of two values lie on its edges


def read_photo(path: str | PathLike[str]) -> Photo:
    """A photo from a JPEG, PNG, TIFF, WebP, HEIC, AVIF, JPEG XL, BMP or GIF file.

    The content decides which, not the name. 8 to 16 bits and floats; grey, RGB, palette, CMYK and
    CIELAB, with or without alpha. The orientation is applied. The colour space is given, in this
    order, by PNG's cICP, an ICC profile, the code points of HEIF, AVIF and JPEG XL, PNG's sRGB, or
    its gAMA and cHRM, or a camera's EXIF for Adobe RGB; otherwise integers are sRGB and floats
    linear sRGB. White of HDR spaces, 203 cd/m2, is 1. Of an animation the first frame is read, of a
    TIFF file the first page that is not reduced. CMYK becomes RGB, by its profile or else by
    ``(1 - ink)(1 - black)``. What is not understood is in the notes of the photo's source.

    Raises:
        NightFlashError: With code ``bad_photo``, naming the file: it cannot be read, is no picture,
            is damaged, is too large (`raster.MAX_PIXELS`), or holds NaN or infinity; or HEIC is
            not installed.
    """
    path = Path(path)
    raster = _finite_raster(path)
    try:
        if raster.colour.shape[2] == 4:
            return _from_inks(raster)
        if raster.lab:
            source = replace(_source(raster), icc=None, cicp=None)
            return Photo(LinearPixels(raster.colour), raster.alpha, source)
        return Photo.from_encoded(raster.colour, _source(raster), alpha=raster.alpha, copy=False)
    except NightFlashError as fault:
        raise bad_photo(f"{path}: {fault.sentence}", fault.remedy) from fault


def read_mask(path: str | PathLike[str]) -> Linear:
    """A soft selection from a picture file, upright, in its own size.

    The stored values are coverage as they are: 0 outside, 1 (white) inside, no transfer curve, no
    profile. A picture with any transparency gives its alpha; otherwise grey gives its values, RGB
    the mean of its channels (CMYK as RGB). Floats are clipped to 0..1. A file stored with loss
    whose mask is black and white but for what the loss did is taken for black and white.

    Returns:
        Coverage 0..1, float32 (H, W).

    Raises:
        NightFlashError: As `read_photo`.
    """
    raster = _finite_raster(Path(path))
    coverage = _coverage(raster)
    return _without_loss(coverage) if raster.format in _LOSSY else coverage


def _without_loss(coverage: Linear) -> Linear:
    """A mask of two values without the ripples of a lossy format; others as they are."""
    between = (coverage > _RIPPLE) & (coverage < 1 - _RIPPLE)
    if between.mean() > _MOST_BETWEEN:
        return coverage
    stretched: Linear = np.clip((coverage - _RIPPLE) / (1 - 2 * _RIPPLE), 0, 1)
    return stretched


def _coverage(raster: Raster) -> Linear:
    if raster.alpha is not None and raster.alpha.min() < full_scale(raster.alpha.dtype):
        return _unit(raster.alpha)
    coverage = np.empty(raster.colour.shape[:2], np.float32)
    for rows in strips(*raster.colour.shape[:2]):
        values = np.clip(_unit(raster.colour[rows]), 0, 1)
        coverage[rows] = _without_inks(values).mean(axis=-1)
    return coverage


def _finite_raster(path: Path) -> Raster:
    raster = read_raster(path)
    for part in (raster.colour, raster.alpha):
        if part is not None and part.dtype.kind == "f":
            require_finite(part, str(path))
    if raster.alpha is not None and raster.alpha.dtype.kind == "f":
        return replace(raster, alpha=np.clip(raster.alpha, 0, 1))
    return raster


def _source(raster: Raster) -> Encoding:
    bits = raster.lab or 8 * raster.colour.dtype.itemsize
    tagged = raster.icc is not None or raster.cicp is not None
    return Encoding(
        bits,
        icc=adobe_rgb() if not tagged and is_adobe_rgb(raster.exif) and bits < 32 else raster.icc,
        cicp=raster.cicp if raster.icc is None and raster.cicp != _SRGB else None,
        exif=raster.exif,
        format=raster.format,
        dpi=raster.dpi,
        depth=raster.depth,
        xmp=raster.xmp,
        iptc=raster.iptc,
        jpeg=raster.jpeg,
        thumbnail=raster.thumbnail,
        notes=raster.notes,
    )


def _from_inks(raster: Raster) -> Photo:
    """A photo from CMYK, by its profile if that is one for CMYK."""
    space = None
    if raster.icc is not None and colour_model(raster.icc) == "CMYK":
        space = profile_space(raster.icc)
    linear = np.empty((*raster.colour.shape[:2], 3), np.float32)
    for rows in strips(*linear.shape[:2]):
        inks = raster.colour[rows]
        linear[rows] = space.decode(inks) if space else SRGB.decode(_without_inks(_unit(inks)))
    alpha = None if raster.alpha is None else _unit(raster.alpha)
    return Photo(LinearPixels(linear), alpha, replace(_source(raster), icc=None))


def _without_inks(values: Linear) -> Linear:
    """Encoded grey or RGB as it is, CMYK (..., 4) as RGB: ``(1 - ink)(1 - black)``."""
    return (1 - values[..., :3]) * (1 - values[..., 3:]) if values.shape[-1] == 4 else values


def _unit(codes: Codes) -> Linear:
    """Codes as float32 0..1."""
    return codes.astype(np.float32) / np.float32(full_scale(codes.dtype))
