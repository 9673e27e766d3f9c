from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nightflash.scene.box import Box, bounds, contains, overlap, wider

BOXES = st.tuples(st.floats(0, 80), st.floats(0, 60), st.floats(1, 40), st.floats(1, 40))


def test_bounds_are_those_of_the_clear_part() -> None:
    mask = torch.zeros(120, 160)
    mask[10:30, 40:70] = 0.8
    mask[90, 90] = 0.1
    assert bounds(mask) == (40, 10, 30, 20)
    assert bounds(torch.zeros(120, 160)) == pytest.approx((0, 0, 160, 120))


@given(BOXES, BOXES)
def test_an_overlap_is_a_share_and_the_same_both_ways(a: Box, b: Box) -> None:
    assert 0 <= overlap(a, b) <= 1 + 1e-9
    assert overlap(a, b) == pytest.approx(overlap(b, a))
    assert overlap(a, a) == pytest.approx(1)


def test_overlap_of_halves() -> None:
    assert overlap((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (10, 0, 10, 10)) == 0


@given(BOXES)
def test_a_wider_box_holds_the_box_and_stays_in_the_picture(box: Box) -> None:
    x, y, w, h = wider(box, 0.1, 120, 160)
    assert x <= box[0]
    assert y <= box[1]
    assert x + w >= min(160, box[0] + box[2]) - 1e-6
    assert y + h >= min(120, box[1] + box[3]) - 1e-6
    assert x >= 0
    assert y >= 0
    assert x + w <= 160 + 1e-6
    assert y + h <= 120 + 1e-6


def test_the_left_and_upper_side_belong_to_a_box() -> None:
    assert contains((10, 20, 30, 40), (10, 20))
    assert not contains((10, 20, 30, 40), (40, 30))
    assert not contains((10, 20, 30, 40), (9.9, 30))
