"""Pixels smaller for a slow line, without loss: PNG's idea of differences, then deflate.

A part of a picture, some whole rows, is coded alone: one byte that says how, then a zlib stream of
differences, whose bytes are put together by their place in a sample. Samples are whole numbers of
their width here, floats too, and differences wrap around. They are taken of all samples of a part
or a row at once, which are one large number: Python's arithmetic on those is quick, and a GIMP has
no other. Standard library only.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

from nightflash.client.protocol import Buffer, Layout, Pixels, bad_request

CODING = "differences"  # what `hello` calls it
PART_BYTES = 2**19  # of pixels; a part has one row at the least
GREEN, ABOVE, LEFT = 1, 2, 4  # what was subtracted: green of red and blue, the row, the pixel
WHOLE = 8  # bytes as they are: floats made of few codes are the same ones over and over
KNOWN = (*range(8), WHOLE)
TRIED_ROWS = 4  # of a part, by which the differences are chosen
SLACK = 1024  # bytes that a part may be larger than its pixels, beside a thousandth


def rows_of_part(layout: Layout) -> int:
    """How many rows a part has, but for the last one."""
    return max(1, PART_BYTES // layout.row_bytes)


def part_count(layout: Layout) -> int:
    """How many parts a picture has."""
    return -(-layout.height // rows_of_part(layout))


def part_range(layout: Layout, number: int) -> tuple[int, int]:
    """Where a part begins and ends, in bytes of the picture.

    Raises:
        NightFlashError: ``bad_request`` where there is no such part.
    """
    if type(number) is not int or not 0 <= number < part_count(layout):
        raise bad_request(f"This picture has parts 0 to {part_count(layout) - 1}.")
    size = rows_of_part(layout) * layout.row_bytes
    return number * size, min((number + 1) * size, layout.bytes)


def part_of(pixels: Pixels, number: int) -> Buffer:
    """The rows of a part.

    Raises:
        NightFlashError: ``bad_request`` where there is no such part.
    """
    start, end = part_range(pixels.layout, number)
    if len(pixels.strips) == 1:
        return memoryview(pixels.strips[0]).cast("B")[start:end]
    rows, first = [], 0
    for strip in pixels.strips:
        view = memoryview(strip).cast("B")
        rows.append(view[max(start - first, 0) : max(end - first, 0)])
        first += len(view)
    return b"".join(rows)


def encoded(part: Buffer, layout: Layout) -> bytes:
    """Code some whole rows of a picture."""
    tried = memoryview(part)[: TRIED_ROWS * layout.row_bytes]

    def size(taken: int) -> int:
        return len(_deflated(tried, layout, taken))

    best = min((0, ABOVE, LEFT, ABOVE | LEFT, WHOLE), key=size)
    if best != WHOLE and layout.channels >= 3 and size(best | GREEN) < size(best):
        best |= GREEN
    return bytes([best]) + _deflated(part, layout, best)


def decoded(coded: Buffer, layout: Layout, size: int) -> bytes:
    """The rows of a part; no more memory is taken than they need.

    Args:
        coded: As `encoded` gives it, from anybody.
        layout: Of the picture.
        size: Bytes of the rows.

    Raises:
        NightFlashError: ``bad_request`` for anything else.
    """
    whole = memoryview(coded)
    if not 1 < len(whole) <= size + size // 1000 + SLACK or whole[0] not in KNOWN:
        raise bad_request("A part of a picture is none.")
    stream = zlib.decompressobj()
    try:
        shuffled = stream.decompress(whole[1:], size)
        rest = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as fault:
        raise bad_request("A part of a picture is spoilt.") from fault
    if len(shuffled) != size or rest or not stream.eof or stream.unused_data:
        raise bad_request(f"A part of a picture has not the {size} bytes that it should.")
    if whole[0] == WHOLE:
        return shuffled
    width = layout.sample_bytes
    samples = bytearray(size)
    for plane in range(width):
        samples[plane::width] = shuffled[plane * size // width : (plane + 1) * size // width]
    return _summed(samples, layout, whole[0])


def _deflated(part: Buffer, layout: Layout, taken: int) -> bytes:
    if taken == WHOLE:
        return zlib.compress(part, 1)
    differences = _differences(part, layout, taken)
    width = layout.sample_bytes
    stream = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    planes = [stream.compress(differences[plane::width]) for plane in range(width)]
    return b"".join([*planes, stream.flush()])


def _differences(part: Buffer, layout: Layout, taken: int) -> bytes:
    size, row, width = memoryview(part).nbytes, layout.row_bytes, layout.sample_bytes
    samples = int.from_bytes(part, "little")
    if taken & GREEN:
        samples = _minus(samples, _green_of(samples, layout, size), width, size)
    if taken & ABOVE:
        samples = _minus(samples, samples << 8 * row & _ones(size), width, size)
    if taken & LEFT:
        pixel = width * layout.channels
        all_but_first = bytes(pixel) + b"\xff" * (row - pixel)
        samples = _minus(samples, samples << 8 * pixel & _all(all_but_first, size), width, size)
    return samples.to_bytes(size, "little")


def _summed(differences: Buffer, layout: Layout, taken: int) -> bytes:
    """The samples of which `_differences` were taken."""
    row, width = layout.row_bytes, layout.sample_bytes
    above, rows = 0, []
    for start in range(0, len(differences), row):
        samples = int.from_bytes(differences[start : start + row], "little")
        if taken & LEFT:
            step = width * layout.channels
            while step < row:  # sums of 2, of 4, of 8 ...
                samples = _plus(samples, samples << 8 * step & _ones(row), width, row)
                step *= 2
        if taken & ABOVE:
            samples = above = _plus(samples, above, width, row)
        if taken & GREEN:
            samples = _plus(samples, _green_of(samples, layout, row), width, row)
        rows.append(samples.to_bytes(row, "little"))
    return b"".join(rows)


def _green_of(samples: int, layout: Layout, size: int) -> int:
    """The green of every pixel in the place of its red and its blue."""
    width = layout.sample_bytes
    green = bytes(width) + b"\xff" * width + bytes(width * (layout.channels - 2))
    found = samples & _all(green, size)
    return found << 8 * width | found >> 8 * width


def _plus(some: int, more: int, width: int, size: int) -> int:
    """The sums of samples, each by itself: highest bits are apart, so that none carries over."""
    low, high = _bits(width, size)
    return ((some & low) + (more & low)) ^ ((some ^ more) & high)


def _minus(some: int, less: int, width: int, size: int) -> int:
    low, high = _bits(width, size)
    return ((some | high) - (less & low)) ^ ((some ^ less) & high) ^ high


def _bits(width: int, size: int) -> tuple[int, int]:
    """Of every sample all but the highest bit, and that one."""
    high = _all(bytes(width - 1) + b"\x80", size)
    return _ones(size) ^ high, high


def _ones(size: int) -> int:
    return _all(b"\xff", size)


@lru_cache(maxsize=32)
def _all(pattern: bytes, size: int) -> int:
    """A pattern of bytes over and over."""
    return int.from_bytes(pattern * (size // len(pattern)), "little")
