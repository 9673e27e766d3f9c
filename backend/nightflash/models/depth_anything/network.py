"""Depth Anything V2 Small: depth from one picture by DINOv2's ViT-S/14 and MiDaS's decoder.

Yang et al. 2024 ("Depth Anything V2") on Oquab et al. 2023 ("DINOv2") and Ranftl et al. 2021
("Vision Transformers for Dense Prediction"), with the authors' published weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nightflash.models.depth_anything.checkpoint import NAMES, in_official_names
from nightflash.models.depth_anything.kinds import Kind, check_kind
from nightflash.models.depth_anything.preprocess import (
    MULTIPLE_OF,
    OWN_SIDE,
    SMALL_SIDE,
    Framing,
)
from nightflash.models.midas.backbones import to_map, to_tokens, unfilled
from nightflash.models.midas.checkpoint import fill
from nightflash.models.midas.fusion import HEAD_WIDTH, DecoderPlan, Levels
from nightflash.models.midas.precision import depths_of, place
from nightflash.models.tensors import OtherWeights, not_the_weights, read_tensors

WIDTH = 384
TAPS = (2, 5, 8, 11)  # blocks after which the tokens are read
CHANNELS = (48, 96, 192, 384)
FUSED = (64, 64, 64, 64)
GRID = OWN_SIDE // MULTIPLE_OF
NEAREST = 0.01  # metres, under which no depth is believed
OFFSET = 0.1  # DINOv2's, against rounding; it stays in the sampling and shifts it a little


class Reassemble(nn.Module):
    """From tokens back to a map; the class token is left out.

    Args:
        level: 0 to 3, finest first; the tokens' own size is that of level 2.
    """

    def __init__(self, level: int) -> None:
        super().__init__()
        channels = CHANNELS[level]
        self.conv = nn.Conv2d(WIDTH, channels, 1)
        self.resize: nn.Module = nn.Identity()
        if level < 2:
            scale = 4 >> level
            self.resize = nn.ConvTranspose2d(channels, channels, scale, stride=scale)
        elif level == 3:
            self.resize = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, tokens: Tensor, rows: int, columns: int) -> Tensor:
        """Map (N, 1 + rows * columns, width), class token first, to (N, channels, h, w)."""
        result: Tensor = self.resize(self.conv(to_map(tokens[:, 1:], rows, columns)))
        return result


class DINOv2(nn.Module):
    """The vision transformer, read after four of its blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.model = unfilled("vit_small_patch14_dinov2", num_classes=0)
        with torch.device("meta"):
            self.reassemble = nn.ModuleList(Reassemble(level) for level in range(4))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, 14 h, 14 w) to maps of 4, 2, 1 and a half times (h, w), rounded up."""
        x = self.model.patch_embed.proj(x)
        rows, columns = x.shape[2:]
        tokens = torch.cat((self.model.cls_token.expand(len(x), -1, -1), to_tokens(x)), dim=1)
        tokens = tokens + self._positions(rows, columns)
        maps: list[Tensor] = []
        for i, block in enumerate(self.model.blocks):
            tokens = block(tokens)
            if i in TAPS:
                reassemble = self.reassemble[len(maps)]
                maps.append(reassemble(self.model.norm(tokens), rows, columns))
        return maps

    def _positions(self, rows: int, columns: int) -> Tensor:
        """The embedding of positions, (1, 1 + rows * columns, width), stretched over the picture.

        As the authors stretch it; timm's own is another function.
        """
        known: Tensor = self.model.pos_embed
        if (rows, columns) == (GRID, GRID):
            return known
        exact = torch.promote_types(known.dtype, torch.float32)
        stretched = F.interpolate(
            to_map(known[:, 1:], GRID, GRID).to(exact),
            scale_factor=((rows + OFFSET) / GRID, (columns + OFFSET) / GRID),
            mode="bicubic",
            align_corners=False,
            antialias=False,
        )
        return torch.cat((known[:, :1], to_tokens(stretched).to(known.dtype)), dim=1)


class Decoder(Levels):
    """MiDaS's levels, and a head that ends at the picture's size and before the last function."""

    def __init__(self) -> None:
        super().__init__(DecoderPlan(CHANNELS, FUSED, FUSED))
        self.narrowing = nn.Conv2d(FUSED[0], HEAD_WIDTH, 3, padding=1)
        self.head = nn.Sequential(
            nn.Conv2d(HEAD_WIDTH, HEAD_WIDTH, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(HEAD_WIDTH, 1, 1),
        )

    def forward(self, features: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Map the backbone's four maps to (N, *size), of any sign."""
        x = self.narrowing(self.fused(features))
        x = F.interpolate(x, size, mode="bilinear", align_corners=True)
        result: Tensor = self.head(x)
        return result[:, 0]


class DepthAnything(nn.Module):
    """Depth Anything V2 Small, a ``DepthNetwork``; its weights are not set.

    Args:
        framing: How it sees a picture.
        farthest: Metres that its depth ends at; None for relative inverse depth.
    """

    def __init__(self, framing: Framing, farthest: float | None = None) -> None:
        super().__init__()
        self.framing = framing
        self.farthest = farthest
        self.backbone = DINOv2()
        with torch.device("meta"):
            self.decoder = Decoder()
        self.eval().requires_grad_(False)

    @classmethod
    def from_state(
        cls, found: Mapping[str, Tensor], framing: Framing, farthest: float | None = None
    ) -> Self:
        """Build a network on published weights of either layout.

        Raises:
            OtherWeights: They are not this network's.
        """
        network = cls(framing, farthest)
        fill(network, in_official_names(found), NAMES)
        return network

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W), as ``framing`` prepares it, to (N, H, W).

        Inverse depth, 0 or more; of a metric network depth along the optical axis in metres.

        Raises:
            ValueError: A side is no multiple of 14.
        """
        height, width = x.shape[2:]
        if height % MULTIPLE_OF or width % MULTIPLE_OF:
            raise ValueError(f"sides must be multiples of {MULTIPLE_OF}, not {height} x {width}")
        depth: Tensor = self.decoder(self.backbone(x), (height, width))
        return F.relu(depth) if self.farthest is None else depth.sigmoid() * self.farthest

    def inverse_depth(self, rgb: Tensor) -> Tensor:
        """See ``DepthNetwork``; on the network's device. Of a metric network 1 / metres."""
        return self.inverse_depths(rgb[None])[0]

    @torch.no_grad()
    def inverse_depths(self, rgb: Tensor) -> Tensor:
        """See ``SeveralDepths``."""
        device = next(self.parameters()).device
        depth = depths_of(self, self.framing.prepare(rgb.to(device, torch.float32)))
        depth = self.framing.seen(depth, *rgb.shape[-2:])
        return depth if self.farthest is None else 1 / depth.clamp(min=NEAREST)


def load(kind: Kind, path: Path, device: torch.device) -> DepthAnything:
    """Read a published file unchanged; in half precision on a GPU where that holds.

    On a CPU pictures are seen at half the size, since the whole would take seconds.

    Args:
        kind: Of the network; the file's hash must be of the same.
        path: The file.
        device: Where it shall run.

    Raises:
        NightFlashError: ``networks_corrupt`` where the file holds anything but these weights.
    """
    framing = Framing(SMALL_SIDE if device.type == "cpu" else OWN_SIDE)
    try:
        check_kind(path, kind)
        network = DepthAnything.from_state(read_tensors(path), framing, kind.farthest)
    except OtherWeights as fault:
        raise not_the_weights(path, kind.name, fault) from fault
    place(network, framing.prepare, device)
    return network
