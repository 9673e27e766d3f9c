from __future__ import annotations

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
    """Of a doubtful mask on a plain ground the outline could run anywhere."""
    encoded, truth, _ = disc(*SIZE, 30)
    elsewhere = torch.zeros(SIZE)
    elsewhere[:20, :20] = 0.6
    found = outlined(elsewhere, encoded, FLAT)
    assert overlap(found, elsewhere) > 0.4
    assert overlap(found, truth) < 0.1


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
