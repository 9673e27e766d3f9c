"""Features without weights: a narrow VGG of fixed random filters, the last resort.

Random convolutions of VGG's shape keep enough of a picture to restore it and to compare it with
another (Ustyuzhaninov et al. 2016, He, Wang, Hopcroft 2016). Filters are orthogonal, and every
channel is scaled on made-up pictures with the 1/f spectrum of photographs.

Two things make them judge pictures much more like the trained VGG19. Filters answer to structure
more than to flat areas, so half of their mean is taken away; and those that see the pixels are
smoothed, or noise would weigh too much. Measured by the content distances of 50 patches of photos
to the same patches blurred, darkened, tinted, shifted, made noisy ... (1600 pairs): Spearman's
correlation with VGG19's distances is 0.66 for plain orthogonal filters, 0.78 with the first, 0.82
with both, each a mean over seeds; the seed is the best of 16 on half of the patches (0.83 there,
also on the other half). Hand-made edge and identity filters in the first layer did worse.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.models.descriptor import FeatureNetwork, NetworkDescriptor
from nightflash.models.vgg_stack import POOL_BEFORE, VGGStack

NAME = "random_vgg"
WIDTHS = (24, 24, 48, 48, 96)
SEED = 5
MEAN_COLOUR = 0.45
FLATNESS_KEPT = 0.5
CONTENT_SCALE = 0.0172
"""Found as ``vgg19.NORMALISED_CONTENT_SCALE`` was."""


def load(path: Path | None, device: torch.device) -> VGGStack:
    """Make the network: the same on every machine, but for rounding; ``path`` is not used."""
    generator = torch.Generator().manual_seed(SEED)
    x = made_up_pictures(8, 96, generator) - MEAN_COLOUR
    network = VGGStack(NAME, CONTENT_SCALE, WIDTHS)
    network.mean.fill_(MEAN_COLOUR)
    for i, layer in enumerate(network.convolutions):
        assert isinstance(layer, torch.nn.Conv2d)
        weight = torch.nn.init.orthogonal_(torch.empty(layer.weight.shape), generator=generator)
        weight -= (1 - FLATNESS_KEPT) * weight.mean((2, 3), keepdim=True)
        if i == 0:
            weight = _smoothed(weight)
        if i in POOL_BEFORE:
            x = F.avg_pool2d(x, 2)
        # In every channel: mean 0 before the ReLU, mean 1 behind it.
        response = F.conv2d(x, weight, padding=1)
        centre = response.mean((0, 2, 3))
        strength = F.relu(response - centre.reshape(1, -1, 1, 1)).mean((0, 2, 3))
        layer.weight.copy_(weight / strength.reshape(-1, 1, 1, 1))
        assert layer.bias is not None
        layer.bias.copy_(-centre / strength)
        x = F.relu(layer(x))
    return network.to(device)


def made_up_pictures(count: int, side: int, generator: torch.Generator) -> Tensor:
    """Return (count, 3, side, side) random pictures with an amplitude spectrum of 1/frequency.

    Most of their contrast is grey and little of it coloured, as in photographs (Ruderman et al.
    1998); values are encoded, about 0.45 +- 0.22.
    """
    down = torch.fft.fftfreq(side)[:, None]
    across = torch.fft.rfftfreq(side)[None]
    amplitude = 1.0 / torch.hypot(down, across).clamp(min=1.0 / side)
    amplitude[0, 0] = 0.0
    white = torch.randn(count, 3, side, side, generator=generator)
    pink = torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=(side, side))
    pink = pink / pink.std(dim=(2, 3), keepdim=True)
    opponent = torch.tensor([[1.0, 0.25, 0.1], [1.0, 0.0, -0.15], [1.0, -0.25, 0.1]])
    return MEAN_COLOUR + 0.22 * torch.einsum("rc,nchw->nrhw", opponent, pink)


def _smoothed(weight: Tensor) -> Tensor:
    """Blur 3x3 filters with the binomial kernel, keeping their size."""
    row = torch.tensor([0.25, 0.5, 0.25])
    kernel = torch.outer(row, row)[None, None]
    return F.conv2d(weight.reshape(-1, 1, 3, 3), kernel, padding=1).reshape(weight.shape)


DESCRIPTOR: NetworkDescriptor[FeatureNetwork] = NetworkDescriptor(
    name=NAME,
    role="features",
    network_set="rules",
    title="Random filters in the shape of VGG19 up to conv3_1",
    licence="MIT",
    source="made from a fixed seed by models/random_features.py",
    load=load,
)
