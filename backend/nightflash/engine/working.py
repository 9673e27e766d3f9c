"""The photo at the working size."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nightflash.aim import Aim, check_aim, working_aim
from nightflash.imaging.resample import area, working_dimensions
from nightflash.photo import Photo
from nightflash.photo.pixels import reduced

LINEAR_LIMIT = 1e4  # brighter values are no photo; keeps float32 arithmetic finite


@dataclass(frozen=True)
class Working:
    """A photo at the working size, all that depth, light and previews need of it.

    Attributes:
        picture: (h, w, 3) float32, linear.
        size: (width, height) of the full-size photo.
    """

    picture: npt.NDArray[np.float32]
    size: tuple[int, int]

    @classmethod
    def of(cls, photo: Photo, megapixels: float) -> Working:
        """Resample ``photo`` to at most ``megapixels``."""
        size = photo.width, photo.height
        wanted = working_dimensions(*size, megapixels)
        least = min(wanted[0], size[0]), min(wanted[1], size[1])
        small = area(reduced(photo.pixels, least), wanted)
        return cls(np.clip(small, -LINEAR_LIMIT, LINEAR_LIMIT), size)

    @property
    def dimensions(self) -> tuple[int, int]:
        """(width, height) of the picture."""
        return self.picture.shape[1], self.picture.shape[0]

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Content hash of the picture, and the photo's size."""
        return digest(self.picture), self.picture.shape, self.size


def digest(values: npt.NDArray[np.float32]) -> bytes:
    """Content hash of values: 16 bytes of BLAKE2b."""
    return hashlib.blake2b(np.ascontiguousarray(values).data, digest_size=16).digest()


def at_working_size(photo: Photo, megapixels: float, aim: Aim | None) -> tuple[Working, Aim]:
    """A photo and an aim at the working size.

    Raises:
        NightFlashError: ``bad_aim``: the aim does not fit the photo.
    """
    aim = aim or Aim()
    size = photo.width, photo.height
    check_aim(aim, size)
    working = Working.of(photo, megapixels)
    return working, working_aim(aim, size, working.dimensions)
