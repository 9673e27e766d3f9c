"""SceneNet: depth and the main object from one small network of NightFlash's own training.

A U-Net (Ronneberger et al. 2015) of blocks in the manner of ConvNeXt (Liu et al. 2022): a wide
depthwise convolution, then two pointwise ones; with self-attention (Vaswani et al. 2017) at the
coarsest scale, where every place sees every other, and masks learnt at several scales (deep
supervision, as in U2-Net, Qin et al. 2020). How it was trained is in ``backend/training``; the
weights lie beside this module, what they can do is in their model card.
"""

from __future__ import annotations

import weakref
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from nightflash.models.builtin.weights import own_file, read_own
from nightflash.models.descriptor import (
    DepthNetwork,
    MainObject,
    NetworkDescriptor,
    SubjectNetwork,
)
from nightflash.models.resize import network_size, resize

NAME = "scene_net"

SHORT_SIDE = 320
MULTIPLE_OF = 32
WIDTHS = (24, 40, 72, 112, 160)  # channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the sides
BLOCKS = (0, 2, 3, 8, 4)  # on the way down
HEADS = 5  # of the attention
EXPANSION = 2
MEAN, SPREAD = 0.45, 0.25  # of encoded photos
LEAST_SHARE = 0.003  # of the picture that a main object covers
LEAST_SURE = 0.7  # score under which most photos without a clear object lie, few of one


class Normalised(nn.Sequential):
    """A convolution with its batch normalisation."""

    def __init__(self, cin: int, cout: int, size: int, stride: int = 1, groups: int = 1) -> None:
        pad = size // 2 if size > stride else 0
        super().__init__(
            nn.Conv2d(cin, cout, size, stride, pad, groups=groups, bias=False),
            nn.BatchNorm2d(cout),
        )


class Block(nn.Module):
    """A wide depthwise convolution, then two pointwise ones (Liu et al. 2022)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.around = Normalised(width, width, 5, groups=width)
        self.wide = nn.Conv2d(width, EXPANSION * width, 1)
        self.narrow = nn.Conv2d(EXPANSION * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same."""
        result: Tensor = x + self.narrow(F.relu(self.wide(self.around(x))))
        return result


