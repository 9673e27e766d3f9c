"""VGG19 up to conv3_1 and its ReLU: the features in which a photo's content is measured.

Simonyan, Zisserman 2014. The published method takes the output of layer 10 of torchvision's
``vgg19().features``; the in-place ReLU behind it has run by then, so the features are what that
leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from nightflash.models.descriptor import FeatureNetwork, NetworkDescriptor
from nightflash.models.tensors import OtherWeights, check_tensor, not_the_weights, read_tensors
from nightflash.models.vgg_stack import VGGStack
from nightflash.models.weights import Cut, WeightsFile

WIDTHS = (64, 64, 128, 128, 256)
TORCHVISION_LAYERS = (0, 2, 5, 7, 10)
NORMALISED_LAYERS = (2, 5, 9, 12, 16)
NORMALISED_SHAPES = {"0.weight": (3, 3, 1, 1), "0.bias": (3,)} | {
    f"{layer}.{kind}": shape
    for layer, cin, cout in zip(NORMALISED_LAYERS, (3, *WIDTHS), WIDTHS, strict=False)
    for kind, shape in (("weight", (cout, cin, 3, 3)), ("bias", (cout,)))
}
CUT = Cut(
    shapes={
        f"features.{layer}.{kind}": shape
        for layer, cin, cout in zip(TORCHVISION_LAYERS, (3, *WIDTHS), WIDTHS, strict=False)
        for kind, shape in (("weight", (cout, cin, 3, 3)), ("bias", (cout,)))
    },
    beginning=(
        "features.0.weight",
        (
            *(-0.053474, -0.049257, -0.067942, 0.015314, 0.045068, 0.0021444, 0.036226, 0.019999),
            *(0.019864, 0.017015, 0.055403, -0.0062293, 0.14165, 0.22705, 0.13758, 0.12, 0.2003),
            *(0.092114, -0.044885, 0.01268, -0.014497, 0.059742, 0.13955, 0.054102),
            *(-0.00096141, 0.058304, -0.029663),
        ),
    ),
)
"""The five layers in torchvision's checkpoint; its first filter is known from printed examples."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
NORMALISED_CONTENT_SCALE = 0.1242
"""What brings the channel-normalised network's content loss to the scale of torchvision's weights.

The published log begins with a content loss of 2.85 between standard normal noise (taken for RGB)
and an animal photo, both 400 x 600. Here the same noise is 21.4 to 24.3 from 26 daylight photos,
median 22.94, and the factor is 2.85 / 22.94.
"""


def from_torchvision(
    state: Mapping[str, Tensor], name: str = "vgg19", content_scale: float = 1.0
) -> VGGStack:
    """Build the network from a state dict of ``torchvision.models.vgg19``, full or features only.

    Raises:
        KeyError: Where a layer is missing.
        RuntimeError: Where a layer has another shape.
    """
    network = VGGStack(name, content_scale, WIDTHS)
    layers = [
        (state[f"features.{i}.weight"], state[f"features.{i}.bias"]) for i in TORCHVISION_LAYERS
    ]
    colour = torch.diag(1.0 / torch.tensor(IMAGENET_STD))
    return _filled(network, layers, colour, torch.tensor(IMAGENET_MEAN))


def load_torchvision(path: Path | None, device: torch.device) -> VGGStack:
    """Read torchvision's weights, from the whole file or from the layers cut out of it.

    Raises:
        NightFlashError: ``networks_corrupt`` where the file holds anything but these weights.
    """
    assert path is not None
    try:
        state = read_tensors(path)
        for name, shape in CUT.shapes.items():
            check_tensor(name, state.get(name), shape, torch.float32)
    except OtherWeights as fault:
        raise not_the_weights(path, "VGG19 up to conv3_1", fault) from fault
    network = from_torchvision(state)
    return network.to(device)


