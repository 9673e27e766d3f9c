from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from nightflash.scene.main_object import outlined, overlap, parts

from tests.scene.test_segment import disc

SIZE = (120, 160)
FLAT = torch.full(SIZE, 0.5)


def test_a_coarse_mask_gets_the_photo_s_edges() -> None:
    encoded, truth, _ = disc(*SIZE, 30)
    coarse = F.avg_pool2d(truth[None], 10)[0]
    plain = F.interpolate(coarse[None, None], SIZE, mode="bilinear")[0, 0]
    assert overlap(outlined(coarse, encoded, FLAT), truth) > overlap(plain, truth) + 0.02


def test_another_outline_that_is_another_object_is_not_taken() -> None:
    """Of a coarse map beside the thing that stands out, the outline could run to that."""
    encoded, truth, _ = disc(*SIZE, 30)
    elsewhere = torch.zeros(12, 16)
    elsewhere[:3, :3] = 0.6
    found = outlined(elsewhere, encoded, FLAT)
    assert overlap(found, truth) < 0.1
    assert found[10, 10] > 0.5


@pytest.mark.parametrize(
    ("picture", "small"), [(SIZE, (96, 128)), (SIZE, (12, 16)), ((200, 800), (160, 640))]
)
def test_what_a_small_map_misses_is_found_anew_and_a_large_one_is_believed(
    picture: tuple[int, int], small: tuple[int, int]
) -> None:
    """However near the small map's places come to the picture's, and however wide it is."""
    encoded, truth, _ = disc(*picture, picture[0] / 4)
    h, w = (side // 2 for side in picture)
    lacking = truth.clone()
    lacking[h - 12 : h + 12, : w + 5] *= 0.2
    kept = overlap(lacking, truth) + 0.02
    flat = torch.full(picture, 0.5)
    for size in (small, (768, 1024)):
        found = F.interpolate(lacking[None, None], size, mode="bilinear", antialias=True)[0, 0]
        assert (overlap(outlined(found, encoded, flat), truth) > kept) == (size == small)


def test_a_fine_mask_keeps_thin_limbs_that_look_like_the_ground() -> None:
    encoded, truth, _ = disc(*SIZE, 30)
    fine = truth.clone()
    fine[80:110, 79:81] = 0.9
    found = outlined(fine, encoded, FLAT)
    assert float(found[95, 79:81].min()) > 0.9
    assert float(found[95, 60:70].max()) < 0.1


def test_what_a_doubtful_map_half_believes_is_taken_and_what_a_sure_one_does_is_not() -> None:
    encoded, truth, _ = disc(*SIZE, 30)
    ghost = torch.zeros(SIZE)
    ghost[5:15, 5:15] = 0.35
    assert float(outlined(truth + ghost, encoded, FLAT)[10, 10]) < 0.15
    assert float(outlined(0.5 * truth + ghost, encoded, FLAT)[10, 10]) >= 0.5


def test_a_finer_mask_is_reduced_with_its_soft_edge() -> None:
    encoded, truth, _ = disc(*SIZE, 30)
    fine = F.interpolate(truth[None, None], (1024, 1024), mode="bilinear")[0, 0]
    found = outlined(fine, encoded, FLAT)
    assert found.shape == SIZE
    assert overlap(found, truth) > 0.97


def test_parts_are_told_apart_and_specks_are_none() -> None:
    mask = torch.zeros(SIZE)
    mask[20:60, 20:60] = 1
    mask[30:90, 90:150] = 0.9
    mask[100, 10] = 1
    first, second = sorted(parts(mask), key=lambda part: float(part.sum()))
    assert torch.equal(first[20:60, 20:60], mask[20:60, 20:60])
    assert float(first[:, 80:].sum()) == 0
    assert float(second[:, :80].sum()) == 0
    assert len(parts(second)) == 1
