from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nightflash.aim import Aim, working_aim
from nightflash.imaging.resample import working_dimensions
from nightflash.models.descriptor import Detection, MainObject
from nightflash.photo import read_mask
from nightflash.scene import Survey, aim_at, settled
from nightflash.scene.subject import NOT_CLEAR, boxed, largest, pointed, rectangle, salient, whole
from PIL import Image
from torch import Tensor

from tests.scene.test_segment import disc, overlap

SIZE = (120, 160)
FLAT = torch.full(SIZE, 0.5)


def seen(box: tuple[float, float, float, float], score: float, label: str) -> Detection:
    """A detection whose mask is its box."""
    mask = torch.zeros(SIZE)
    x, y, w, h = (int(v) for v in box)
    mask[y : y + h, x : x + w] = 1
    return Detection(box, score, label, mask)


def main_of(*detections: Detection, depth: Tensor = FLAT, several: bool = False) -> str:
    found = largest(detections, torch.full((3, *SIZE), 0.5), depth, several)
    assert found is not None
    return found.found


def test_nothing_detected_is_no_subject() -> None:
    assert largest([], torch.zeros(3, *SIZE), FLAT, False) is None


def test_the_largest_of_like_objects_is_the_main_one() -> None:
    small, large = seen((5, 5, 30, 30), 0.8, "dog"), seen((60, 20, 80, 80), 0.8, "horse")
    assert "horse" in main_of(small, large)
    assert "dog" not in main_of(small, large)


def test_a_doubtful_huge_box_does_not_win_over_a_sure_one() -> None:
    bed, cat = seen((2, 2, 155, 110), 0.31, "bed"), seen((30, 20, 70, 70), 0.8, "cat")
    assert "cat" in main_of(bed, cat)


def test_what_stands_in_front_wins_over_a_larger_thing_behind() -> None:
    depth = torch.full(SIZE, 0.4)
    depth[50:110, 10:60] = 1.0
    behind, before = seen((40, 5, 100, 75), 0.8, "bicycle"), seen((10, 40, 50, 70), 0.84, "dog")
    assert "dog" in main_of(behind, before, depth=depth)


def test_what_the_frame_cuts_off_yields_to_a_whole_thing() -> None:
    cut, whole = seen((0, 30, 52, 50), 0.8, "cow"), seen((90, 30, 50, 50), 0.8, "sheep")
    assert "sheep" in main_of(cut, whole)


def test_equals_are_lit_together_only_when_asked() -> None:
    two = seen((10, 30, 40, 50), 0.8, "apple"), seen((80, 30, 40, 45), 0.7, "orange")
    far = seen((140, 5, 6, 6), 0.5, "bird")
    assert "orange" not in main_of(*two, far)
    together = main_of(*two, far, several=True)
    assert "apple" in together
    assert "orange" in together
    assert "bird" not in together
    found = largest([*two, far], torch.full((3, *SIZE), 0.5), FLAT, True)
    assert found is not None
    assert found.mask[50, 30] == 1
    assert found.mask[50, 100] == 1
    assert found.mask[8, 143] == 0


def test_two_classes_for_one_animal_count_once() -> None:
    bear, sheep = seen((20, 20, 90, 80), 0.9, "bear"), seen((22, 21, 90, 78), 0.6, "sheep")
    assert main_of(sheep, bear, several=True) == "main detected: bear (0.90)"


def test_a_point_takes_the_smallest_detected_object_under_it() -> None:
    person, tie = seen((20, 10, 100, 100), 0.9, "person"), seen((60, 40, 10, 30), 0.5, "tie")
    picture = torch.full((3, *SIZE), 0.5)
    assert pointed((65, 50), picture, FLAT, None, [person, tie]).found == "tie under the point"
    assert pointed((30, 50), picture, FLAT, None, [person, tie]).found == "person under the point"


