"""Where the networks run, and in which precision they run fast there."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from nightflash.errors import NightFlashError


def choose_device(name: str) -> torch.device:
    """Return the device ``name`` (``auto``, ``cpu``, ``cuda`` or ``mps``).

    Raises:
        NightFlashError: It is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if name not in ("cpu", "cuda", "mps"):
        raise NightFlashError(f"There is no device {name!r}.", "Use auto, cpu, cuda or mps.")
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present[name]:
        raise NightFlashError(
            f"The device {name} is not usable on this machine.", "Use --device cpu or auto."
        )
    return torch.device(name)


@dataclass(frozen=True)
class Capacity:
    """What a device offers to networks.

    Attributes:
        gpu: Whether it is a GPU.
        memory: Bytes that it has in all, or None where that is not known. Not those free at the
            moment: the choice of networks must not depend on what else runs.
    """

    gpu: bool = False
    memory: int | None = None


NO_GPU = Capacity()


def capacity(device: torch.device) -> Capacity:
    """Look at what ``device`` offers."""
    if device.type == "cuda":
        return Capacity(gpu=True, memory=torch.cuda.mem_get_info(device)[1])
    if device.type == "mps":
        return Capacity(gpu=True, memory=torch.mps.recommended_max_memory())
    try:  # Windows does not say
        return Capacity(memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return Capacity()


def bfloat16_is_fast(device: torch.device) -> bool:
    """Whether the networks gain from bfloat16 on ``device``."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and _cpu_has_bfloat16()


def _cpu_has_bfloat16() -> bool:
    capabilities: dict[str, bool] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # not in older torch
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def why_no_gpu() -> str:
    """Why the networks do not run on a GPU here, with what to do; empty where they can."""
    if choose_device("auto").type != "cpu":
        return ""
    if torch.version.cuda is None and torch.version.hip is None:
        return (
            "This PyTorch is built without GPU support: set NIGHTFLASH_TORCH_INDEX to an index of"
            " CUDA or ROCm builds and run the installer again."
        )
    return "PyTorch finds no usable GPU: if there is one, update its driver."
