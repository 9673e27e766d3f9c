"""The networks before the decoder: timm's, taken apart where MiDaS reads features out of them.

Each gives four maps, finest first, at strides 4, 8, 16 and 32. The weights are not set and lie on
the meta device: whoever builds one puts them in. What no file of weights holds, since it follows
from the shapes alone, is set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

ALLOCATORS = (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn)


class Unfilled(TorchFunctionMode):
    """Within it, modules are built without memory, without initial weights and without chance.

    ``torch.device("meta")`` would send everything there, also the small calculations from which
    some versions of timm take numbers while they build.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send what memory is asked for to the meta device."""
        given = dict(kwargs or {})
        if func in ALLOCATORS and given.get("device") is None:
            given["device"] = "meta"
        return func(*args, **given)


def unfilled(name: str, **arguments: Any) -> Any:
    """One of timm's networks, on the meta device."""
    with Unfilled():
        return timm.create_model(name, pretrained=False, **arguments)


class Convolutional(nn.Module):
    """A convolutional network in four parts, each of which ends a level.

    Args:
        levels: The layers of each part, numbered as in the published weights.
    """

    def __init__(self, *levels: nn.Sequential) -> None:
        super().__init__()
        self.levels = nn.ModuleDict({str(i): level for i, level in enumerate(levels, start=1)})

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W), sides multiples of 32, to the four maps."""
        maps = []
        for level in self.levels.values():
            x = level(x)
            maps.append(x)
        return maps


def efficientnet_lite3() -> Convolutional:
    """EfficientNet-Lite3 (Tan, Le 2019) with TensorFlow's padding: 32, 48, 136, 384 channels."""
    net = unfilled("tf_efficientnet_lite3")
    blocks = net.blocks
    activation = nn.Identity()  # a layer of its own in the published weights, here part of bn1
    return Convolutional(
        nn.Sequential(net.conv_stem, net.bn1, activation, blocks[0], blocks[1]),
        nn.Sequential(blocks[2]),
        nn.Sequential(blocks[3], blocks[4]),
        nn.Sequential(blocks[5], blocks[6]),
    )


def resnext101() -> Convolutional:
    """ResNeXt-101 32x8d (Xie et al. 2017): 256, 512, 1024, 2048 channels."""
    net = unfilled("resnext101_32x8d")
    first = nn.Sequential(net.conv1, net.bn1, net.act1, net.maxpool, net.layer1)
    return Convolutional(first, net.layer2, net.layer3, net.layer4)


class Reassemble(nn.Module):
    """From a transformer's tokens back to a map (Ranftl et al. 2021, section 3.1).

    Args:
        width: Of the tokens.
        channels: Of the map.
        level: 1 to 4; the tokens' own stride, 16, is that of level 3.
    """

    def __init__(self, width: int, channels: int, level: int) -> None:
        super().__init__()
        self.project = nn.Linear(2 * width, width)
        self.conv = nn.Conv2d(width, channels, 1)
        self.resize: nn.Module = nn.Identity()
        if level < 3:
            scale = 2 ** (3 - level)
            self.resize = nn.ConvTranspose2d(channels, channels, scale, stride=scale)
        elif level == 4:
            self.resize = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, tokens: Tensor, rows: int, columns: int) -> Tensor:
        """Map (N, 1 + rows * columns, width), class token first, to (N, channels, h, w)."""
        patches, whole = tokens[:, 1:], tokens[:, :1]
        x = F.gelu(self.project(torch.cat((patches, whole.expand_as(patches)), dim=2)))
        result: Tensor = self.resize(self.conv(to_map(x, rows, columns)))
        return result


