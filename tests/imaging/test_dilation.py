"""The highest value around each pixel."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from nightflash.imaging.dilation import dilated


@given(
    st.integers(1, 3), st.integers(1, 12), st.integers(1, 12), st.integers(0, 9), st.integers(0, 99)
)
def test_it_is_the_maximum_of_a_square_window(
    count: int, height: int, width: int, radius: int, seed: int
) -> None:
    torch.manual_seed(seed)
    planes = torch.randn(count, height, width)
    found = dilated(planes, radius)
    assert found.shape == planes.shape
    for row in range(height):
        for column in range(width):
            rows = slice(max(0, row - radius), row + radius + 1)
            window = planes[:, rows, max(0, column - radius) : column + radius + 1]
            assert torch.equal(found[:, row, column], window.amax((1, 2)))


def test_what_is_infinitely_low_stays_so() -> None:
    planes = torch.full((1, 5, 6), -torch.inf)
    planes[0, 0, 0] = 2
    found = dilated(planes, 1)
    assert (found[0, :2, :2] == 2).all()
    assert (found[0, 2:] == -torch.inf).all()
