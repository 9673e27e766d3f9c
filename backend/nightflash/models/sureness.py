"""How sure a network is of the mask that it gives."""

from __future__ import annotations

from torch import Tensor

MARKED = 0.1  # of the mask: places that count


def sureness(mask: Tensor) -> float:
    """How far a soft mask (any shape; 0..1) is from undecided where it marks anything, 0..1."""
    marked = mask[mask > MARKED]
    return float((2 * marked - 1).abs().mean()) if marked.numel() else 0.0
