"""VGG19 up to conv3_1 and its ReLU: the features in which a photo's content is measured.

Simonyan, Zisserman 2014. The published method takes the output of layer 10 of torchvision's
``vgg19().features``; the in-place ReLU behind it has run by then, so the features are what that
leaves.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from nightflash.errors import NightFlashError
from nightflash.models.descriptor import FeatureNetwork, NetworkDescriptor, NetworkInput
from nightflash.models.vgg_stack import VGGStack

WIDTHS = (64, 64, 128, 128, 256)
TORCHVISION_LAYERS = (0, 2, 5, 7, 10)
NORMALISED_LAYERS = (2, 5, 9, 12, 16)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
PUBLISHED_START_LOSS = 2.85
"""Content loss of Gaussian noise, 400 x 600, against a photo in the published log."""
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
        state = torch.load(path, map_location="cpu", weights_only=True)
        layers = [(state[f"{i}.weight"], state[f"{i}.bias"]) for i in NORMALISED_LAYERS]
        colour = state["0.weight"].flatten(1)  # RGB 0..1 -> BGR 0..255
        mean = -torch.linalg.solve(colour.double(), state["0.bias"].double()).float()
        _filled(network, layers, colour, mean)
    except (RuntimeError, KeyError, AttributeError, TypeError, pickle.UnpicklingError) as fault:
        raise NightFlashError(
            f"{path} does not hold the weights of VGG19 up to conv3_1.",
            "Delete it and copy it again.",
            code="networks_corrupt",
        ) from fault
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


DESCRIPTOR: NetworkDescriptor[FeatureNetwork] = NetworkDescriptor(
    name="vgg19_normalised",
    role="features",
    network_set="lite",
    title="VGG19 up to conv3_1, channel-normalised",
    licence="CC BY 4.0 (VGG19), Apache-2.0 (this version)",
    source=(
        "pietrocarbo/deep-transfer@e87e72f9, "
        "models/autoencoder_vgg19/vgg19_3/vgg_normalised_conv3_1.pth"
    ),
    load=load_normalised,
    input=NetworkInput(
        value_range=(0.0, 255.0), channel_order="BGR", mean=(103.939, 116.779, 123.68)
    ),
    file="vgg19_normalised_conv3_1.pth",
    sha256="ff8506173d3a17e7b0fbfbff242c00b6827cfbcd7c21852b46806ae6a3fd7b09",
    bytes=2_223_308,
)
