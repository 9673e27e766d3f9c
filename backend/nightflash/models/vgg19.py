"""VGG19 up to conv3_1 and its ReLU: the features in which a photo's content is measured.

Simonyan, Zisserman 2014; average instead of max pooling after Gatys et al. 2016. The published
method takes the output of layer 10 of torchvision's ``vgg19().features``; the in-place ReLU behind
it has run by then.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nightflash.errors import NightFlashError
from nightflash.models.descriptor import FeatureNetwork, NetworkDescriptor, NetworkInput

CHANNELS = ((3, 64), (64, 64), (64, 128), (128, 128), (128, 256))
TORCHVISION_LAYERS = (0, 2, 5, 7, 10)
NORMALISED_LAYERS = (2, 5, 9, 12, 16)
POOL_BEFORE = (2, 4)  # index of the convolution that a pooling precedes
LEAST_SIDE = 4
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
NORMALISED_CONTENT_SCALE = 1.0


class VGG19(nn.Module):
    """The first five convolutions of VGG19, a ``FeatureNetwork``.

    The colour normalisation in front is linear, so its matrix is part of the first convolution's
    weights and only ``mean``, the colour it maps to zero, is subtracted; padding with zeros thereby
    pads with that colour, as in the original.

    Args:
        name: The descriptor's name.
        content_scale: See ``FeatureNetwork``.
        pooling: ``average`` as the method wants, or ``max`` as the network was trained.
        padding: ``zeros`` as the network was trained, or ``reflect``.
    """

    mean: Tensor

    def __init__(
        self,
        name: str,
        content_scale: float,
        pooling: Literal["average", "max"] = "average",
        padding: Literal["zeros", "reflect"] = "zeros",
    ) -> None:
        super().__init__()
        self.name = name
        self.content_scale = content_scale
        self.pooling = pooling
        self.convolutions = nn.ModuleList(
            nn.Conv2d(cin, cout, 3, padding=1, padding_mode=padding) for cin, cout in CHANNELS
        )
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))

    def forward(self, rgb: Tensor) -> Tensor:
        """Map (N, 3, H, W) encoded sRGB 0..1 to (N, 256, H // 4, W // 4)."""
        x = (rgb - self.mean).to(self.mean.dtype, memory_format=torch.channels_last)
        for i, convolution in enumerate(self.convolutions):
            if i in POOL_BEFORE:
                x = F.avg_pool2d(x, 2) if self.pooling == "average" else _max_pool(x)
            x = F.relu_(convolution(x))
        return x

    def features(self, rgb: Tensor) -> Tensor:
        """See ``FeatureNetwork``; 256 channels, all at least 0."""
        down, right = (max(0, LEAST_SIDE - side) for side in rgb.shape[2:])
        if down or right:
            rgb = F.pad(rgb, (0, right, 0, down), mode="replicate")
        result: Tensor = self(rgb)
        return result.float()

    def in_precision(self, dtype: torch.dtype) -> Self:
        """See ``FeatureNetwork``."""
        return copy.deepcopy(self).to(dtype)


def _max_pool(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 2, ceil_mode=True)


def from_torchvision(
    state: Mapping[str, Tensor], name: str = "vgg19", content_scale: float = 1.0
) -> VGG19:
    """Build the network from a state dict of ``torchvision.models.vgg19``, full or features only.

    Raises:
        KeyError: Where a layer is missing.
        RuntimeError: Where a layer has another shape.
    """
    network = VGG19(name, content_scale)
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
) -> VGG19:
    """Read the channel-normalised weights and return the network, ready to use.

    Raises:
        NightFlashError: ``networks_corrupt`` where the file holds anything but these weights.
    """
    assert path is not None
    network = VGG19(DESCRIPTOR.name, NORMALISED_CONTENT_SCALE, pooling, padding)
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
    network: VGG19, layers: list[tuple[Tensor, Tensor]], colour: Tensor, mean: Tensor
) -> VGG19:
    """Put in the weights; the first layer sees ``colour @ (rgb - mean)``."""
    first, bias = layers[0]
    layers = [(torch.einsum("omhw,mi->oihw", first, colour), bias), *layers[1:]]
    state = {"mean": mean.reshape(1, 3, 1, 1)}
    for i, (weight, bias) in enumerate(layers):
        state |= {f"convolutions.{i}.weight": weight, f"convolutions.{i}.bias": bias}
    network.load_state_dict(state, strict=True)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


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
    input=NetworkInput(value_range=(0.0, 255.0), channel_order="BGR", mean=(103.939, 116.779, 123.68)),
    file="vgg19_normalised_conv3_1.pth",
    sha256="ff8506173d3a17e7b0fbfbff242c00b6827cfbcd7c21852b46806ae6a3fd7b09",
    bytes=2_223_308,
)
