"""MiDaS: relative inverse depth from one picture, five networks of one make.

Ranftl et al. 2020 ("Towards Robust Monocular Depth Estimation: Mixing Datasets for Zero-shot
Cross-dataset Transfer"), Ranftl et al. 2021 ("Vision Transformers for Dense Prediction") and Birkl
et al. 2023 ("MiDaS v3.1"), with the authors' published weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from nightflash.models.midas import backbones, checkpoint
from nightflash.models.midas.fusion import Decoder, DecoderPlan
from nightflash.models.midas.precision import depths_of, place
from nightflash.models.midas.preprocess import FRAMINGS, Framing
from nightflash.models.tensors import OtherWeights, not_the_weights, read_tensors


@dataclass(frozen=True)
class Architecture:
    """One of the networks.

    Attributes:
        backbone: Builds what comes before the decoder.
        plan: The decoder's.
        framing: How it sees a picture.
    """

    backbone: Callable[[], nn.Module]
    plan: DecoderPlan
    framing: Framing


ARCHITECTURES = {
    name: Architecture(backbone, plan, FRAMINGS[name])
    for name, backbone, plan in (
        (
            "midas_v21_small_256",
            backbones.efficientnet_lite3,
            DecoderPlan(
                (32, 48, 136, 384), (64, 128, 256, 512), (64, 64, 128, 256), align_corners=False
            ),
        ),
        (
            "midas_v21_384",
            backbones.resnext101,
            DecoderPlan(
                (256, 512, 1024, 2048), out_conv=False, rectified_skip=True, align_corners=False
            ),
        ),
        ("dpt_hybrid_384", backbones.vit_hybrid, DecoderPlan((256, 512, 768, 768))),
        ("dpt_large_384", backbones.vit_large, DecoderPlan((256, 512, 1024, 1024))),
        ("dpt_swin2_tiny_256", backbones.swin2_tiny, DecoderPlan((96, 192, 384, 768))),
    )
}


class MiDaS(nn.Module):
    """One of MiDaS's networks, a ``DepthNetwork``; its weights are not set.

    Args:
        architecture: Which one.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.framing = architecture.framing
        self.backbone = architecture.backbone()
        with torch.device("meta"):
            self.decoder = Decoder(architecture.plan)
        self.eval().requires_grad_(False)

    @classmethod
    def from_state(cls, architecture: Architecture, official: Mapping[str, Tensor]) -> Self:
        """Build a network on the authors' weights, which it shares.

        Raises:
            OtherWeights: They are not this network's.
        """
        network = cls(architecture)
        checkpoint.fill(network, official)
        return network

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W), as ``framing`` prepares it, to (N, H, W) inverse depth, 0 or more."""
        result: Tensor = self.decoder(self.backbone(x))
        return result

    def inverse_depth(self, rgb: Tensor) -> Tensor:
        """See ``DepthNetwork``; on the network's device."""
        return self.inverse_depths(rgb[None])[0]

    @torch.no_grad()
    def inverse_depths(self, rgb: Tensor) -> Tensor:
        """See ``SeveralDepths``."""
        device = next(self.parameters()).device
        return depths_of(self, self.framing.prepare(rgb.to(device, torch.float32)))


def load(name: str, path: Path, device: torch.device) -> MiDaS:
    """Read the authors' file unchanged; in half precision on a GPU where that holds.

    Args:
        name: Of the network in ``ARCHITECTURES``.
        path: The file.
        device: Where it shall run.

    Raises:
        NightFlashError: ``networks_corrupt`` where the file holds anything but these weights.
    """
    try:
        network = MiDaS.from_state(ARCHITECTURES[name], read_tensors(path))
    except OtherWeights as fault:
        raise not_the_weights(path, name, fault) from fault
    place(network, network.framing.prepare, device)
    return network
