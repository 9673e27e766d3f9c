"""Made-up weights in the layout of the official files."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from nightflash.models import rcnn, vgg19
from nightflash.models.registry import NETWORKS
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

from tests.models.midas.official import made_up_weights

DOG = 18  # its number among torchvision's classes


def sure_of(build: Callable[..., nn.Module], label: int) -> dict[str, Tensor]:
    """Weights of a torchvision detector that takes whatever it proposes for class ``label``.

    Drawn by the names, so the same in every process.
    """
    with torch.device("meta"):
        layout = build(weights=None, weights_backbone=None).state_dict()
    state = {}
    for name, tensor in layout.items():
        draw = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        value = torch.zeros(tensor.shape, dtype=tensor.dtype)
        if tensor.ndim > 1:
            gain = (1 / tensor[0].numel()) ** 0.5
            value = gain * torch.randn(tensor.shape, generator=draw)
        elif name.endswith(("running_var", "weight")):
            value += 1
        state[name] = value
    scores = "roi_heads.box_predictor.cls_score"
    state[f"{scores}.weight"] *= 0.01
    state[f"{scores}.bias"][label] = 6.0
    state["roi_heads.box_predictor.bbox_pred.weight"] *= 0.1
    return state


def write_official(folder: Path, depth: str = "midas_v21_small_256") -> Path:
    """Put files of the official layout into ``folder``: depth, Mask R-CNN that sees dogs, VGG19.

    Notes beside them tell that they are somebody's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = NETWORKS[depth].files[0].name
    torch.save(made_up_weights(depth), folder / network)
    detector = rcnn.MASK_RCNN.files[0].name
    torch.save(sure_of(maskrcnn_resnet50_fpn_v2, DOG), folder / detector)
    features = vgg19.TORCHVISION.files[0].name
    save_file(vgg_layers(), folder / features)
    for name in (network, detector, features):
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        (folder / f"{name}.sha256").write_text(f"{digest}  {name}\n")
    return folder


def vgg_layers() -> dict[str, Tensor]:
    """Values for the layers of VGG19 that are needed."""
    layers = {}
    for name, shape in vgg19.CUT.shapes.items():
        draw = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        layers[name] = torch.zeros(shape)
        if len(shape) > 1:
            layers[name] = (2 / layers[name][0].numel()) ** 0.5 * torch.randn(shape, generator=draw)
    return layers
