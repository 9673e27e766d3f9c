"""Mask R-CNN and Faster R-CNN: torchvision's detectors with its weights.

Mask R-CNN (He et al. 2017) with a ResNet-50 and a feature pyramid, in the improved form of Li et
al. 2021, gives a mask of every object. Faster R-CNN (Ren et al. 2015) on a MobileNetV3 gives boxes,
and is light enough for a machine without a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nightflash.models.coco import CLASSES
from nightflash.models.descriptor import Detection, Detector, NetworkDescriptor
from nightflash.models.tensors import (
    COUNTER,
    OtherWeights,
    check_state,
    not_the_weights,
    read_tensors,
)
from nightflash.models.weights import WeightsFile

UNUSED = frozenset((0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83))  # of COCO's 91 numbers
HUB = "https://download.pytorch.org/models"
MOST_OBJECTS = 20  # in one picture: every further mask costs time, and none is the main object
LABELS = dict(zip((i for i in range(91) if i not in UNUSED), CLASSES, strict=True))
PIECE = 1e-6  # of a picture's side; a smaller box holds nothing


class RCNN:
    """A detector of torchvision's R-CNN family, a ``Detector``.

    Args:
        network: It takes a list of (3, H, W) RGB 0..1 and brings them to its own size itself.
        device: Where it runs.
        half: Compute in half precision where that is safe for it (autocast).
    """

    def __init__(self, network: nn.Module, device: torch.device, half: bool = False) -> None:
        self._network = network.to(device).eval().requires_grad_(False)
        self._device = device
        self._half = half

    @torch.no_grad()
    def detect(self, rgb: Tensor, score: float = 0.3) -> list[Detection]:
        """See ``Detector``; with masks where the network gives them."""
        height, width = rgb.shape[1:]
        picture = rgb.detach().to(self._device, torch.float32)
        with torch.autocast(self._device.type, enabled=self._half):
            (found,) = self._network([picture])
        scores = found["scores"].float().cpu()
        boxes = found["boxes"].float().cpu()
        limits = torch.tensor([width, height, width, height], dtype=torch.float32)
        boxes = torch.minimum(boxes.clamp(min=0.0), limits)
        seen = (boxes[:, 2:] - boxes[:, :2] > PIECE * limits[:2]).all(dim=1)
        result = []
        for i in ((scores >= score) & seen).nonzero().flatten().tolist():
            left, top, right, bottom = boxes[i].tolist()
            result.append(
                Detection(
                    box=(left, top, right - left, bottom - top),
                    score=scores[i].item(),
                    label=LABELS.get(int(found["labels"][i]), "object"),
                    mask=found["masks"][i, 0].half() if "masks" in found else None,
                )
            )
        return sorted(result, key=lambda one: one.score, reverse=True)


def load(name: str, path: Path | None, device: torch.device) -> RCNN:
    """Read torchvision's file unchanged; in half precision on a GPU.

    Args:
        name: Of torchvision's constructor of the network.
        path: The file.
        device: Where it shall run.

    Raises:
        NightFlashError: ``networks_corrupt`` where the file holds anything but these weights.
    """
    # Not at the top: torchvision takes seconds to import, and knowing the networks must not.
    from torchvision.models import detection

    assert path is not None
    try:
        network = with_weights(getattr(detection, name), read_tensors(path))
    except OtherWeights as fault:
        raise not_the_weights(path, "torchvision's detector", fault) from fault
    return RCNN(network, device, half=device.type == "cuda")


def with_weights(build: Callable[..., nn.Module], state: Mapping[str, Tensor]) -> nn.Module:
    """Build a network and put the tensors of ``state`` in, every one of them.

    Raises:
        OtherWeights: A tensor is missing, is too many, has another shape or type, or holds values
            that are not finite.
    """
    with torch.device("meta"):  # no time for random weights, nor a draw of the generator
        network: Any = build(
            weights=None, weights_backbone=None, box_detections_per_img=MOST_OBJECTS
        )
    wanted = network.state_dict()
    weights = {str(name): tensor for name, tensor in state.items()}
    check_state(weights, wanted)
    for name in wanted.keys() - weights.keys():  # frozen while it was trained: not always there
        assert name.endswith(COUNTER)
        weights[name] = torch.zeros((), dtype=torch.int64)
    network.load_state_dict(weights, strict=True, assign=True)
    anchors = network.rpn.anchor_generator
    anchors.cell_anchors = [  # computed while it was built, hence still without values
        anchors.generate_anchors(sizes, ratios)
        for sizes, ratios in zip(anchors.sizes, anchors.aspect_ratios, strict=True)
    ]
    built: nn.Module = network
    return built


def _descriptor(
    name: str, title: str, constructor: str, file: WeightsFile, **facts: Any
) -> NetworkDescriptor[Detector]:
    return NetworkDescriptor(
        name=name,
        role="detector",
        network_set="official",
        title=title,
        licence="BSD-3-Clause (torchvision)",
        source=f"torchvision's models, {file.name}",
        load=partial(load, constructor),
        files=(file,),
        **facts,
    )


MASK_RCNN = _descriptor(
    "mask_rcnn",
    "Mask R-CNN ResNet-50, masks of 80 kinds of objects",
    "maskrcnn_resnet50_fpn_v2",
    WeightsFile(
        name="maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth",
        bytes=185_828_065,
        url=f"{HUB}/maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth",
        sha256="73cbd0190fcbe3ba339921fbce2c3a0b6bb9126c9a133c85e43a2a8e060a109e",
    ),
    for_gpu=True,
    memory=1_200_000_000,
    preference=2,
)
FASTER_RCNN = _descriptor(
    "faster_rcnn_mobilenet",
    "Faster R-CNN MobileNetV3, boxes of 80 kinds of objects",
    "fasterrcnn_mobilenet_v3_large_fpn",
    WeightsFile(
        name="fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth",
        bytes=77_844_807,
        url=f"{HUB}/fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth",
        sha256="fb6a3cc702b1df54c18a44b26708cd083614211062d0c36d2ca7bf9270df3533",
    ),
    memory=500_000_000,
    preference=1,
)
