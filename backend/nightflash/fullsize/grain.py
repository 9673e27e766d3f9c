"""Sensor noise: shot noise and read noise of a small sensor, by ISO.

Source: the affine noise model ``variance = a x + b`` (Foi et al. 2008) with a and b fitted to
measured figures of a phone sensor: ISO 100 (1.5e-4, 2.5e-7), 1600 (2.3e-3, 1.1e-5), 3200
(4.4e-3, 4.4e-5).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def noise_model(iso: float) -> tuple[float, float]:
    """Shot noise ``a`` and read noise ``b`` of ``variance = a x + b``, x linear 0..1."""
    return 1.4e-6 * iso, 2.1e-7 + 4.2e-12 * iso * iso


def drawn_noise(height: int, width: int, seed: tuple[int, int], device: torch.device) -> Tensor:
    """Noise (3, H, W) of deviation 1; the same ``seed`` and size give the same on a device.

    It is drawn where the picture is: a GPU has its own sequence, and waits for nothing.
    """
    number = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> 1)
    generator = torch.Generator(device).manual_seed(number)
    return torch.randn((3, height, width), generator=generator, device=device)


def add_grain(linear: Tensor, iso: float, noise: Tensor) -> Tensor:
    """Add ``noise`` (3, H, W), of deviation 1, to linear RGB (3, H, W) as strong as ISO has it."""
    a, b = noise_model(iso)
    noisy = linear + noise * torch.sqrt(a * linear.clamp(0, 1) + b)
    return torch.maximum(noisy, linear.clamp(max=0))
