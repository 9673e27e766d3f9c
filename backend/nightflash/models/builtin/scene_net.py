"""SceneNet: depth and the main object from one small network of NightFlash's own training.

A U-Net (Ronneberger et al. 2015) of blocks in the manner of ConvNeXt (Liu et al. 2022): a wide
depthwise convolution, then two pointwise ones. How it was trained is in ``backend/training``; the
weights lie beside this module, what they can do is in their model card.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from nightflash.models.builtin.weights import own_file, read_own
from nightflash.models.descriptor import (
    DepthNetwork,
    Detection,
    Detector,
    NetworkDescriptor,
    NetworkInput,
)
from nightflash.models.resize import network_size, resize

NAME = "scene_net"

SHORT_SIDE = 256
MULTIPLE_OF = 32
WIDTHS = (16, 32, 64, 96, 128)  # channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the sides
BLOCKS = (0, 1, 2, 3, 2)  # on the way down
EXPANSION = 2
MEAN, SPREAD = 0.45, 0.25  # of encoded photos
LEAST_SHARE = 0.003  # of the picture that a main object covers
LEAST_SURE = 0.5  # score under which photos of a clear object do not come, most of none do
LABEL = "main object"


class _Normalised(nn.Sequential):
    """A convolution with its batch normalisation."""

    def __init__(self, cin: int, cout: int, size: int, stride: int = 1, groups: int = 1) -> None:
        pad = size // 2 if size > stride else 0
        super().__init__(
            nn.Conv2d(cin, cout, size, stride, pad, groups=groups, bias=False),
            nn.BatchNorm2d(cout),
        )


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.around = _Normalised(width, width, 5, groups=width)
        self.wide = nn.Conv2d(width, EXPANSION * width, 1)
        self.narrow = nn.Conv2d(EXPANSION * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.narrow(F.relu(self.wide(self.around(x))))
        return result


class SceneNet(nn.Module):
    """Two maps of a picture: inverse depth, and how likely each place is the main object."""

    def __init__(self) -> None:
        super().__init__()
        downs: list[nn.Module] = [_Normalised(3, WIDTHS[0], 3, 2)]
        downs += [_Normalised(WIDTHS[0], WIDTHS[1], 3, 2)]
        downs += [_Normalised(a, b, 2, 2) for a, b in pairwise(WIDTHS[1:])]
        self.down = nn.ModuleList(downs)
        self.encoder = nn.ModuleList(
            nn.Sequential(*(_Block(width) for _ in range(count)))
            for width, count in zip(WIDTHS, BLOCKS, strict=True)
        )
        self.everywhere = nn.Conv2d(WIDTHS[-1], WIDTHS[-1], 1)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(WIDTHS))
        self.decoder = nn.ModuleList(_Block(width) for width in WIDTHS[:-1])
        self.head = nn.Conv2d(WIDTHS[0], 2, 3, padding=1)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, 3, H, W) encoded sRGB 0..1, sides multiples of 32, to two of (N, H/2, W/2).

        Returns:
            Relative inverse depth, at least 0, near = large; logits of the main object.
        """
        x = (rgb - MEAN) / SPREAD
        maps = []
        for i, (down, blocks) in enumerate(zip(self.down, self.encoder, strict=True)):
            x = down(x)
            x = blocks(F.relu(x) if i < 2 else x)
            maps.append(x)
        x = x + self.everywhere(x.mean((2, 3), keepdim=True))
        for i in reversed(range(len(self.decoder))):
            coarse = F.interpolate(self.up[i](x), maps[i].shape[2:], mode="bilinear")
            x = self.decoder[i](maps[i] + coarse)
        out = self.head(x).float()
        return F.softplus(out[:, 0]), out[:, 1]

    @torch.no_grad()
    def inverse_depth(self, rgb: Tensor) -> Tensor:
        """See ``DepthNetwork``; the result's shorter side is about 128 pixels."""
        result: Tensor = self(self._input(rgb))[0][0]
        return result

    @torch.no_grad()
    def subject(self, rgb: Tensor) -> Tensor:
        """How likely each place of a picture (3, H, W) is the main object: (h, w), 0..1."""
        result: Tensor = self(self._input(rgb))[1][0].sigmoid()
        return result

    def detect(self, rgb: Tensor, score: float = 0.3) -> list[Detection]:
        """See ``Detector``: the main object with its mask, or nothing.

        Where it is of several parts, such as two animals, each comes behind the whole as well, so
        that one can be pointed at. The score is the mean of the mask, each place weighing as much
        as it is the object.
        """
        small = self.subject(rgb)
        inside = small > 0.5
        surety = float(small.square().sum() / small.sum().clamp(min=1e-6))
        if surety < max(score, LEAST_SURE) or float(inside.float().mean()) < LEAST_SHARE:
            return []
        found = [
            _detection(small, surety, rgb),
            *(_detection(p, surety, rgb) for p in _parts(small)),
        ]
        return [detection for detection in found if detection is not None]

    def _input(self, rgb: Tensor) -> Tensor:
        height, width = network_size(rgb.shape[1], rgb.shape[2], SHORT_SIDE, MULTIPLE_OF)
        picture = resize(rgb.to(self.head.weight), height, width)[None]
        return picture.contiguous(memory_format=torch.channels_last)


