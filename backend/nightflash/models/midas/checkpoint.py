"""The names in the authors' files of weights, in this code's words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from nightflash.models.tensors import OtherWeights, check_state

Names = tuple[tuple[str, str | None], ...]
"""Beginnings of the authors' names, and what stands for them here; None: left out."""

NAMES: Names = (
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


def own_name(official: str, names: Names = NAMES) -> str | None:
    """Translate one name; None for what is left out.

    Raises:
        OtherWeights: For a name that no network of this make has.
    """
    for beginning, own in names:
        if found := re.match(beginning, official):
            return None if own is None else found.expand(own) + official[found.end() :]
    raise OtherWeights(f"it holds {official!r}")


def fill(network: nn.Module, official: Mapping[str, Tensor], names: Names = NAMES) -> None:
    """Give a network, built on the meta device, its weights; the tensors are shared, not copied.

    Args:
        network: With own names.
        official: The authors' names and tensors.
        names: What stands for the authors' names.

    Raises:
        OtherWeights: Where a name is missing or one too many, or a tensor has another shape or
            type, or values that are not finite; the network is unchanged then.
    """
    weights: dict[str, Tensor] = {}
    for key, tensor in official.items():
        name = own_name(str(key), names)
        if name in weights:
            raise OtherWeights(f"it holds {key!r} twice")
        if name is not None:
            weights[name] = tensor
    wanted = network.state_dict()
    check_state(weights, wanted)
    network.load_state_dict(weights, strict=True, assign=True)
