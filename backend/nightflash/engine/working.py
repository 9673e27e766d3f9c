"""The photo at the working size."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nightflash.imaging.resample import area, working_dimensions
from nightflash.photo import Photo

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
        small = area(photo.rgb, working_dimensions(*size, megapixels))
        return cls(np.clip(small, -LINEAR_LIMIT, LINEAR_LIMIT), size)

    @property
    def dimensions(self) -> tuple[int, int]:
        """(width, height) of the picture."""
        return self.picture.shape[1], self.picture.shape[0]

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What tells this picture from any other: a hash of its content, and the photo's size."""
        return digest(self.picture), self.picture.shape, self.size


def digest(values: npt.NDArray[np.float32]) -> bytes:
    """What tells these values from any others, (16,) bytes."""
    return hashlib.blake2b(np.ascontiguousarray(values).data, digest_size=16).digest()
