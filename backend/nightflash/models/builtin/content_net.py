"""ContentNet: features of our own training that judge content as VGG19 does at conv3_1.

Five convolutions on the three scales of VGG19, much narrower, and a linear layer that turns the
last features so that their plain squared difference is the one learnt. How it was trained is in
``backend/training``; what it can do is in the model card beside its weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from nightflash.models import vgg19
from nightflash.models.builtin.weights import own_file, read_own
from nightflash.models.descriptor import FeatureNetwork, NetworkDescriptor
from nightflash.models.vgg_stack import VGGStack, empty_convolution

NAME = "content_net"
WIDTHS = (16, 24, 48, 64, 128)
MEAN_COLOUR = 0.45
CONTENT_SCALE = vgg19.NORMALISED_CONTENT_SCALE * WIDTHS[-1] / vgg19.WIDTHS[-1]
"""The teacher's, by the number of channels over which a squared difference is averaged."""


class ContentNet(VGGStack):
    """A narrow VGG with a linear layer behind it: a ``FeatureNetwork``."""

    def __init__(self) -> None:
        super().__init__(NAME, CONTENT_SCALE, WIDTHS)
        self.mean.fill_(MEAN_COLOUR)
        self.turn = empty_convolution(WIDTHS[-1], WIDTHS[-1], 1, bias=False)

    def forward(self, rgb: Tensor, checkpoint: Callable[[], None] | None = None) -> Tensor:
        """Map (N, 3, H, W) encoded sRGB 0..1 to (N, 128, H // 4, W // 4)."""
        turned: Tensor = self.turn(super().forward(rgb, checkpoint))
        return turned


def load(path: Path | None, device: torch.device) -> ContentNet:
    """Read the weights that ship with NightFlash; ``path`` is not used.

    Raises:
        NightFlashError: ``networks_corrupt`` where the package is damaged.
    """
    network = ContentNet()
    read_own(network, NAME)
    return network.to(device)


DESCRIPTOR: NetworkDescriptor[FeatureNetwork] = NetworkDescriptor(
    name=NAME,
    role="features",
    network_set="builtin",
    title="ContentNet, taught to judge content as VGG19 does",
    licence="MIT",
    source="trained by backend/training; see models/builtin/content_net.md",
    load=load,
    shipped=own_file(NAME),
)