def load_normalised(
    path: Path | None,
    device: torch.device,
    pooling: Literal["average", "max"] = "average",
    padding: Literal["zeros", "reflect"] = "zeros",
) -> VGGStack:
    """Read the channel-normalised weights and return the network, ready to use.

    Raises:
        NightFlashError: ``networks_corrupt`` where the file holds anything but these weights.
    """
    assert path is not None
    network = VGGStack(DESCRIPTOR.name, NORMALISED_CONTENT_SCALE, WIDTHS, pooling, padding)
    try:
        state = read_tensors(path)
        for name, shape in NORMALISED_SHAPES.items():
            check_tensor(name, state.get(name), shape, torch.float32)
    except OtherWeights as fault:
        raise not_the_weights(path, "VGG19 up to conv3_1", fault) from fault
    layers = [(state[f"{i}.weight"], state[f"{i}.bias"]) for i in NORMALISED_LAYERS]
    colour = state["0.weight"].flatten(1)  # RGB 0..1 -> BGR 0..255
    mean = -torch.linalg.solve(colour.double(), state["0.bias"].double()).float()
    _filled(network, layers, colour, mean)
    return network.to(device)


def _filled(
    network: VGGStack, layers: list[tuple[Tensor, Tensor]], colour: Tensor, mean: Tensor
) -> VGGStack:
    """Put in the weights; the first layer sees ``colour @ (rgb - mean)``."""
    first, bias = layers[0]
    layers = [(torch.einsum("omhw,mi->oihw", first, colour), bias), *layers[1:]]
    state = {"mean": mean.reshape(1, 3, 1, 1)}
    for i, (weight, bias) in enumerate(layers):
        state |= {f"convolutions.{i}.weight": weight, f"convolutions.{i}.bias": bias}
    network.load_state_dict(state, strict=True)
    return network


TORCHVISION: NetworkDescriptor[FeatureNetwork] = NetworkDescriptor(
    name="vgg19",
    role="features",
    network_set="official",
    title="VGG19 up to conv3_1, torchvision's weights",
    licence="BSD-3-Clause (torchvision)",
    source="torchvision's models, vgg19-dcbb9e9d.pth, also as timm/vgg19.tv_in1k",
    load=load_torchvision,
    files=(
        WeightsFile(
            name="vgg19_tv_in1k_conv3_1.safetensors",
            bytes=CUT.bytes,
            url="https://huggingface.co/timm/vgg19.tv_in1k/resolve/main/model.safetensors",
            rounded=True,  # a header comes on top
            cut=CUT,
        ),
        WeightsFile(
            name="vgg19-dcbb9e9d.pth",
            bytes=574_673_361,
            url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
            sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        ),
    ),
    for_gpu=True,  # on a CPU it makes the whole result three times as slow as ContentNet does
    memory=500_000_000,
)
DESCRIPTOR: NetworkDescriptor[FeatureNetwork] = NetworkDescriptor(
    name="vgg19_normalised",
    role="features",
    network_set="lite",
    title="VGG19 up to conv3_1, channel-normalised",
    licence="CC BY 4.0 (VGG19), Apache-2.0 (this version)",
    source=(
        "pietrocarbo/deep-transfer@30b40b17, "
        "models/autoencoder_vgg19/vgg19_3/vgg_normalised_conv3_1.pth"
    ),
    load=load_normalised,
    files=(
        WeightsFile(
            name="vgg19_normalised_conv3_1.pth",
            bytes=2_223_308,
            url=(
                "https://raw.githubusercontent.com/pietrocarbo/deep-transfer/"
                "30b40b175d0d4afa19789fd57b5439aed125c1a5/models/autoencoder_vgg19/vgg19_3/"
                "vgg_normalised_conv3_1.pth"
            ),
            sha256="ff8506173d3a17e7b0fbfbff242c00b6827cfbcd7c21852b46806ae6a3fd7b09",
        ),
    ),
    for_gpu=True,
)
