"""torchvision's detectors, with made-up weights in the layout of its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from nightflash.errors import NightFlashError
from nightflash.models import rcnn, vgg19
from nightflash.models.descriptor import Detector, NetworkDescriptor
from torch import Tensor, nn
from torchvision.models.detection import (
    FasterRCNN_MobileNet_V3_Large_FPN_Weights,
    MaskRCNN_ResNet50_FPN_V2_Weights,
    fasterrcnn_mobilenet_v3_large_fpn,
    maskrcnn_resnet50_fpn_v2,
)

from tests.models.official import DOG, sure_of
from tests.models.pictures import CPU

Build = Callable[..., nn.Module]
BOTH: list[tuple[NetworkDescriptor[Detector], Build, Any]] = [
    (rcnn.MASK_RCNN, maskrcnn_resnet50_fpn_v2, MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1),
    (
        rcnn.FASTER_RCNN,
        fasterrcnn_mobilenet_v3_large_fpn,
        FasterRCNN_MobileNet_V3_Large_FPN_Weights.COCO_V1,
    ),
]
each = pytest.mark.parametrize(
    ("descriptor", "build", "published"), BOTH, ids=[d.name for d, _, _ in BOTH]
)


@each
def test_the_descriptor_is_that_of_torchvision_s_file(
    descriptor: NetworkDescriptor[Detector], build: Build, published: Any
) -> None:
    (file,) = descriptor.files
    assert file.url == published.url
    assert file.url.endswith(f"/{file.name}")
    assert file.name.rpartition("-")[2].removesuffix(".pth") == file.sha256[:8]
    assert abs(file.bytes / 2**20 - published.meta["_file_size"]) < 5e-4
    with torch.device("meta"):
        network = build(weights=None, weights_backbone=None)
    count = sum(p.numel() for p in network.parameters())
    if descriptor is rcnn.FASTER_RCNN:  # counted with its normalisation frozen
        norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
        count -= sum(p.numel() for norm in norms for p in norm.parameters())
    assert count == published.meta["num_params"]


@each
def test_a_file_gives_what_torchvision_s_own_way_gives(
    descriptor: NetworkDescriptor[Detector], build: Build, published: Any, tmp_path: Path
) -> None:
    state = sure_of(build, DOG)
    if descriptor is rcnn.FASTER_RCNN:  # a frozen batch normalisation does not count
        state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    before = torch.get_rng_state()
    detector = descriptor.load(path, CPU)
    assert torch.equal(torch.get_rng_state(), before)
    picture = torch.rand(3, 90, 130, generator=torch.Generator().manual_seed(1))
    found = detector.detect(picture, score=0.5)

    theirs = build(weights=None, weights_backbone=None, box_detections_per_img=rcnn.MOST_OBJECTS)
    theirs.load_state_dict(state, strict=False)
    with torch.no_grad():
        (expected,) = theirs.eval()([picture])
    sure = expected["scores"] >= 0.5
    assert 0 < len(found) == int(sure.sum()) <= rcnn.MOST_OBJECTS
    for one, box, score in zip(
        found, expected["boxes"][sure], expected["scores"][sure], strict=True
    ):
        x, y, w, h = one.box
        torch.testing.assert_close(torch.tensor((x, y, x + w, y + h)), box)
        assert one.score == score
        assert one.label == "dog"
    if descriptor is rcnn.MASK_RCNN:
        for one, mask in zip(found, expected["masks"][sure], strict=True):
            assert one.mask is not None
            torch.testing.assert_close(one.mask.float(), mask[0], rtol=1e-3, atol=1e-3)
    else:
        assert all(one.mask is None for one in found)
    assert detector.detect(picture, score=1.01) == []


@each
@pytest.mark.parametrize("size", [(1, 1), (3, 700), (500, 2)])
def test_pictures_of_any_shape(
    descriptor: NetworkDescriptor[Detector], build: Build, published: Any, size: tuple[int, int]
) -> None:
    height, width = size
    detector = rcnn.RCNN(rcnn.with_weights(build, sure_of(build, DOG)), CPU)
    for one in detector.detect(torch.rand(3, height, width)):
        x, y, w, h = one.box
        assert 0 <= x < x + w <= width + 1e-3
        assert 0 <= y < y + h <= height + 1e-3
        assert one.mask is None or one.mask.shape == size


def without(state: dict[str, Tensor]) -> None:
    del state["rpn.head.bbox_pred.weight"]


def with_another(state: dict[str, Tensor]) -> None:
    state["rpn.head.extra"] = torch.zeros(3)


def of_another_shape(state: dict[str, Tensor]) -> None:
    state["rpn.head.bbox_pred.bias"] = torch.zeros(7)


def of_another_type(state: dict[str, Tensor]) -> None:
    state["rpn.head.bbox_pred.bias"] = state["rpn.head.bbox_pred.bias"].double()


def with_no_number(state: dict[str, Tensor]) -> None:
    state["rpn.head.bbox_pred.bias"][0] = torch.nan


@pytest.mark.parametrize(
    "spoil", [without, with_another, of_another_shape, of_another_type, with_no_number]
)
def test_what_is_not_the_network_is_refused(
    spoil: Callable[[dict[str, Tensor]], None], tmp_path: Path
) -> None:
    state = sure_of(fasterrcnn_mobilenet_v3_large_fpn, DOG)
    spoil(state)
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    with pytest.raises(NightFlashError, match="does not hold") as caught:
        rcnn.FASTER_RCNN.load(path, CPU)
    assert caught.value.code == "networks_corrupt"
    assert str(path) in caught.value.sentence


class Thief:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("stolen"),))


@pytest.mark.parametrize("content", [Thief(), ["a list"], {"a": 1}, "text"])
def test_what_is_not_weights_is_refused_and_never_run(
    content: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(NightFlashError, match="does not hold"):
        rcnn.FASTER_RCNN.load(tmp_path / "weights.pth", CPU)
    assert not (tmp_path / "stolen").exists()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(50)])
def test_a_file_of_anything_else_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(NightFlashError, match="does not hold"):
        rcnn.FASTER_RCNN.load(tmp_path / "weights.pth", CPU)


def test_a_small_file_of_a_huge_tensor_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"x": torch.zeros(1).expand(10**13)}, path)
    for descriptor in (rcnn.FASTER_RCNN, vgg19.TORCHVISION, vgg19.DESCRIPTOR):
        with pytest.raises(NightFlashError, match="does not hold"):
            descriptor.load(path, CPU)


def test_labels_are_those_of_torchvision() -> None:
    names = MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1.meta["categories"]
    assert {i: n for i, n in enumerate(names) if n not in ("N/A", "__background__")} == rcnn.LABELS
