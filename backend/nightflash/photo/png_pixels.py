"""PNG files read: pixels by Pillow or, of 16 bits, by libpng."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL.PngImagePlugin import PngImageFile

from . import exif, iptc, png
from .encoding import Codes, full_scale
from .exif import quietly
from .png_passes import decode_passes
from .raster import Raster, check_dimensions, left_out, pillow_raster, resolution, split


def decode_png(file: BinaryIO, path: Path) -> Raster:
    """The picture of a PNG file."""
    with quietly():
        image = PngImageFile(file)
    check_dimensions(image.size, path)
    file.seek(0)
    data = file.read()
    found = png.chunks(data)
    block = png.exif(found)
    if png.bit_depth(data) == 16:
        deep = decode_passes(data) if png.is_interlaced(data) else imagecodecs.png_decode(data)
        raster = split(np.asarray(deep), "png")
    else:
        raster = pillow_raster(image, "png", path)
    cicp, icc, narrow = png.colour(found)
    colour = _full_range(raster.colour) if narrow else raster.colour
    resources = png.iptc(found)
    return replace(
        raster,
        colour=colour,
        icc=icc,
        cicp=cicp,
        exif=block,
        xmp=png.xmp(found),
        iptc=(iptc.from_photoshop(resources) or resources) if resources else None,
        dpi=resolution(image.info.get("dpi")),
        orientation=exif.orientation(block),
        notes=left_out(b"caBX" in found),
    )


def _full_range(codes: Codes) -> Codes:
    """Samples of video's narrow range, 16 to 235 of 255, stretched to the full one."""
    top = full_scale(codes.dtype)
    unit = (top + 1) / 256
    stretched = (codes.astype(np.float64) - 16 * unit) * (top / (219 * unit))
    full: Codes = np.rint(stretched).clip(0, top).astype(codes.dtype)
    return full
