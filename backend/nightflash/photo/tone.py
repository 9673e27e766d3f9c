"""Light above white brought into the range of an 8-bit picture.

Source: the extended curve of E. Reinhard et al., "Photographic Tone Reproduction for Digital
Images" (2002), here above a shoulder, so that all that is darker stays as it is.
"""

from __future__ import annotations

import numpy as np

from .encoding import Linear, strips

_SHOULDER = 0.75


def tone_mapped(linear: Linear) -> Linear:
    """Linear RGB (H, W, 3) with its brightest value at 1 where it was above; hues stay."""
    peak = float(linear.max())
    if peak <= 1:
        return linear
    mapped = np.empty_like(linear)
    span = 1 - _SHOULDER
    top = (peak - _SHOULDER) / span
    for rows in strips(*linear.shape[:2]):
        brightest = linear[rows].max(axis=-1, keepdims=True)
        over = np.maximum(brightest - _SHOULDER, 0) / span
        shown = np.minimum(brightest, _SHOULDER) + span * over * (1 + over / top**2) / (1 + over)
        mapped[rows] = linear[rows] * (shown / np.where(over > 0, brightest, shown + (shown == 0)))
    return mapped
