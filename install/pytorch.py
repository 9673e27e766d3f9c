"""Which build of PyTorch this machine takes, and whether the installed one works.

The package registry's build for Linux carries several gigabytes of CUDA. PyTorch's own wheel
index has builds without it, so a machine with no NVIDIA GPU takes those where the index can be
reached. torch and torchvision hold compiled code for one another and come from one place, always.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
WINDOWS_CUDA_INDEX = "https://download.pytorch.org/whl/cu128"  # the registry's is CPU-only there
REGISTRY = ""  # pip's own choice of index

CHECK = """
import torch, torchvision
torchvision.ops.nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([1.0]), 0.5)
"""
CUDA_CHECK = "import torch; torch.ones(1, device='cuda').add_(1).item()"


def has_nvidia_gpu(root: Path = Path("/")) -> bool:
    """Whether an NVIDIA GPU with a driver is in this machine (its system files under ``root``)."""
    if (root / "proc/driver/nvidia/version").exists() or (root / "dev/nvidia0").exists():
        return True
    program = shutil.which("nvidia-smi") or shutil.which(root / "usr/lib/wsl/lib/nvidia-smi")
    if program is None:
        return False
    try:
        listing = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listing.returncode == 0 and "GPU " in listing.stdout


def fitting_index(has_gpu: bool, platform: str = sys.platform) -> str:
    """The wheel index for this machine, or ``REGISTRY``; NIGHTFLASH_TORCH_INDEX overrides it.

    ``NIGHTFLASH_TORCH_INDEX`` may name any index of PyTorch wheels (another CUDA version, ROCm, a
    mirror), or be empty for the package registry. macOS has one build, which is the registry's.
    """
    chosen = os.environ.get("NIGHTFLASH_TORCH_INDEX")
    if chosen is not None:
        return chosen.strip()
    if has_gpu:
        return WINDOWS_CUDA_INDEX if platform == "win32" else REGISTRY
    return CPU_INDEX if platform.startswith("linux") else REGISTRY


def is_reachable(index: str, seconds: float = 5.0) -> bool:
    """Whether ``index`` answers within ``seconds``, name look-up included."""
    answers: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(f"{index.rstrip('/')}/torch/", timeout=seconds):
                answers.append(True)
        except (OSError, ValueError):
            answers.append(False)

    # In a thread of its own: a name look-up that hangs knows no time-out.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers == [True]


def gigabytes(index: str, platform: str = sys.platform) -> int:
    """The disk space that a whole environment takes with the PyTorch of ``index``, in GB."""
    return 7 if platform.startswith("linux") and index != CPU_INDEX else 3


def works(python: Path) -> bool:
    """Whether torch and torchvision of ``python`` fit each other.

    Builds from different places import, and then lack ``torchvision::nms``.
    """
    return _runs(python, CHECK)


def reaches_gpu(python: Path) -> bool:
    """Whether the torch of ``python`` computes on the NVIDIA GPU (driver new enough, GPU too)."""
    return _runs(python, CUDA_CHECK)


def _runs(python: Path, code: str) -> bool:
    return subprocess.run([python, "-I", "-c", code], capture_output=True).returncode == 0
