"""What it is called when memory does not suffice."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import torch

from nightflash.errors import NightFlashError

WORDS = ("out of memory", "not enough memory", "insufficient memory", "allocate memory")


def give_back() -> None:
    """Have what was freed go back to the system: glibc keeps it for the process otherwise."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


@contextmanager
def explained_memory_errors() -> Iterator[None]:
    """Turn what torch, numpy and OpenCV raise without memory into one sentence."""
    try:
        yield
    except (MemoryError, RuntimeError, cv2.error) as error:
        wanting = isinstance(error, MemoryError | torch.OutOfMemoryError)
        said = str(error).lower()
        if not wanting and not any(words in said for words in WORDS):
            raise
        raise NightFlashError(
            "There is not enough memory for this photo.",
            "Close other programs, use --device cpu, or scale the photo down.",
            code="no_memory",
        ) from error