def test_a_point_finds_a_thing_that_is_not_detected() -> None:
    encoded, truth, _ = disc(*SIZE, 30)
    depth = 0.3 + 0.4 * truth
    found = pointed((75, 55), encoded, depth, None, [])
    assert overlap(found.mask, truth) > 0.9
    elsewhere = seen((0, 0, 20, 20), 0.9, "dog")
    assert overlap(pointed((75, 55), encoded, depth, None, [elsewhere]).mask, truth) > 0.9


@settings(max_examples=25, deadline=None)
@given(x=st.floats(0, 159.9), y=st.floats(0, 119.9), seed=st.integers(0, 9))
def test_every_point_gives_a_mask(x: float, y: float, seed: int) -> None:
    torch.manual_seed(seed)
    mask = pointed((x, y), torch.rand(3, *SIZE), torch.rand(*SIZE), None, []).mask
    assert mask.shape == SIZE
    assert 0.5 < float(mask.max()) <= 1


def aimed(aim: Aim, encoded: Tensor, main: MainObject | None = None) -> Tensor:
    survey = Survey(encoded, encoded, FLAT, None, "flat", guessed=False)
    return aim_at(survey, main, settled(aim), (SIZE[1], SIZE[0])).subject


def test_a_drawn_mask_is_used_as_it_is() -> None:
    encoded, truth, _ = disc(*SIZE, 30)
    soft = torch.nn.functional.avg_pool2d(truth[None], 9, 1, 4)[0]
    for mask in (soft, truth, torch.ones(SIZE)):
        assert torch.equal(aimed(Aim(mask=mask.numpy()), encoded), mask)


@given(
    st.integers(0, 100), st.integers(0, 70), st.integers(3, 50), st.integers(3, 40), st.floats(0, 1)
)
def test_a_hard_rectangle_is_a_box(x: int, y: int, w: int, h: int, part: float) -> None:
    """Its sides may cross pixels, as they do in a reduced mask."""
    mask = torch.zeros(SIZE)
    mask[y : y + h, x : x + w] = 1
    mask[y : y + h, x + w] = part
    box = rectangle(mask)
    assert box is not None
    assert box[:2] == (x, y)
    assert box[2] - w in (0, 1)
    assert box[3] == h


@pytest.mark.parametrize("name", ["mask.png", "mask.jpg", "mask.webp"])
def test_rectangles_of_a_mask_file_are_boxes_whatever_the_format(tmp_path: Path, name: str) -> None:
    """Of random ones on a photo that is reduced, with sums of hundreds of thousands of pixels."""
    dice, size = np.random.default_rng(19), (1920, 1280)
    missed = []
    for _ in range(12):
        w, h = dice.integers(300, size[0] - 10), dice.integers(300, size[1] - 10)
        x, y = dice.integers(0, size[0] - w), dice.integers(0, size[1] - h)
        drawn = np.zeros(size[::-1], np.uint8)
        drawn[y : y + h, x : x + w] = 255
        Image.fromarray(drawn).save(tmp_path / name, quality=75, method=0)
        working = working_dimensions(*size, 1.0)
        box = settled(working_aim(Aim(read_mask(tmp_path / name)), size, working)).box
        scale = working[0] / size[0]
        if box is None or np.abs(np.array(box) - np.array((x, y, w, h)) * scale).max() > 2:
            missed.append(((x, y, w, h), box))
    assert not missed


def test_a_feathered_or_half_transparent_rectangle_is_no_box() -> None:
    mask = torch.zeros(SIZE)
    mask[30:80, 40:120] = 1
    assert rectangle(torch.nn.functional.avg_pool2d(mask[None], 9, 1, 4)[0]) is None
    assert rectangle(0.5 * mask) is None


def test_a_drawn_rectangle_is_refined_to_the_object_in_it() -> None:
    encoded, truth, _ = disc(*SIZE, 30)
    mask = torch.zeros(SIZE)
    mask[30:90, 50:110] = 1
    found = aimed(Aim(mask=mask.numpy()), encoded)
    assert overlap(found, truth) > 0.95
    assert torch.equal(found, boxed((50, 30, 60, 60), encoded, FLAT, "").mask)


