"""Multipart messages over a pipe: how many frames, then each with its length before it.

Standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import IO

from nightflash.client.protocol import MAX_FRAME, Buffer, bad_request

_COUNT, _LENGTH = struct.Struct(">I"), struct.Struct(">Q")
MOST_FRAMES = 256


def write_frames(pipe: IO[bytes], frames: Sequence[Buffer]) -> None:
    """Write one message.

    Raises:
        OSError: The other end has gone.
    """
    pipe.write(_COUNT.pack(len(frames)))
    for frame in frames:
        pipe.write(_LENGTH.pack(memoryview(frame).nbytes))
        pipe.write(frame)
    pipe.flush()


def read_frames(pipe: IO[bytes]) -> list[Buffer] | None:
    """Read one message; None where the other end has gone.

    Raises:
        NightFlashError: ``bad_request`` for what is no message.
    """
    start = _exactly(pipe, _COUNT.size)
    if start is None:
        return None
    (count,) = _COUNT.unpack(start)
    if not 1 <= count <= MOST_FRAMES:
        raise bad_request(f"A message has 1 to {MOST_FRAMES} frames.")
    frames: list[Buffer] = []
    for _ in range(count):
        length = _exactly(pipe, _LENGTH.size)
        if length is None:
            return None
        (size,) = _LENGTH.unpack(length)
        if size > MAX_FRAME:
            raise bad_request(f"A frame has at most {MAX_FRAME} bytes.")
        frame = _exactly(pipe, size)
        if frame is None:
            return None
        frames.append(frame)
    return frames


def _exactly(pipe: IO[bytes], size: int) -> bytes | None:
    """``size`` bytes, or None where the pipe ends before."""
    if size == 0:
        return b""
    data = pipe.read(size)
    return data if len(data) == size else None
