"""Local affine models of a colour guide."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nightflash.imaging.guided_filter import GuidedFilter, _averaging, box_mean


@settings(max_examples=30, deadline=None)
@given(
    h=st.integers(1, 20), w=st.integers(1, 20), radius=st.integers(0, 25), seed=st.integers(0, 99)
)
def test_box_mean_is_the_mean_of_the_window_cut_at_the_border(
    h: int, w: int, radius: int, seed: int
) -> None:
    picture = torch.rand(2, h, w, generator=torch.Generator().manual_seed(seed))
    result = box_mean(picture, radius)
    for row, column in ((0, 0), (h - 1, w // 2), (h // 2, w - 1)):
        window = picture[
            :,
            max(0, row - radius) : row + radius + 1,
            max(0, column - radius) : column + radius + 1,
        ]
        assert torch.allclose(result[:, row, column], window.mean((1, 2)), atol=1e-5)


def test_both_ways_of_averaging_agree() -> None:
    picture = torch.rand(3, 31, 47)
    rows, columns = _averaging(31, 4, picture), _averaging(47, 4, picture)
    assert torch.allclose(box_mean(picture, 4), rows @ picture @ columns.T, atol=1e-6)


def test_an_affine_function_of_the_guide_is_fitted_exactly() -> None:
    guide = torch.rand(3, 40, 50)
    matrix = torch.tensor([[0.5, -0.2, 0.1], [0.0, 1.0, 0.3]])
    picture = torch.einsum("ci,ihw->chw", matrix, guide) + 0.25
    assert torch.allclose(GuidedFilter(guide, 4, 1e-7).filter(picture), picture, atol=1e-3)


def test_a_grey_guide_does_what_three_equal_bands_do() -> None:
    grey, picture = torch.rand(1, 40, 50), torch.rand(2, 40, 50)
    one = GuidedFilter(grey, 5, 1e-3).filter(picture)
    three = GuidedFilter(grey.expand(3, -1, -1), 5, 3e-3).filter(picture)
    assert torch.allclose(one, three, atol=1e-4)


@pytest.mark.parametrize("bands", [1, 3])
def test_the_fit_is_the_ridge_regression_of_every_window(bands: int) -> None:
    rng, radius, eps = np.random.default_rng(4), 2, 0.01
    guide, picture = rng.random((bands, 9, 11)), rng.random((2, 9, 11))
    slope, offset = np.empty((2, bands, 9, 11)), np.empty((2, 9, 11))
    for y, x in np.ndindex(9, 11):
        window = np.s_[:, max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        seen, wanted = guide[window].reshape(bands, -1), picture[window].reshape(2, -1)
        apart = seen - seen.mean(1, keepdims=True)
        spread = apart @ apart.T / seen.shape[1] + eps * np.eye(bands)
        slope[..., y, x] = np.linalg.solve(spread, apart @ wanted.T / seen.shape[1]).T
        offset[:, y, x] = wanted.mean(1) - slope[..., y, x] @ seen.mean(1)
    found = GuidedFilter(*(torch.from_numpy(guide).float(), radius, eps)).fit(
        torch.from_numpy(picture).float()
    )
    for mine, true in ((found.slope.flatten(0, 1), slope), (found.offset, offset)):
        averaged = box_mean(torch.from_numpy(true).float().flatten(0, -3), radius)
        assert torch.allclose(mine, averaged, atol=1e-4)


def test_edges_of_the_guide_stay_and_what_it_does_not_show_is_smoothed() -> None:
    guide = torch.zeros(3, 40, 60)
    guide[:, :, 30:] = 0.8
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (1, 40, 60))).float()
    step = torch.zeros(1, 40, 60)
    step[:, :, 30:] = 1
    result = GuidedFilter(guide, 6, 1e-3).filter(step + noise)
    assert float(result[0, :, 31].mean() - result[0, :, 28].mean()) > 0.9
    assert float(result[0, :, :24].std()) < 0.3 * float(noise[0, :, :24].std())


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 2)])
def test_any_shape_works(shape: tuple[int, int]) -> None:
    guide = torch.rand(3, *shape)
    assert torch.isfinite(GuidedFilter(guide, 8, 1e-3).filter(guide[:1])).all()
