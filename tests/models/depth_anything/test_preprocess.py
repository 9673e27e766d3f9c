"""The size of the picture that goes in, and its pixels, against the authors' transform."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nightflash.models.depth_anything.preprocess import OWN_SIDE, SMALL_SIDE, Framing

from tests.models.depth_anything.official import figures
from tests.models.midas.test_preprocess import picture

SIDES = st.integers(1, 20_000)
NETS = [OWN_SIDE, SMALL_SIDE]


def test_sizes_are_those_of_the_published_transform() -> None:
    """All but those of pictures so long that they are padded here."""
    table = figures("preprocess")["table"]
    compared = 0
    for width, height, *expected in table:
        if max(width, height) <= 4 * min(width, height):
            compared += 1
            assert Framing(518).size(height, width) == (expected[1], expected[0])
            assert Framing(252).size(height, width) == (expected[3], expected[2])
    assert compared >= 25


def test_pixels_are_those_of_the_published_transform() -> None:
    for sample in figures("preprocess")["samples"]:
        small = sample["of"] == "image"
        rgb = picture(150, 200) if small else picture(900, 1200)
        assert rgb.long().sum() == figures("preprocess")["image_sum" if small else "image2_sum"]
        found = Framing(sample["input_size"]).prepare(rgb.float() / 255)
        assert list(found.shape) == [1, *sample["shape"]]
        grid = found[0][:, sample["ys"]][:, :, sample["xs"]].flatten()
        torch.testing.assert_close(grid, torch.tensor(sample["values_c_y_x"]), atol=2.5e-4, rtol=0)
        assert found.min().item() == pytest.approx(sample["min"], abs=3e-4)
        assert found.max().item() == pytest.approx(sample["max"], abs=3e-4)
        assert found.mean().item() == pytest.approx(sample["mean"], abs=1e-4)


@pytest.mark.parametrize("net", NETS)
def test_very_long_pictures_keep_their_aspect_and_are_padded(net: int) -> None:
    for height, width, rows in ((20, 2000, net / 25), (1000, 5000, 4 * net / 5), (1, 10**6, 1)):
        framing = Framing(net)
        assert framing.size(height, width) == (round(rows), 4 * net)
        assert framing.size(width, height) == (4 * net, round(rows))


def test_the_padding_repeats_the_edge_and_is_cut_off_again() -> None:
    framing = Framing(28)
    rgb = torch.rand(3, 8, 80, generator=torch.Generator().manual_seed(1))
    for turned in (False, True):
        seen = framing.prepare(rgb.transpose(1, 2) if turned else rgb)[0]
        seen = seen.transpose(1, 2) if turned else seen
        assert seen.shape == (3, 28, 112)
        first, last = 8, 8 + 11  # 11.2 rows of 28 are the picture
        assert torch.equal(seen[:, :first], seen[:, first : first + 1].expand(-1, first, -1))
        assert torch.equal(seen[:, last:], seen[:, last - 1 : last].expand(-1, 28 - last, -1))
        depth = seen[0].T if turned else seen[0]
        found = framing.seen(depth, *((80, 8) if turned else (8, 80)))
        assert torch.equal(found.T if turned else found, seen[0, first:last])


@given(SIDES, SIDES, st.sampled_from(NETS))
@settings(deadline=None, max_examples=300)
def test_sizes_keep_their_promises(height: int, width: int, net: int) -> None:
    size = Framing(net).size(height, width)
    assert all(1 <= side <= 4 * net for side in size)
    assert Framing(net).size(width, height) == size[::-1]
    if max(height, width) > 4 * min(height, width):
        assert max(size) == 4 * net
        assert min(size) <= net
    else:
        assert min(size) == net
        assert all(side % 14 == 0 for side in size)
        scale = net / min(height, width)
        assert abs(max(size) - scale * max(height, width)) <= 7 + 1e-6