def _parts(mask: Tensor) -> list[Tensor]:
    """The parts of a soft mask (h, w) that do not hang together, where there are several."""
    inside = (mask > 0.5).to(torch.uint8).cpu().numpy()
    count, labels, facts, _ = cv2.connectedComponentsWithStats(inside)
    large = [i for i in range(1, count) if facts[i, cv2.CC_STAT_AREA] >= LEAST_SHARE * mask.numel()]
    if len(large) < 2:
        return []
    near = np.ones((3, 3), np.uint8)  # the soft edge belongs to a part as well
    own = [cv2.dilate((labels == i).astype(np.uint8), near, iterations=2) for i in large]
    return [mask * torch.from_numpy(part).to(mask) for part in own]


def _detection(small: Tensor, score: float, rgb: Tensor) -> Detection | None:
    """What a small mask (h, w) shows at the size of the picture (3, H, W)."""
    mask = F.interpolate(small[None, None], rgb.shape[1:], mode="bilinear")[0, 0]
    rows, columns = (mask > 0.5).any(1).nonzero(), (mask > 0.5).any(0).nonzero()
    if not len(rows):
        return None
    left, top = float(columns[0]), float(rows[0])
    box = (left, top, float(columns[-1]) + 1 - left, float(rows[-1]) + 1 - top)
    return Detection(box, score, LABEL, mask.to(rgb.device))


def fold(network: nn.Module) -> None:
    """Multiply every batch normalisation of a trained network into its convolution, in place."""
    for layer in network.modules():
        if isinstance(layer, _Normalised):
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
        fold(network)
    read_own(network, NAME)
    return network.to(device).to(memory_format=torch.channels_last)


DEPTH: NetworkDescriptor[DepthNetwork] = NetworkDescriptor(
    name=NAME,
    role="depth",
    network_set="builtin",
    title="SceneNet, relative depth by a network of our own training",
    licence="MIT",
    source="trained by backend/training; see models/builtin/scene_net.md",
    load=load,
    shipped=own_file(NAME),
    input=NetworkInput(short_side=SHORT_SIDE, multiple_of=MULTIPLE_OF),
)
SUBJECT: NetworkDescriptor[Detector] = NetworkDescriptor(
    name=f"{NAME}_subject",
    role="detector",
    network_set="builtin",
    title="SceneNet, the main object whatever it is",
    licence="MIT",
    source="trained by backend/training; see models/builtin/scene_net.md",
    load=load,
    shipped=own_file(NAME),
    input=NetworkInput(short_side=SHORT_SIDE, multiple_of=MULTIPLE_OF),
)
