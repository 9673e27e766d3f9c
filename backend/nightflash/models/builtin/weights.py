"""The weights that ship with NightFlash, beside these modules."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nightflash.errors import NightFlashError
from nightflash.models.tensors import OtherWeights, check_state, read_tensors

FOLDER = Path(__file__).parent
SHA256 = {  # what `sha256sum` says of every file in FOLDER
    "content_net": "c59a63f3d98a86ff1adb93bc4f42cf66dbcebd2aa39dbaf1abe4fd618df03e09",
    "scene_net": "c6046edb4f15ccee69b66497bc466cb7c59ee6e8b11cd4333eae4b0b995f6370",
}


def own_file(name: str) -> Path:
    """Where the weights of our own network ``name`` lie."""
    return FOLDER / f"{name}.safetensors"


def read_own(network: nn.Module, name: str) -> None:
    """Give ``network``, which may be one on ``meta``, the weights of ``name``.

    Raises:
        NightFlashError: ``networks_corrupt`` where the file is missing or holds anything else.
    """
    network.load_state_dict(own_state(name, network), assign=True)
    network.requires_grad_(False)


def own_state(name: str, network: nn.Module | None = None) -> dict[str, Tensor]:
    """The weights of ``name``, which are kept in half precision and are those of `SHA256`.

    Args:
        name: Of our own network.
        network: What they must fit, or None.

    Raises:
        NightFlashError: As `read_own`.
    """
    path = own_file(name)
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256[name]:
            raise OtherWeights("it is not the one that NightFlash came with")
        state = read_tensors(path)
        if network is not None:
            check_state(state, {key: value.half() for key, value in network.state_dict().items()})
    except (OSError, OtherWeights) as fault:
        raise NightFlashError(
            f"{path}, a part of NightFlash, is {'damaged' if path.is_file() else 'missing'}.",
            "Install NightFlash again.",
            code="networks_corrupt",
        ) from fault
    return {key: value.float() for key, value in state.items()}


def write_own(network: nn.Module, name: str, folder: Path = FOLDER) -> Path:
    """Write the weights of ``network`` in half precision and return the file."""
    path = folder / f"{name}.safetensors"
    beside = path.with_suffix(".part")
    half = {key: value.detach().to(torch.float16) for key, value in network.state_dict().items()}
    save_file({key: value.contiguous() for key, value in half.items()}, beside)
    beside.replace(path)
    return path
