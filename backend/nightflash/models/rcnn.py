"""Mask R-CNN and Faster R-CNN: torchvision's detectors with its weights.

Mask R-CNN (He et al. 2017) with a ResNet-50 and a feature pyramid, in the improved form of Li et
al. 2021, gives a mask of every object. Faster R-CNN (Ren et al. 2015) on a MobileNetV3 gives boxes,
and is light enough for a machine without a GPU.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import (
    FasterRCNN_MobileNet_V3_Large_FPN_Weights,
    MaskRCNN_ResNet50_FPN_V2_Weights,
    fasterrcnn_mobilenet_v3_large_fpn,
    maskrcnn_resnet50_fpn_v2,
)

from nightflash.errors import NightFlashError
from nightflash.models.descriptor import Detection, Detector, NetworkDescriptor, NetworkInput
from nightflash.models.weights import WeightsFile

CLASSES: tuple[str, ...] = tuple(MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1.meta["categories"])
MOST_OBJECTS = 20  # in one picture: every further mask costs time, and none is the main object
_FAULTS = (  # of torch.load and load_state_dict
    *(RuntimeError, KeyError, AttributeError, TypeError, ValueError, EOFError),
    pickle.UnpicklingError,
)
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
                    label=CLASSES[int(found["labels"][i])],
                    mask=found["masks"][i, 0].half() if "masks" in found else None,
                )
            )
        return sorted(result, key=lambda one: one.score, reverse=True)


def load(build: Callable[..., nn.Module], path: Path | None, device: torch.device) -> RCNN:
    """Read torchvision's file unchanged; in half precision on a GPU.

    Args:
        build: torchvision's constructor of the network.
        path: The file.
        device: Where it shall run.

    Raises:
        NightFlashError: ``networks_corrupt`` where the file holds anything but these weights.
    """
    assert path is not None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = with_weights(build, state)
    except _FAULTS as fault:
        raise NightFlashError(
            f"{path} does not hold the weights of torchvision's detector.",
            "Fetch it again with 'nightflash models download'.",
            code="networks_corrupt",
        ) from fault
    return RCNN(network, device, half=device.type == "cuda")


def with_weights(build: Callable[..., nn.Module], state: dict[str, Tensor]) -> nn.Module:
    """Build a network and put the tensors of ``state`` in, every one of them.

    Raises:
        RuntimeError: A tensor is missing, is too many, has another shape or type, or holds what is
            no number.
    """
    with torch.device("meta"):  # no time for random weights, nor a draw of the generator
        network: Any = build(
            weights=None, weights_backbone=None, box_detections_per_img=MOST_OBJECTS
        )
    wanted = network.state_dict()
    for name, tensor in wanted.items():
        if name.endswith("num_batches_tracked"):  # frozen while it was trained: not always there
            state.setdefault(name, torch.zeros((), dtype=torch.int64))
        elif name in state and state[name].dtype != tensor.dtype:
            raise RuntimeError(f"{name} is {state[name].dtype}")
    for name, tensor in state.items():
        if not tensor.isfinite().all():
            raise RuntimeError(f"{name} holds what is no number")
    network.load_state_dict(state, strict=True, assign=True)
    anchors = network.rpn.anchor_generator
    anchors.cell_anchors = [  # computed while it was built, hence still without values
        anchors.generate_anchors(sizes, ratios)
        for sizes, ratios in zip(anchors.sizes, anchors.aspect_ratios, strict=True)
    ]
    built: nn.Module = network
    return built


def _descriptor(
    name: str, title: str, build: Callable[..., nn.Module], file: WeightsFile, **facts: Any
) -> NetworkDescriptor[Detector]:
    return NetworkDescriptor(
        name=name,
        role="detector",
        network_set="official",
        title=title,
        licence="BSD-3-Clause (torchvision)",
        source=f"torchvision's models, {file.name}",
        load=partial(load, build),
        input=NetworkInput(short_side=800, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
        files=(file,),
        **facts,
    )


MASK_RCNN = _descriptor(
    "mask_rcnn",
    "Mask R-CNN ResNet-50, masks of 80 kinds of objects",
    maskrcnn_resnet50_fpn_v2,
    WeightsFile(
        name="maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth",
        bytes=185_828_065,
        url=MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1.url,
        sha256="73cbd0190fcbe3ba339921fbce2c3a0b6bb9126c9a133c85e43a2a8e060a109e",
    ),
    for_gpu=True,
    memory=1_200_000_000,
    preference=2,
)
FASTER_RCNN = _descriptor(
    "faster_rcnn_mobilenet",
    "Faster R-CNN MobileNetV3, boxes of 80 kinds of objects",
    fasterrcnn_mobilenet_v3_large_fpn,
    WeightsFile(
        name="fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth",
        bytes=77_845_233,  # 74.239 MiB
        url=FasterRCNN_MobileNet_V3_Large_FPN_Weights.COCO_V1.url,
        sha256="fb6a3cc7",
        rounded=True,
    ),
    memory=500_000_000,
    preference=1,
)