class VisionTransformer(nn.Module):
    """A vision transformer (Dosovitskiy et al. 2021) on patches or on a ResNet's features.

    Args:
        model: timm's.
        taps: Level to the block after which its tokens are read. Levels without one are the
            outputs of the ResNet's first stages.
        channels: Of the four maps.
    """

    def __init__(self, model: Any, taps: Mapping[int, int], channels: Sequence[int]) -> None:
        super().__init__()
        model.norm = nn.Identity()  # tokens are read before it
        self.model = model
        self.taps = {block: str(level) for level, block in taps.items()}
        with torch.device("meta"):
            self.reassemble = nn.ModuleDict(
                {str(i): Reassemble(model.embed_dim, channels[i - 1], i) for i in taps}
            )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W), sides multiples of 32, to the four maps."""
        maps: list[Tensor] = []
        embed = self.model.patch_embed
        if hasattr(embed, "backbone"):
            x = embed.backbone.stem(x)
            for stage in embed.backbone.stages:
                x = stage(x)
                maps.append(x)
            maps.pop()  # the last stage serves the transformer only
        x = embed.proj(x)
        rows, columns = x.shape[2:]
        tokens = torch.cat((self.model.cls_token.expand(len(x), -1, -1), to_tokens(x)), dim=1)
        tokens = tokens + self._positions(rows, columns)
        for i, block in enumerate(self.model.blocks):
            tokens = block(tokens)
            if level := self.taps.get(i):
                maps.append(self.reassemble[level](tokens, rows, columns))
        return maps

    def _positions(self, rows: int, columns: int) -> Tensor:
        """The embedding of positions, (1, 1 + rows * columns, width), stretched over the picture.

        As in MiDaS by plain bilinear interpolation; timm's own is another function.
        """
        known: Tensor = self.model.pos_embed
        side = round((known.shape[1] - 1) ** 0.5)
        grid = F.interpolate(
            to_map(known[:, 1:], side, side), (rows, columns), mode="bilinear", align_corners=False
        )
        return torch.cat((known[:, :1], to_tokens(grid)), dim=1)


def to_tokens(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, H * W, C)."""
    return x.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, rows: int, columns: int) -> Tensor:
    """(N, rows * columns, C) to (N, C, rows, columns)."""
    return tokens.transpose(1, 2).reshape(len(tokens), -1, rows, columns)


def vit_hybrid() -> VisionTransformer:
    """ViT-B/16 on three stages of a ResNet-50: 256, 512, 768, 768 channels."""
    model = unfilled("vit_base_r50_s16_384", num_classes=0)
    return VisionTransformer(model, {3: 8, 4: 11}, (256, 512, 768, 768))


def vit_large() -> VisionTransformer:
    """ViT-L/16: 256, 512, 1024, 1024 channels."""
    model = unfilled("vit_large_patch16_384", num_classes=0)
    return VisionTransformer(model, {1: 5, 2: 11, 3: 17, 4: 23}, (256, 512, 1024, 1024))


class Swin2(nn.Module):
    """Swin Transformer V2 (Liu et al. 2022); its windows are fixed to one size of picture.

    Args:
        model: timm's.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        model.norm = nn.Identity()  # no feature passes it
        self.model = model

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, 256, 256) to the four maps."""
        maps = []
        x = self.model.patch_embed(x)
        for stage in self.model.layers:
            x = stage(x)  # (N, H, W, C)
            maps.append(x.permute(0, 3, 1, 2).contiguous())
        return maps


def swin2_tiny() -> Swin2:
    """SwinV2-T with windows of 16 x 16 for 256 x 256 pixels: 96, 192, 384, 768 channels."""
    name = "swinv2_tiny_window16_256"
    model = unfilled(name, num_classes=0)
    with torch.random.fork_rng(devices=[]):  # of the same windows, but narrow: built in no time
        twin = timm.create_model(name, pretrained=False, num_classes=0, embed_dim=24)
    saved = model.state_dict().keys()
    for path, computed in twin.named_buffers():
        if path not in saved:
            owner, name = path.rsplit(".", 1)
            if name == "k_bias":  # as wide as the network, and zero
                computed = torch.zeros(model.get_buffer(path).shape)
            model.get_submodule(owner).register_buffer(name, computed, persistent=False)
    return Swin2(model)
