"""One picture that a client has sent, and what is worked out of it once."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from nightflash.aim import Aim, check_aim, working_aim
from nightflash.client.coding import decoded, part_count, part_range
from nightflash.client.protocol import SAMPLE_TYPES, Buffer, Layout, Pixels, bad_request
from nightflash.engine.working import Working
from nightflash.errors import NightFlashError
from nightflash.fullsize.region import Region
from nightflash.imaging.resample import area
from nightflash.photo import Photo
from nightflash.photo.encoding import Codes, Linear, full_scale

OVERHEAD = 12_288  # bytes beside its pixels that a picture costs: libzmq's message and ours


class Upload:
    """A picture as it came, decoded when it is needed.

    Args:
        pixels: Kept as they are, not copied.
        freed: Takes what was charged for it when nothing needs it any more.

    Attributes:
        charged: Bytes that `Uploads` counts for it.
        digest: SHA-256 of the pixels, where it comes or came part by part.
        parts: How many of its parts have come; None where it came in one piece.
    """

    def __init__(self, pixels: Pixels, freed: deque[int] | None = None) -> None:
        self.pixels = pixels
        self.charged = 0
        self.digest = ""
        self.parts: int | None = None
        self._freed = freed
        self._working: tuple[float, tuple[Working, Linear | None]] | None = None
        self._region: tuple[tuple[Region, tuple[int, int]], Photo] | None = None
        self._working_mask: tuple[object, Linear | None] | None = None

    def __del__(self) -> None:
        if self._freed is not None:
            self._freed.append(self.charged)

    @property
    def whole(self) -> bool:
        """Whether all of it has come."""
        return self.parts is None or self.parts == part_count(self.layout)

    def take(self, number: int, coded: Buffer) -> None:
        """Take a part in.

        Raises:
            NightFlashError: ``bad_request`` where it is none, or not the next one.
        """
        if self.whole or number != self.parts:
            raise bad_request(f"The next part of this picture is {self.parts}.")
        start, end = part_range(self.layout, number)
        rows = memoryview(decoded(coded, self.layout, end - start))
        first = 0
        for strip in self.pixels.strips:
            kept = memoryview(strip)
            low, high = max(start, first), min(end, first + len(kept))
            if low < high:
                kept[low - first : high - first] = rows[low - start : high - start]
            first += len(kept)
        self.parts += 1

    @property
    def layout(self) -> Layout:
        """Size and format of the picture."""
        return self.pixels.layout

    @property
    def bytes(self) -> int:
        """What it costs: its pixels, and what was worked out of them and is remembered."""
        held = OVERHEAD + self.layout.bytes
        if (remembered := self._working) is not None:
            working, alpha = remembered[1]
            held += working.picture.nbytes + (0 if alpha is None else alpha.nbytes)
        if (region := self._region) is not None:
            held += region[1].nbytes
        if (mask := self._working_mask) is not None and mask[1] is not None:
            held += mask[1].nbytes
        return held

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.layout.width, self.layout.height

    def photo(self, copy: bool = True) -> Photo:
        """The picture as a photo.

        Args:
            copy: Whether its pixels are its own, so that they may be overwritten.

        Raises:
            NightFlashError: ``bad_photo`` for values that are no finite numbers.
        """
        return self._photo(self.array(), copy)

    @staticmethod
    def _photo(array: Codes, copy: bool = False) -> Photo:
        if array.dtype.kind == "u":
            return Photo.from_encoded(array, copy=copy)
        return Photo.from_linear(array)

    def working(self, megapixels: float) -> tuple[Working, Linear | None]:
        """The picture at a working size, and its opacity 0..1 (h, w) there if it has alpha.

        The last one is remembered.

        Raises:
            NightFlashError: As `photo`.
        """
        if self._working is None or self._working[0] != megapixels:
            photo = self.photo(copy=False)
            working, alpha = Working.of(photo, megapixels), photo.alpha
            if alpha is not None:
                alpha = area(alpha[..., None], working.dimensions)[..., 0]
            self._working = megapixels, (working, alpha)
        return self._working[1]

    def region(self, region: Region, size: tuple[int, int]) -> Photo:
        """A region of the picture at ``size`` (width, height), no larger than its own.

        The last one is remembered.

        Raises:
            NightFlashError: As `photo`.
        """
        if self._region is None or self._region[0] != (region, size):
            self._region = None  # its memory, before that of the next
            part = self._photo(self._part(region))
            if size != (region.width, region.height):
                alpha = None if part.alpha is None else area(part.alpha[..., None], size)[..., 0]
                part = replace(part.with_rgb(area(part.rgb, size)), alpha=alpha)
            self._region = (region, size), part
        return self._region[1]

    def _part(self, region: Region) -> Codes:
        """The samples of a region, of the strips that it touches alone."""
        rows, columns = region.slices
        dtype, parts = np.dtype(SAMPLE_TYPES[self.layout.sample]), []
        for strip, (top, count) in zip(self.pixels.strips, self.layout.strips(), strict=True):
            first, last = max(rows.start - top, 0), min(rows.stop - top, count)
            if first < last:
                shape = count, self.layout.width, self.layout.channels
                parts.append(np.frombuffer(strip, dtype).reshape(shape)[first:last, columns])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def mask(self) -> Linear:
        """A grey picture as coverage 0..1 (H, W): linear whatever the samples.

        Raises:
            NightFlashError: ``bad_aim`` where it is not grey.
        """
        if self.layout.channels != 1:
            raise NightFlashError("A mask is a grey picture.", code="bad_aim")
        samples = self.array()[..., 0]
        return samples.astype(np.float32) / np.float32(full_scale(samples.dtype))

    def strokes(self) -> Linear:
        """A picture of grey and alpha as strokes -1..1 (H, W): black removes, white adds.

        Raises:
            NightFlashError: ``bad_aim`` where it is none.
        """
        if self.layout.channels != 2:
            raise NightFlashError("Strokes are a picture of grey and alpha.", code="bad_aim")
        samples = self.array()
        grey, alpha = np.moveaxis(
            samples.astype(np.float32) / np.float32(full_scale(samples.dtype)), -1, 0
        )
        return np.ascontiguousarray((2 * grey - 1) * alpha)

    def working_mask(self, photo: tuple[int, int], size: tuple[int, int]) -> Linear | None:
        """`mask` at the working size; the last one is remembered.

        Args:
            photo: (width, height) of the photo, which the mask must fit.
            size: (width, height) of the working picture.

        Raises:
            NightFlashError: ``bad_aim`` where it does not fit, is empty, or holds no numbers.
        """
        key = photo, size
        if self._working_mask is None or self._working_mask[0] != key:
            aim = Aim(self.mask())
            check_aim(aim, photo)
            self._working_mask = key, working_aim(aim, photo, size).mask
        return self._working_mask[1]

    def array(self) -> Codes:
        """The samples (H, W, channels); a view where there is one strip."""
        dtype = np.dtype(SAMPLE_TYPES[self.layout.sample])
        width, channels = self.layout.width, self.layout.channels
        parts = [
            np.frombuffer(strip, dtype).reshape(-1, width, channels) for strip in self.pixels.strips
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
