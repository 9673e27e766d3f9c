"""TCMonoDepth small: relative inverse depth with 186,063 parameters.

Li et al.: "Enforcing Temporal Consistency in Video Depth Estimation" (ICCV workshops 2021), with
the authors' public weights. The encoder is a ShuffleNetV2 0.5x (Ma et al. 2018) without its
max-pool, the decoder three steps of upsampling with separable convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from nightflash.models.descriptor import DepthNetwork, NetworkDescriptor
from nightflash.models.resize import network_size, resize
from nightflash.models.tensors import (
    OtherWeights,
    check_state,
    not_the_weights,
    read_tensors,
)
from nightflash.models.weights import WeightsFile

SHORT_SIDE = 256
MULTIPLE_OF = 32
STAGES = ((24, 48, 4), (48, 96, 8), (96, 192, 4))  # channels in, channels out, blocks


def _convolution(
    cin: int, cout: int, size: int = 1, stride: int = 1, groups: int = 1
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    convolution = nn.Conv2d(cin, cout, size, stride, size // 2, groups=groups, bias=False)
    return convolution, nn.BatchNorm2d(cout)


class _ShuffleBlock(nn.Module):
    """ShuffleNetV2's unit; with stride 2 both halves come from convolutions of the whole input."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        main = cout // 2
        self.branch_main = nn.Sequential(
            *_convolution(cin, main),
            nn.ReLU(inplace=True),
            *_convolution(main, main, 3, stride, groups=main),
            *_convolution(main, cout - main),
            nn.ReLU(inplace=True),
        )
        self.branch_proj = (
            nn.Sequential(
                *_convolution(cin, cin, 3, stride, groups=cin),
                *_convolution(cin, main),
                nn.ReLU(inplace=True),
            )
            if stride == 2
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.branch_proj is not None:
            return torch.cat((self.branch_proj(x), self.branch_main(x)), dim=1)
        return torch.cat((x[:, 0::2], self.branch_main(x[:, 1::2])), dim=1)


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first_conv = nn.Sequential(*_convolution(3, 24, 3, 2), nn.ReLU(inplace=True))
        blocks: list[nn.Module] = []
        for cin, cout, count in STAGES:
            blocks.append(_ShuffleBlock(cin, cout, stride=2))
            blocks.extend(_ShuffleBlock(cout // 2, cout, stride=1) for _ in range(count - 1))
        self.features = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [self.first_conv(x)]
        blocks = iter(self.features)
        for _, _, count in STAGES:
            x = maps[-1]
            for _ in range(count):
                x = next(blocks)(x)
            maps.append(x)
        return maps


class _SeparableConvolution(nn.Module):
    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *_convolution(cin, cin, 3, groups=cin),
            nn.ReLU(inplace=True),
            nn.Conv2d(cin, cout, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv(x)
        return result


class _DecoderBlock(nn.Module):
    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        skip, cout = fine // 2, fine
        self.skip_conv = nn.Sequential(*_convolution(fine, skip), nn.ReLU(inplace=True))
        self.last_conv = nn.Sequential(
            _SeparableConvolution(coarse + skip, cout), nn.BatchNorm2d(cout), nn.ReLU(inplace=True)
        )

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        upsampled = F.interpolate(coarse, fine.shape[2:], mode="bilinear", align_corners=False)
        result: Tensor = self.last_conv(torch.cat((upsampled, self.skip_conv(fine)), dim=1))
        return result


class _Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.decoder3 = _DecoderBlock(192, 96)
        self.decoder2 = _DecoderBlock(96, 48)
        self.decoder1 = _DecoderBlock(48, 24)
        self.final = nn.Conv2d(24, 1, 3, padding=1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        x = self.decoder3(maps[3], maps[2])
        x = self.decoder2(x, maps[1])
        x = self.decoder1(x, maps[0])
        depth = F.relu(self.final(x))
        return F.interpolate(depth, scale_factor=2, mode="bilinear", align_corners=False)


class TCMonoDepth(nn.Module):
    """TCMonoDepth small, a ``DepthNetwork``.

    Args:
        short_side: Pixels of the shorter side at which pictures are seen; 192 to 512 are sensible.
    """

    def __init__(self, short_side: int = SHORT_SIDE) -> None:
        super().__init__()
        self.short_side = short_side
        self.encoder = _Encoder()
        self.decoder = _Decoder()

    def forward(self, rgb: Tensor) -> Tensor:
        """Map (N, 3, H, W) encoded sRGB 0..1, sides multiples of 32, to (N, 1, H, W)."""
        result: Tensor = self.decoder(self.encoder(rgb))
        return result

    def inverse_depth(self, rgb: Tensor) -> Tensor:
        """See ``DepthNetwork``; the result's shorter side is about ``short_side``."""
        return self.inverse_depths(rgb[None])[0]

    @torch.no_grad()
    def inverse_depths(self, rgb: Tensor) -> Tensor:
        """See ``SeveralDepths``."""
        height, width = network_size(rgb.shape[2], rgb.shape[3], self.short_side, MULTIPLE_OF)
        picture = resize(rgb.to(self.decoder.final.weight), height, width)
        inverse_depth: Tensor = self(picture.contiguous(memory_format=torch.channels_last))
        return inverse_depth[:, 0]


def load(path: Path | None, device: torch.device, short_side: int = SHORT_SIDE) -> TCMonoDepth:
    """Read the published weights and return the network, ready to use.

    Raises:
        NightFlashError: ``networks_corrupt`` where the file holds anything but these weights.
    """
    assert path is not None
    network = TCMonoDepth(short_side)
    try:
        state = _without_aliases(read_tensors(path))
        wanted = network.state_dict()
        check_state(state, wanted)
    except OtherWeights as fault:
        raise not_the_weights(path, "TCMonoDepth small", fault) from fault
    network.load_state_dict(state, strict=False)  # counters of training may lack
    _fold_normalisation(network.eval().requires_grad_(False))
    return network.to(device).to(memory_format=torch.channels_last)


def _without_aliases(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Drop the second names of the encoder's blocks and the heads that serve training only.

    Raises:
        OtherWeights: If a second name holds other values than the first.
    """
    kept: dict[str, Tensor] = {}
    for key, value in state.items():
        part = str(key).split(".")
        if part[0] == "encoder" and part[1] in ("stage1", "stage2", "stage3"):
            first = ".".join(("encoder", "features", *part[2:]))
            other = state.get(first)
            plain = isinstance(other, Tensor) and isinstance(value, Tensor)
            if other is None or not plain or not torch.equal(other, value):
                raise OtherWeights(f"{key} differs from {first}")
        elif not str(key).startswith(("decoder.final2.", "decoder.final3.")):
            kept[str(key)] = value
    return kept


def _fold_normalisation(network: nn.Module) -> None:
    """Multiply every batch normalisation into the convolution before it, exactly."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]
    for convolution, norm in pairwise(layers):
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            fused = fuse_conv_bn_eval(convolution, norm)
            convolution.weight, convolution.bias = fused.weight, fused.bias
    for parent in network.modules():
        for name, layer in parent.named_children():
            if isinstance(layer, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())


DESCRIPTOR: NetworkDescriptor[DepthNetwork] = NetworkDescriptor(
    name="tcmonodepth_small",
    role="depth",
    network_set="lite",
    title="TCMonoDepth small, relative depth for machines without a GPU",
    licence="MIT",
    source="yu-li/TCMonoDepth@128a98c6, weights/_ckpt_small.pt.tar",
    load=load,
    files=(
        WeightsFile(
            name="tcmonodepth_small_ckpt.pt.tar",
            bytes=914_272,
            url=(
                "https://raw.githubusercontent.com/yu-li/TCMonoDepth/"
                "128a98c6478bfe5541c8eecfe7bc3f7459861b3b/weights/_ckpt_small.pt.tar"
            ),
            sha256="c7a87f34a432d11b831d9d27c531eaaef90e0282e2f8a7b87c0202b80ad76b2b",
        ),
    ),
)
