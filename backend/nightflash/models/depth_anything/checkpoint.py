"""The names in the two kinds of files of weights, in this code's words.

The authors' own come from ``torch.save``; the safetensors files are in the layout of transformers,
which names the same tensors otherwise and keeps query, key and value apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from nightflash.models.midas.checkpoint import Names
from nightflash.models.tensors import OtherWeights, check_tensor

NAMES: Names = (
    # What the published network carries along and never uses:
    (r"pretrained\.mask_token$", None),
    (r"depth_head\.scratch\.refinenet4\.resConfUnit1\.conv[12]\.(weight|bias)$", None),
    # The rest:
    (r"pretrained\.", r"backbone.model."),
    (r"depth_head\.projects\.(\d)\.", r"backbone.reassemble.\1.conv."),
    (r"depth_head\.resize_layers\.(\d)\.", r"backbone.reassemble.\1.resize."),
    (r"depth_head\.scratch\.layer(\d)_rn\.", r"decoder.narrow.\1."),
    (r"depth_head\.scratch\.refinenet(\d)\.resConfUnit(\d)\.", r"decoder.fuse.\1.unit\2."),
    (r"depth_head\.scratch\.refinenet(\d)\.out_conv\.", r"decoder.fuse.\1.out."),
    (r"depth_head\.scratch\.output_conv1\.", r"decoder.narrowing."),
    (r"depth_head\.scratch\.output_conv2\.", r"decoder.head."),
)

_WIDTH = 384
_PARTS = ("query", "key", "value")
_LAYER, _UNIT = r"backbone\.encoder\.layer\.(\d+)\.", r"residual_layer([12])\.convolution([12])\."
_TRANSFORMERS: tuple[tuple[str, str], ...] = (
    (r"backbone\.embeddings\.(cls_token|mask_token)$", r"pretrained.\1"),
    (r"backbone\.embeddings\.position_embeddings$", r"pretrained.pos_embed"),
    (r"backbone\.embeddings\.patch_embeddings\.projection\.", r"pretrained.patch_embed.proj."),
    (_LAYER + r"attention\.output\.dense\.", r"pretrained.blocks.\1.attn.proj."),
    (_LAYER + r"layer_scale([12])\.lambda1$", r"pretrained.blocks.\1.ls\2.gamma"),
    (_LAYER + r"(norm[12]|mlp\.fc[12])\.", r"pretrained.blocks.\1.\2."),
    (r"backbone\.layernorm\.", r"pretrained.norm."),
    (r"neck\.reassemble_stage\.layers\.(\d)\.projection\.", r"depth_head.projects.\1."),
    (r"neck\.reassemble_stage\.layers\.(\d)\.resize\.", r"depth_head.resize_layers.\1."),
    (r"neck\.convs\.0\.", r"depth_head.scratch.layer1_rn."),
    (r"neck\.convs\.1\.", r"depth_head.scratch.layer2_rn."),
    (r"neck\.convs\.2\.", r"depth_head.scratch.layer3_rn."),
    (r"neck\.convs\.3\.", r"depth_head.scratch.layer4_rn."),
    *(  # the levels count from the coarsest
        rule
        for i in range(4)
        for rule in (
            (
                rf"neck\.fusion_stage\.layers\.{i}\.projection\.",
                rf"depth_head.scratch.refinenet{4 - i}.out_conv.",
            ),
            (
                rf"neck\.fusion_stage\.layers\.{i}\.{_UNIT}",
                rf"depth_head.scratch.refinenet{4 - i}.resConfUnit\1.conv\2.",
            ),
        )
    ),
    (r"head\.conv1\.", r"depth_head.scratch.output_conv1."),
    (r"head\.conv2\.", r"depth_head.scratch.output_conv2.0."),
    (r"head\.conv3\.", r"depth_head.scratch.output_conv2.2."),
)
_ATTENTION = _LAYER + r"attention\.attention\.(query|key|value)\.(weight|bias)$"


def in_official_names(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the tensors of a file the authors' names, whichever kind it is.

    Raises:
        OtherWeights: Where one of transformers' names is unknown or one of query, key and value
            lacks or has another shape.
    """
    if not any(str(name).startswith("backbone.") for name in found):
        return dict(found)
    official: dict[str, Tensor] = {}
    attention: dict[str, dict[str, Tensor]] = {}
    for name, tensor in found.items():
        if part := re.match(_ATTENTION, str(name)):
            block, which, kind = part.groups()
            shape = (_WIDTH, _WIDTH) if kind == "weight" else (_WIDTH,)
            check_tensor(name, tensor, shape, torch.float32)
            attention.setdefault(f"pretrained.blocks.{block}.attn.qkv.{kind}", {})[which] = tensor
        else:
            official[_official_name(str(name))] = tensor
    for name, parts in attention.items():
        if lacking := [part for part in _PARTS if part not in parts]:
            raise OtherWeights(f"it lacks the {lacking[0]} of {name}")
        official[name] = torch.cat([parts[part] for part in _PARTS])
    return official


def _official_name(name: str) -> str:
    for beginning, official in _TRANSFORMERS:
        if found := re.match(beginning, name):
            return found.expand(official) + name[found.end() :]
    raise OtherWeights(f"it holds {name!r}")
