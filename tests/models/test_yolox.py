from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nightflash.errors import NightFlashError
from nightflash.models import coco, yolox
from nightflash.models.yolox import YOLOX

from tests.models.pictures import CPU, picture

FILE = yolox.DESCRIPTOR.files[0].name


@pytest.fixture(scope="module")
def network(shared: Path) -> YOLOX:
    return yolox.load(shared / "weights" / FILE, CPU)


def overlap(
    first: tuple[float, float, float, float], second: tuple[float, float, float, float]
) -> float:
    """Intersection over union of two boxes (x, y, width, height)."""
    (x0, y0, w0, h0), (x1, y1, w1, h1) = first, second
    across = max(0.0, min(x0 + w0, x1 + w1) - max(x0, x1))
    down = max(0.0, min(y0 + h0, y1 + h1) - max(y0, y1))
    return across * down / (w0 * h0 + w1 * h1 - across * down)


def test_there_are_80_classes() -> None:
    assert len(set(coco.CLASSES)) == 80
    assert (coco.CLASSES[20], coco.CLASSES[57], coco.CLASSES[79]) == (
        "elephant",
        "couch",
        "toothbrush",
    )
    assert all(name == name.strip() and name for name in coco.CLASSES)


# Boxes measured by eye on the photos at full size: x, y, width, height.
@pytest.mark.parametrize(
    ("photo", "label", "box"),
    [
        ("daylight/kruger_elephant_20MP.jpg", "elephant", (0, 20, 1570, 2620)),
        ("daylight/gc3pie_zebra.jpg", "zebra", (0, 50, 670, 590)),
        ("daylight/darknet_dog.jpg", "dog", (130, 220, 185, 325)),
        ("daylight/coral_cat_1080p.jpg", "cat", (160, 160, 1270, 910)),
        ("daylight/coral_owl.jpg", "bird", (160, 15, 170, 350)),
        ("masks/coral_bird_segmentation.bmp", "bird", (80, 70, 410, 335)),
    ],
)
def test_the_main_object_is_found(
    network: YOLOX, shared: Path, photo: str, label: str, box: tuple[int, int, int, int]
) -> None:
    found = network.detect(picture(shared / "photos" / photo))
    assert found[0].label == label
    assert found[0].score > 0.75
    assert overlap(found[0].box, box) > 0.75
    assert found[0].mask is None


def test_several_objects_are_found_best_first(network: YOLOX, shared: Path) -> None:
    rgb = picture(shared / "photos/daylight/darknet_person.jpg")
    found = network.detect(rgb)
    assert {"person", "dog", "horse"} <= {one.label for one in found}
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    for one in found:
        x, y, width, height = one.box
        assert x >= 0
        assert y >= 0
        assert width > 0
        assert height > 0
        assert x + width <= rgb.shape[2] + 0.01
        assert y + height <= rgb.shape[1] + 0.01


def test_boxes_of_one_class_do_not_repeat(network: YOLOX, shared: Path) -> None:
    found = network.detect(picture(shared / "photos/daylight/african_elephants.jpg"), score=0.1)
    assert len(found) >= 3
    pairs = [(a, b) for a in found for b in found if a is not b and a.label == b.label]
    assert all(overlap(a.box, b.box) <= yolox.OVERLAP + 1e-3 for a, b in pairs)


def test_the_score_asked_for_is_kept(network: YOLOX, shared: Path) -> None:
    rgb = picture(shared / "photos/daylight/darknet_dog.jpg")
    assert all(one.score >= 0.83 for one in network.detect(rgb, score=0.83))
    assert len(network.detect(rgb, score=0.83)) < len(network.detect(rgb, score=0.05))


@pytest.mark.parametrize(
    "photo", ["blank2.jpg", "me_Nikon_D3100.jpg", "me_Canon_PowerShot_A20.jpg"]
)
def test_nothing_is_found_where_nothing_known_is(network: YOLOX, shared: Path, photo: str) -> None:
    assert network.detect(picture(shared / "photos/daylight" / photo)) == []


@pytest.mark.parametrize(("height", "width"), [(1, 1), (20, 30000), (30000, 20), (416, 416)])
def test_any_size_is_taken(network: YOLOX, height: int, width: int) -> None:
    for one in network.detect(torch.rand(3, height, width), score=0.0)[:50]:
        x, y, across, down = one.box
        assert 0 <= x < x + across <= width + 0.01
        assert 0 <= y < y + down <= height + 0.01


def test_a_file_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a network at all")
    with pytest.raises(NightFlashError, match=FILE) as caught:
        yolox.load(tmp_path / FILE, CPU)
    assert caught.value.code == "networks_corrupt"
