"""The authors' files of weights: reading them safely, and their names in this code's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

COUNTER = ".num_batches_tracked"  # serves training only; older files lack it

NAMES: tuple[tuple[str, str | None], ...] = (
    # What the published networks carry along and never use:
    (r"pretrained\.model\.(norm|head)\.(weight|bias)$", None),
    (r"scratch\.refinenet4\.resConfUnit1\.conv[12]\.(weight|bias)$", None),
    # What follows from the windows' size alone:
    (r"pretrained\.model\.layers\.[01]\.blocks\.1\.attn_mask$", None),
    # The decoder:
    (r"scratch\.layer(\d)_rn\.", r"decoder.narrow.\1."),
    (r"scratch\.refinenet(\d)\.resConfUnit(\d)\.", r"decoder.fuse.\1.unit\2."),
    (r"scratch\.refinenet(\d)\.out_conv\.", r"decoder.fuse.\1.out."),
    (r"scratch\.output_conv\.", r"decoder.head."),
    # Convolutional backbones:
    (r"pretrained\.layer(\d)\.", r"backbone.levels.\1."),
    # Transformers; the merging of patches ended a stage of Swin, in timm 1.0 it begins the next:
    (r"pretrained\.act_postprocess(\d)\.0\.project\.0\.", r"backbone.reassemble.\1.project."),
    (r"pretrained\.act_postprocess(\d)\.3\.", r"backbone.reassemble.\1.conv."),
    (r"pretrained\.act_postprocess(\d)\.4\.", r"backbone.reassemble.\1.resize."),
    (r"pretrained\.model\.layers\.0\.downsample\.", r"backbone.model.layers.1.downsample."),
    (r"pretrained\.model\.layers\.1\.downsample\.", r"backbone.model.layers.2.downsample."),
    (r"pretrained\.model\.layers\.2\.downsample\.", r"backbone.model.layers.3.downsample."),
    (r"pretrained\.model\.", r"backbone.model."),
)
"""Beginnings of the authors' names, and what stands for them here; None: left out."""


class OtherWeights(ValueError):
    """The weights are not those of the network; the message tells what differs."""


def own_name(official: str) -> str | None:
    """Translate one name; None for what is left out.

    Raises:
        OtherWeights: For a name that no MiDaS network has.
    """
    for beginning, own in NAMES:
        if found := re.match(beginning, official):
            return None if own is None else found.expand(own) + official[found.end() :]
    raise OtherWeights(f"it holds {official!r}")


def read(path: Path) -> Mapping[str, Tensor]:
    """Read a file of weights without running code in it; training states are left aside.

    Raises:
        OSError: It cannot be read.
        OtherWeights: It holds anything but tensors by name.
    """
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, MemoryError):
        raise
    except Exception as fault:  # what a spoilt file makes of the reader is anyone's guess
        raise OtherWeights("it is no file of weights") from fault
    if isinstance(found, Mapping) and "optimizer" in found:
        found = found.get("model")
    if not isinstance(found, Mapping):
        raise OtherWeights("it does not hold tensors by name")
    return found


def fill(network: nn.Module, official: Mapping[str, Tensor]) -> None:
    """Give a network, built on the meta device, its weights; the tensors are shared, not copied.

    Args:
        network: With own names.
        official: The authors' names and tensors.

    Raises:
        OtherWeights: Where a name is missing or one too many, or a tensor has another shape or
            type, or values that are not finite; the network is unchanged then.
    """
    weights: dict[str, Tensor] = {}
    for key, tensor in official.items():
        name = own_name(str(key))
        if name in weights:
            raise OtherWeights(f"it holds {key!r} twice")
        if name is not None:
            weights[name] = tensor
    wanted = network.state_dict()
    if missing := [name for name in wanted.keys() - weights.keys() if not name.endswith(COUNTER)]:
        raise OtherWeights(f"it lacks {len(missing)} tensors, such as {min(missing)}")
    if surplus := weights.keys() - wanted.keys():
        raise OtherWeights(f"it holds {len(surplus)} tensors too many, such as {min(surplus)}")
    for name, tensor in weights.items():
        _check(name, tensor, wanted[name])
    network.load_state_dict(weights, strict=True, assign=True)


def _check(name: str, tensor: Any, wanted: Tensor) -> None:
    if not isinstance(tensor, Tensor) or tensor.is_meta or tensor.layout is not torch.strided:
        raise OtherWeights(f"{name} is no plain tensor")
    if tensor.shape != wanted.shape:
        raise OtherWeights(f"{name} is {tuple(tensor.shape)} instead of {tuple(wanted.shape)}")
    if tensor.dtype != wanted.dtype:
        raise OtherWeights(f"{name} is {tensor.dtype} instead of {wanted.dtype}")
    if tensor.is_floating_point() and not _largest(tensor).isfinite():
        raise OtherWeights(f"{name} holds values that are not finite")


def _largest(tensor: Tensor) -> Tensor:
    """The largest magnitude, NaN where one value is: one pass and no memory, unlike isfinite()."""
    largest: Tensor = torch.linalg.vector_norm(tensor, float("inf"))
    return largest
