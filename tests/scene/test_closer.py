"""The object under a point, by a network that looks at windows around it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from nightflash.models.descriptor import MainObject
from nightflash.scene.closer import WINDOWS, object_under
from nightflash.scene.main_object import overlap
from torch import Tensor

HEIGHT, WIDTH = 120, 160
FLAT = torch.full((HEIGHT, WIDTH), 0.5)


class Red:
    """Takes for the main object what is red, where that is not too much of what it sees."""

    def __init__(self, most: float = 1.0) -> None:
        self.most, self.seen = most, 0

    def main_object(self, rgb: Tensor) -> MainObject:
        self.seen += 1
        red = ((rgb[0] > 0.5) & (rgb[1] < 0.5)).float()
        return MainObject(red if float(red.mean()) <= self.most else torch.zeros_like(red), True)


def pictured(*boxes: tuple[int, int, int, int]) -> tuple[Tensor, list[Tensor]]:
    """A grey picture with red rectangles (x, y, w, h), and the masks of these."""
    rgb, masks = torch.full((3, HEIGHT, WIDTH), 0.6), []
    for x, y, w, h in boxes:
        masks.append(torch.zeros(HEIGHT, WIDTH))
        masks[-1][y : y + h, x : x + w] = 1
        rgb[0, y : y + h, x : x + w], rgb[1:, y : y + h, x : x + w] = 0.9, 0.1
    return rgb, masks


def test_what_is_one_of_several_that_hang_together_is_found_in_a_window() -> None:
    rgb, (one, other) = pictured((20, 45, 24, 30), (116, 45, 24, 30))
    together = torch.maximum(one, other)
    together[54:66, 44:116] = 0.7  # a bridge, of which the network is not so sure
    rgb[0, 54:66, 44:116], rgb[1:, 54:66, 44:116] = 0.45, 0.1
    main = MainObject(together, True)
    alone = object_under((32, 60), rgb, FLAT, main, None)
    assert alone is not None
    assert overlap(alone, other) > 0.2  # with the whole picture only, both are lit
    closer = object_under((32, 60), rgb, FLAT, main, Red())
    assert closer is not None
    assert overlap(closer, one) > 0.9
    assert float((closer * other).sum()) == 0


def test_what_the_whole_picture_does_not_show_is_found_in_a_window() -> None:
    rgb, (one, other) = pictured((30, 40, 20, 24), (110, 40, 20, 24))
    main = MainObject(other, True)
    assert object_under((40, 52), rgb, FLAT, main, None) is None
    found = object_under((40, 52), rgb, FLAT, main, Red())
    assert found is not None
    assert overlap(found, one) > 0.9


def test_a_window_whose_sides_cut_the_object_is_not_believed() -> None:
    rgb, (large,) = pictured((20, 15, 120, 90))
    network = Red()
    found = object_under((80, 60), rgb, FLAT, MainObject(large, True), network)
    assert found is not None
    assert network.seen == len(WINDOWS)
    assert overlap(found, large) > 0.95


def test_nothing_is_found_where_the_network_sees_nothing() -> None:
    rgb, (one,) = pictured((30, 40, 20, 24))
    assert object_under((140, 100), rgb, FLAT, MainObject(one, True), Red()) is None
    assert object_under((40, 50), rgb, FLAT, None, None) is None


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (40, 33)])
def test_pictures_smaller_than_a_window(size: tuple[int, int]) -> None:
    rgb = torch.rand(3, *size)
    found = object_under((0, 0), rgb, torch.rand(*size), None, Red())
    assert found is None or found.shape == size


@hypothesis_settings(max_examples=30, deadline=None)
@given(
    x=st.floats(0, WIDTH - 0.01),
    y=st.floats(0, HEIGHT - 0.01),
    box=st.tuples(st.integers(0, 120), st.integers(0, 90), st.integers(8, 40), st.integers(8, 30)),
)
def test_what_is_found_holds_the_point(x: float, y: float, box: tuple[int, int, int, int]) -> None:
    rgb, _ = pictured(box)
    found = object_under((x, y), rgb, FLAT, None, Red())
    if found is not None:
        assert found.shape == FLAT.shape
        assert 0.5 < float(found[int(y), int(x)]) <= 1
