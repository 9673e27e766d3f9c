"""SceneNet 2: depth and the main object, finer and with a view of the whole; not shipped yet.

A U-Net of blocks as SceneNet has them, with self-attention (Vaswani et al. 2017) at the coarsest
scale, where every place sees every other, and masks learnt at four scales (deep supervision, as in
U2-Net, Qin et al. 2020).
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from nightflash.models.builtin.scene_net import MEAN, SPREAD, Block, Normalised
from torch import Tensor, nn

WIDTHS = (24, 40, 72, 112, 160)  # channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the sides
BLOCKS = (0, 2, 3, 5, 2)  # on the way down
HEADS = 5  # of the attention
MULTIPLE_OF = 32
SHORT_SIDE = 320  # at which it shall see pictures


class Everywhere(nn.Module):
    """Self-attention over all places of a map; a depthwise convolution tells where they are."""

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


class SceneNet2(nn.Module):
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
        sides = [self.sides[-1](x)]
        for i in reversed(range(len(self.decoder))):
            coarse = F.interpolate(self.up[i](x), maps[i].shape[2:], mode="bilinear")
            x = self.decoder[i](maps[i] + coarse)
            if i:
                sides.append(self.sides[i - 1](x))
        out = self.head(x).float()
        found = F.softplus(out[:, 0]), out[:, 1]
        return (
            (*found, *(side[:, 0].float() for side in reversed(sides))) if self.training else found
        )
