"""HEIF and AVIF files read: pixels by their codecs, what they mean by the boxes around."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL.AvifImagePlugin import AvifImageFile

from . import exif, isobmff
from .encoding import Cicp
from .exif import quietly
from .raster import Raster, bad_photo, check_dimensions, left_out, split, spread


def decode_heif(file: BinaryIO, path: Path) -> Raster:
    """The picture of a HEIC file, upright."""
    try:
        import pillow_heif
    except ImportError as fault:
        raise bad_photo(
            f"{path} is a HEIC picture, and the package that reads those is not installed.",
            "Install nightflash[heic].",
        ) from fault
    image = pillow_heif.open_heif(file, convert_hdr_to_8bit=False)
    check_dimensions(image.size, path)
    samples, depth = np.asarray(image), image.info.get("bit_depth")
    if samples.dtype == np.uint16 and depth in range(9, 16):  # in the upper bits
        samples = spread(samples >> (16 - depth), depth)
    nclx = image.info.get("nclx_profile") or {}
    points = nclx.get("color_primaries"), nclx.get("transfer_characteristics")
    file.seek(0)
    return replace(
        split(samples, "heif", image.info.get("icc_profile") or None, image.info.get("exif")),
        cicp=None if None in points else Cicp(*(int(point or 0) for point in points)),
        xmp=image.info.get("xmp"),
        orientation=None,  # the decoder has applied it
        depth=depth if samples.dtype == np.uint16 and depth != 16 else None,
        thumbnail=bool(image.info.get("thumbnails")),
        notes=left_out(isobmff.has_c2pa(file.read()), bool(image.info.get("aux"))),
    )


def decode_avif(file: BinaryIO, path: Path) -> Raster:
    """The picture of an AVIF file, or the first of a sequence."""
    with quietly():
        image = AvifImageFile(file)
    check_dimensions(image.size, path)
    file.seek(0)
    data = file.read()
    samples = np.asarray(imagecodecs.avif_decode(data))
    if samples.ndim == 4:
        samples = samples[0]  # of a sequence
    depth = isobmff.bit_depth(data) if samples.dtype == np.uint16 else None
    if depth is not None:
        samples = spread(samples, depth)
    block, icc = image.info.get("exif"), image.info.get("icc_profile") or None
    return replace(
        split(samples, "avif", icc, block),
        cicp=isobmff.code_points(data),
        xmp=image.info.get("xmp"),
        orientation=exif.orientation(block),  # of the boxes irot and imir: Pillow gives it so
        depth=depth,
        notes=left_out(isobmff.has_c2pa(data), b"tmap" in data[:4096]),
    )
