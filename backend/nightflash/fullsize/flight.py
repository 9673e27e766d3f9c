"""Strips on their way to a GPU and back, while it works on the one before and the one behind.

Copies that nobody waits for need memory that the system does not move (pinned). Elsewhere nothing
is copied that is there already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Strip = tuple[slice, Tensor]


def sent(rows: npt.NDArray[np.float32], device: torch.device) -> Tensor:
    """Rows of a picture on the device, or on their way there before what is asked of it next."""
    here = torch.from_numpy(rows)
    if device.type == "cuda":
        return here.pin_memory().to(device, non_blocking=True)
    return here.to(device)


def landed(strips: Iterable[Strip]) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
    """Strips in memory, each once the device has been given the next one to do."""
    before: tuple[slice, Tensor, torch.cuda.Event | None] | None = None
    for rows, made in strips:
        now = rows, *_on_its_way(made)
        if before is not None:
            yield _arrived(*before)
        before = now
    if before is not None:
        yield _arrived(*before)


def _on_its_way(made: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
    """A strip in memory, and what tells that it has come."""
    if made.device.type != "cuda":
        return made.cpu(), None
    here = torch.empty(made.shape, dtype=made.dtype, pin_memory=True)
    here.copy_(made, non_blocking=True)
    return here, torch.cuda.current_stream(made.device).record_event()


def _arrived(
    rows: slice, here: Tensor, coming: torch.cuda.Event | None
) -> tuple[slice, npt.NDArray[np.float32]]:
    if coming is not None:
        coming.synchronize()
    return rows, here.numpy()
