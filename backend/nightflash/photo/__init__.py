"""Picture files and arrays <-> photos in linear light."""

from .encoding import Encoding, srgb_decode, srgb_encode
from .photo import Photo
from .reading import read_mask, read_photo
from .writing import check_output, write_photo

__all__ = [
    "Encoding",
    "Photo",
    "check_output",
    "read_mask",
    "read_photo",
    "srgb_decode",
    "srgb_encode",
    "write_photo",
]