def two() -> tuple[Tensor, Tensor, Tensor, MainObject]:
    """A picture of two objects, each of them, and a sure mask of both."""
    left, right = torch.zeros(SIZE), torch.zeros(SIZE)
    left[40:80, 20:60] = 1
    right[20:100, 100:150] = 1
    rgb = 0.2 + 0.6 * torch.maximum(left, right)
    return rgb.expand(3, *SIZE), left, right, MainObject(torch.maximum(left, right), clear=True)


def test_each_part_of_the_main_object_can_be_pointed_at_or_boxed() -> None:
    rgb, left, right, main = two()
    for (x, y), box, one in (
        ((40, 60), (18.0, 38.0, 44.0, 44.0), left),
        ((130, 60), (98.0, 18.0, 54.0, 84.0), right),
    ):
        assert overlap(pointed((x, y), rgb, FLAT, main, []).mask, one) > 0.95
        assert overlap(boxed(box, rgb, FLAT, "", main).mask, one) > 0.95


def test_a_sure_mask_is_used_as_it_is_whatever_the_colours_say() -> None:
    _, left, _, _ = two()
    stripes = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(1))
    found = whole(MainObject(left, clear=True), stripes, FLAT)
    assert found is not None
    assert torch.equal(found.mask, left)
    assert not found.note


def test_of_animals_that_hang_together_a_detected_one_can_be_pointed_at() -> None:
    touching = torch.zeros(SIZE)
    touching[40:90, 20:140] = 1
    dogs = [
        Detection((20, 40, 60, 50), 0.9, "dog"),
        Detection((80, 40, 60, 50), 0.8, "dog"),
    ]
    main = MainObject(touching, clear=True)
    found = pointed((40, 60), torch.rand(3, *SIZE), FLAT, main, dogs)
    assert found.found == "dog under the point"
    assert found.mask[60, 40] == 1
    assert found.mask[60, 120] == 0
    alone = pointed((40, 60), torch.rand(3, *SIZE), FLAT, main, [])
    assert torch.equal(alone.mask, touching)


def test_a_doubtful_main_object_is_lit_with_a_note_and_yields_to_a_detected_one() -> None:
    rgb, left, right, _ = two()
    doubtful = MainObject(left, clear=False)

    class Sees:
        def detect(self, rgb: Tensor, score: float = 0.3) -> list[Detection]:
            return [Detection((100, 20, 50, 80), 0.9, "dog", right)]

    alone = Survey(rgb, rgb, FLAT, None, "flat", guessed=False)
    scene = aim_at(alone, doubtful, Aim(), (SIZE[1], SIZE[0]))
    assert overlap(scene.subject, left) > 0.9
    assert scene.note == NOT_CLEAR
    helped = Survey(rgb, rgb, FLAT, Sees(), "flat", guessed=False)
    scene = aim_at(helped, doubtful, Aim(), (SIZE[1], SIZE[0]))
    assert overlap(scene.subject, right) > 0.9
    both = aim_at(helped, MainObject(left, clear=True), Aim(), (SIZE[1], SIZE[0]), several=True)
    assert overlap(both.subject, torch.maximum(left, right)) > 0.9


def test_an_empty_mask_is_no_main_object() -> None:
    rgb, *_ = two()
    nothing = MainObject(torch.zeros(64, 64), clear=False)
    assert whole(nothing, rgb, FLAT) is None
    survey = Survey(rgb, rgb, FLAT, None, "flat", guessed=False)
    assert aim_at(survey, nothing, Aim(), (SIZE[1], SIZE[0])).subject_from == "salience"


def test_without_any_detection_the_salient_thing_is_taken_with_a_note() -> None:
    encoded, truth, _ = disc(*SIZE, 30)
    found = salient(encoded, 0.3 + 0.4 * truth)
    assert overlap(found.mask, truth) > 0.6
    assert found.note
