"""YOLOX-nano: finds objects of the 80 COCO classes, run by onnxruntime.

Ge et al.: "YOLOX: Exceeding YOLO Series in 2021". Anchor-free: every cell of three grids predicts
one box relative to itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.models.coco import CLASSES
from nightflash.models.descriptor import Detection, Detector, NetworkDescriptor
from nightflash.models.onnx import open_session, run
from nightflash.models.resize import resize
from nightflash.models.weights import WeightsFile

SIDE = 416
STRIDES = (8, 16, 32)
GREY = 114.0
OVERLAP = 0.45  # intersection over union above which the weaker box of a class is dropped


class YOLOX:
    """YOLOX-nano, a ``Detector``.

    Args:
        session: An ``onnxruntime.InferenceSession`` of the exported network.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        grids = [SIDE // stride for stride in STRIDES]
        self._cells = torch.cat(
            [torch.cartesian_prod(torch.arange(n), torch.arange(n)).flip(1) for n in grids]
        ).float()  # (x, y) of every cell, row by row
        self._strides = torch.cat(
            [torch.full((n * n, 1), float(s)) for n, s in zip(grids, STRIDES, strict=True)]
        )

    def detect(self, rgb: Tensor, score: float = 0.3) -> list[Detection]:
        """See ``Detector``; boxes only."""
        # Not at the top: torchvision takes seconds to import, and knowing the networks must not.
        from torchvision.ops import batched_nms

        height, width = rgb.shape[1:]
        picture, scale = _letterbox(rgb.detach().to("cpu", torch.float32))
        raw = run(self._session, picture)
        boxes, scores, classes = self._decode(torch.from_numpy(raw[0]), score)

        sides = torch.tensor([width, height, width, height], dtype=torch.float32)
        boxes = torch.minimum((boxes / scale).clamp(min=0.0), sides)
        seen = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
        boxes, scores, classes = boxes[seen], scores[seen], classes[seen]

        found = []
        for i in batched_nms(boxes, scores, classes, OVERLAP).tolist():
            left, top, right, bottom = boxes[i].tolist()
            box = (left, top, right - left, bottom - top)
            found.append(Detection(box, scores[i].item(), CLASSES[int(classes[i])]))
        return found

    def _decode(self, raw: Tensor, score: float) -> tuple[Tensor, Tensor, Tensor]:
        """Turn (cells, 85) predictions into boxes (left, top, right, bottom), scores, classes."""
        scores, classes = (raw[:, 4:5] * raw[:, 5:]).max(dim=1)
        sure = scores >= score
        centre = (raw[sure, 0:2] + self._cells[sure]) * self._strides[sure]
        half = raw[sure, 2:4].exp() * self._strides[sure] / 2
        return torch.cat((centre - half, centre + half), dim=1), scores[sure], classes[sure]


def _letterbox(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Fit a (3, H, W) picture into the top left of a grey square, BGR 0..255.

    Returns:
        The square, (1, 3, 416, 416), and the scale of (x, y, x, y) from the picture to it.
    """
    height, width = rgb.shape[1:]
    scale = SIDE / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    bgr = resize(rgb, rows, columns).flip(0) * 255.0
    square = F.pad(bgr, (0, SIDE - columns, 0, SIDE - rows), value=GREY)
    x, y = columns / width, rows / height
    return square[None], torch.tensor([x, y, x, y])


def load(path: Path | None, device: torch.device) -> YOLOX:
    """Open the published network, on the GPU where ``device`` and onnxruntime allow it.

    Raises:
        NightFlashError: ``networks_corrupt`` where onnxruntime cannot read the file.
    """
    assert path is not None
    return YOLOX(open_session(path, device, "YOLOX-nano", "images"))


DESCRIPTOR: NetworkDescriptor[Detector] = NetworkDescriptor(
    name="yolox_nano",
    role="detector",
    network_set="lite",
    title="YOLOX-nano, boxes of 80 kinds of objects",
    licence="Apache-2.0",
    source="Kazuhito00/Image-Processing-Node-Editor@75f75b65, yolox_nano.onnx",
    load=load,
    files=(
        WeightsFile(
            name="yolox_nano.onnx",
            bytes=3_660_092,
            url=(
                "https://raw.githubusercontent.com/Kazuhito00/Image-Processing-Node-Editor/"
                "75f75b654ba4f5900db1e520d8381556cf60c410/ipn_editor/node/deep_learning_node/"
                "object_detection/YOLOX/model/yolox_nano.onnx"
            ),
            sha256="695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
        ),
    ),
)