class Everywhere(nn.Module):
    """Self-attention over all places of a map; a depthwise convolution encodes their positions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.place = Normalised(width, width, 3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.block = Block(width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same."""
        n, c, h, w = x.shape
        x = x + self.place(x)
        places = self.norm(x.flatten(2).transpose(1, 2))
        parts = self.attention(places).view(n, h * w, 3, HEADS, c // HEADS).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(*parts.unbind())
        mixed = self.out(seen.transpose(1, 2).reshape(n, h * w, c))
        result: Tensor = self.block(x + mixed.transpose(1, 2).view(n, c, h, w))
        return result


class SceneNet(nn.Module):
    """Two maps of a picture: inverse depth, and how likely each place is the main object."""

    def __init__(self) -> None:
        super().__init__()
        downs: list[nn.Module] = [Normalised(3, WIDTHS[0], 3, 2), Normalised(*WIDTHS[:2], 3, 2)]
        downs += [Normalised(a, b, 2, 2) for a, b in pairwise(WIDTHS[1:])]
        self.down = nn.ModuleList(downs)
        self.encoder = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(count)))
            for width, count in zip(WIDTHS, BLOCKS, strict=True)
        )
        self.everywhere = Everywhere(WIDTHS[-1])
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(WIDTHS))
        self.decoder = nn.ModuleList(Block(width) for width in WIDTHS[:-1])
        self.sides = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in WIDTHS[1:])
        self.head = nn.Conv2d(WIDTHS[0], 2, 3, padding=1)
        self._last: tuple[weakref.ref[Tensor], int, tuple[Tensor, ...]] | None = None

    def forward(self, rgb: Tensor) -> tuple[Tensor, ...]:
        """Map (N, 3, H, W) encoded sRGB 0..1, sides multiples of 32, to maps of (N, H/2, W/2).

        Returns:
            Relative inverse depth, at least 0, near = large; logits of the main object; while it
            learns also logits at a quarter, an eighth, ... of the sides.
        """
        x = (rgb - MEAN) / SPREAD
        maps = []
        for i, (down, blocks) in enumerate(zip(self.down, self.encoder, strict=True)):
            x = down(x)
            x = blocks(F.relu(x) if i < 2 else x)
            maps.append(x)
        x = self.everywhere(x)
        sides = [self.sides[-1](x)] if self.training else []
        for i in reversed(range(len(self.decoder))):
            coarse = F.interpolate(self.up[i](x), maps[i].shape[2:], mode="bilinear")
            x = self.decoder[i](maps[i] + coarse)
            if i and self.training:
                sides.append(self.sides[i - 1](x))
        out = self.head(x).float()
        return F.softplus(out[:, 0]), out[:, 1], *(s[:, 0].float() for s in reversed(sides))

    def inverse_depth(self, rgb: Tensor) -> Tensor:
        """See ``DepthNetwork``; the result's shorter side is about 160 pixels."""
        return self._seen(rgb)[0][0]

    @torch.no_grad()
    def inverse_depths(self, rgb: Tensor) -> Tensor:
        """See ``SeveralDepths``."""
        result: Tensor = self(self._input(rgb))[0]
        return result

    def main_object(self, rgb: Tensor) -> MainObject:
        """See ``SubjectNetwork``; the mask's shorter side is about 160 pixels."""
        return self._judged(self._seen(rgb)[1][0].sigmoid())

    @torch.no_grad()
    def main_objects(self, rgb: Tensor) -> list[MainObject]:
        """See ``SeveralSubjects``."""
        return [self._judged(mask) for mask in self(self._input(rgb))[1].sigmoid()]

    @torch.no_grad()
    def _seen(self, rgb: Tensor) -> tuple[Tensor, ...]:
        """Both maps of (3, h, w): who asks for one asks for the other of the same tensor next."""
        last = self._last
        if last is None or last[0]() is not rgb or last[1] != rgb._version:
            last = weakref.ref(rgb), rgb._version, self(self._input(rgb[None]))
            self._last = last
        return last[2]

    @staticmethod
    def _judged(mask: Tensor) -> MainObject:
        """Sure of an object where the mask's mean, weighed by itself, and its size say so."""
        surety = float(mask.square().sum() / mask.sum().clamp(min=1e-6))
        share = float((mask > 0.5).float().mean())
        return MainObject(mask, surety >= LEAST_SURE and share >= LEAST_SHARE)

    def _input(self, rgb: Tensor) -> Tensor:
        height, width = network_size(rgb.shape[2], rgb.shape[3], SHORT_SIDE, MULTIPLE_OF)
        picture = resize(rgb.to(self.head.weight), height, width)
        return picture.contiguous(memory_format=torch.channels_last)


def fold(network: nn.Module) -> None:
    """Multiply every batch normalisation of a trained network into its convolution, in place."""
    for layer in network.modules():
        if isinstance(layer, Normalised):
            convolution, norm = layer
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            layer[0], layer[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()


def load(path: Path | None, device: torch.device) -> SceneNet:
    """Read the weights that ship with NightFlash; ``path`` is not used.

    Raises:
        NightFlashError: ``networks_corrupt`` where the package is damaged.
    """
    with torch.device("meta"):  # no time for random weights, nor a draw of the generator
        network = SceneNet().eval().requires_grad_(False)
    read_own(network, NAME)
    fold(network)
    return network.to(device).to(memory_format=torch.channels_last)


DEPTH: NetworkDescriptor[DepthNetwork] = NetworkDescriptor(
    name=NAME,
    role="depth",
    network_set="builtin",
    title="SceneNet 2, relative depth by a network of our own training",
    licence="MIT",
    source="trained by backend/training; see models/builtin/scene_net.md",
    load=load,
    shipped=own_file(NAME),
)
SUBJECT: NetworkDescriptor[SubjectNetwork] = NetworkDescriptor(
    name=f"{NAME}_subject",
    role="subject",
    network_set="builtin",
    title="SceneNet 2, the main object whatever it is",
    licence="MIT",
    source="trained by backend/training; see models/builtin/scene_net.md",
    load=load,
    shipped=own_file(NAME),
)
