from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from nightflash.imaging.colour import encode
from nightflash.models import yolox
from nightflash.models.descriptor import Detection
from nightflash.scene.segment import Box, object_from_prior, object_in_box
from nightflash.scene.subject import largest
from PIL import Image
from torch import Tensor
from training.scenes import TUNING_SEEDS, render_scene

from tests.models.pictures import CPU, picture


def overlap(found: Tensor, truth: Tensor, counted: Tensor | None = None) -> float:
    """Intersection over union of two soft masks, where ``counted``."""
    a, b = found > 0.5, truth > 0.5
    if counted is not None:
        a, b = a & counted, b & counted
    return float((a & b).sum() / (a | b).sum())


def disc(h: int, w: int, radius: float) -> tuple[Tensor, Tensor, Box]:
    """A reddish disc before a patterned green ground: picture, exact mask and box."""
    rows, columns = torch.arange(h)[:, None] + 0.5, torch.arange(w)[None] + 0.5
    mask = ((rows - h / 2) ** 2 + (columns - w / 2) ** 2 < radius**2).float()
    pattern = 0.1 * ((rows // 5 + columns // 7) % 2)
    ground = torch.stack([0.2 + pattern, 0.5 - pattern, 0.2 + pattern])
    thing = torch.stack([0.7 - pattern, 0.3 + pattern, 0.25 + pattern])
    box = (w / 2 - radius, h / 2 - radius, 2 * radius, 2 * radius)
    return torch.lerp(ground, thing, mask), mask, box


@lru_cache(maxsize=8)
def rendered(seed: int) -> tuple[Tensor, Tensor, Tensor, Box]:
    """Day (encoded), true relative inverse depth, exact mask and box of a rendered scene."""
    scene = render_scene(seed)
    inverse = np.nan_to_num(1 / scene.distance, posinf=0.0)
    inverse = np.clip(inverse / np.quantile(inverse, 0.99), 0, 1.3).astype(np.float32)
    x, y, w, h = scene.box
    return (
        encode(torch.from_numpy(scene.day).permute(2, 0, 1).contiguous()),
        torch.from_numpy(inverse),
        torch.from_numpy(scene.mask),
        (float(x), float(y), float(w), float(h)),
    )


@pytest.mark.parametrize("seed", TUNING_SEEDS)
def test_every_rendered_object_is_cut_out(seed: int) -> None:
    encoded, depth, truth, box = rendered(seed)
    assert overlap(object_in_box(encoded, depth, box), truth) > 0.8


def test_rendered_objects_are_cut_out_well() -> None:
    scenes = [rendered(seed) for seed in TUNING_SEEDS]
    found = [overlap(object_in_box(e, d, box), truth) for e, d, truth, box in scenes]
    assert np.median(found) > 0.92


def test_colour_alone_is_enough_where_depth_says_nothing() -> None:
    encoded, truth, box = disc(120, 160, 35)
    assert overlap(object_in_box(encoded, torch.full((120, 160), 0.5), box), truth) > 0.95


def test_depth_alone_is_enough_where_colour_says_nothing() -> None:
    _, truth, box = disc(120, 160, 35)
    depth = 0.3 + 0.5 * truth
    assert overlap(object_in_box(torch.full((3, 120, 160), 0.5), depth, box), truth) > 0.95


def test_the_ground_under_an_object_is_left_out() -> None:
    encoded, truth, (x, y, w, h) = disc(120, 160, 35)
    ground = torch.linspace(0, 1, 120)[:, None].expand(120, 160)
    depth = torch.lerp(ground, torch.tensor(0.8), truth)
    assert overlap(object_in_box(encoded, depth, (x, y - 3, w, h + 12)), truth) > 0.9


def test_an_object_cut_off_by_the_frame_reaches_it() -> None:
    encoded, truth, (_, y, w, h) = disc(120, 160, 35)
    mask = object_in_box(encoded[..., 80:], torch.full((120, 80), 0.5), (0.0, y, w / 2, h))
    assert overlap(mask, truth[:, 80:]) > 0.95
    assert float(mask[60, 0]) > 0.9


def test_the_mask_is_the_same_every_time() -> None:
    encoded, depth, _, box = rendered(TUNING_SEEDS[0])
    assert torch.equal(object_in_box(encoded, depth, box), object_in_box(encoded, depth, box))


def test_the_edge_is_soft_and_narrow() -> None:
    encoded, truth, box = disc(240, 320, 80)
    mask = object_in_box(encoded, 0.3 + 0.4 * truth, box)
    between = (mask > 0.02) & (mask < 0.98)
    outline = 2 * np.pi * 80
    assert 0 < float(between.sum()) < 6 * outline


def test_a_prior_is_refined_to_the_object() -> None:
    encoded, truth, (x, y, w, h) = disc(120, 160, 35)
    prior = torch.full((120, 160), 0.3)
    prior[45:75, 65:95] = 0.9
    box = (x - 10, y - 10, w + 20, h + 20)
    assert overlap(object_from_prior(encoded, 0.3 + 0.4 * truth, prior, box), truth) > 0.9


@settings(max_examples=30, deadline=None)
@given(
    size=st.tuples(st.integers(2, 60), st.integers(2, 60)),
    place=st.tuples(*[st.floats(0, 1)] * 4),
    flat=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_box_gives_a_mask_near_it(
    size: tuple[int, int], place: tuple[float, float, float, float], flat: bool, seed: int
) -> None:
    h, w = size
    torch.manual_seed(seed)
    encoded = torch.full((3, h, w), 0.4) if flat else torch.rand(3, h, w)
    depth = torch.zeros(h, w) if flat else torch.rand(h, w)
    x, y = place[0] * (w - 1), place[1] * (h - 1)
    box = (x, y, max(0.5, place[2] * (w - x)), max(0.5, place[3] * (h - y)))
    mask = object_in_box(encoded, depth, box)
    assert mask.shape == (h, w)
    assert float(mask.min()) >= 0
    assert 0.5 < float(mask.max()) <= 1


def test_a_photographed_bird_is_cut_out(shared: Path) -> None:
    pytest.importorskip("onnxruntime")
    encoded = picture(shared / "photos/masks/coral_bird_segmentation.bmp")
    with Image.open(shared / "photos/masks/coral_bird_segmentation_mask.bmp") as file:
        classes = torch.from_numpy(np.array(file))
    detector = yolox.load(shared / "weights" / yolox.DESCRIPTOR.files[0].name, CPU)
    bird = detector.detect(encoded)[0]
    mask = object_in_box(encoded, torch.full(encoded.shape[1:], 0.5), bird.box)
    truth = ((classes > 0) & (classes < 255)).float()
    assert overlap(mask, truth, classes < 255) > 0.85


def coarse(mask: Tensor, box: Box, seed: int) -> Tensor:
    """A mask as Mask R-CNN gives it: 28 x 28 uncertain cells in its box, widened to the picture."""
    h, w = mask.shape
    x0, y0 = (max(0, int(v)) for v in box[:2])
    x1, y1 = min(w, math.ceil(box[0] + box[2])), min(h, math.ceil(box[1] + box[3]))
    cells = F.interpolate(mask[None, None, y0:y1, x0:x1], (28, 28), mode="area")
    doubt = torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    doubt = F.avg_pool2d(doubt, 3, 1, 1, count_include_pad=False)
    cells = torch.sigmoid(torch.logit(cells, 0.02) + 4 * doubt)
    wide = F.interpolate(cells, (y1 - y0, x1 - x0), mode="bilinear")[0, 0]
    out = torch.zeros_like(mask)
    out[y0:y1, x0:x1] = F.avg_pool2d(wide[None], 5, 1, 2)[0]
    return out


def test_a_detector_s_coarse_mask_gets_the_photo_s_edges() -> None:
    gained = []
    for seed in TUNING_SEEDS:
        picture, depth, mask, box = rendered(seed)
        rough = coarse(mask, box, seed)
        found = largest([Detection(box, 0.9, "dog", rough)], picture, depth, several=False)
        assert found is not None
        gained.append(overlap(found.mask, mask) - overlap(rough, mask))
    assert median(gained) > 0.02
    assert min(gained) > -0.01
