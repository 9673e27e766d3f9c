"""Depth Anything V2 Small against the results of the authors' own code."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from nightflash.models.depth_anything.kinds import INDOOR, OUTDOOR
from nightflash.models.depth_anything.network import DepthAnything
from nightflash.models.depth_anything.preprocess import Framing
from torch import Tensor

from tests.models.depth_anything.official import (
    FINAL_BIAS,
    figures,
    in_transformers_layout,
    made_up_input,
    made_up_weights,
)

TOLERANCE = 2e-4
"""Largest difference in float32, in standard deviations of the output.

Rounding alone gives up to 6.1e-5, the smallest mistake tried that float32 can show 8e-4.
"""
TOLERANCE_DOUBLE = 1e-8
KINDS = ["relative", "metric"]
FARTHEST = {"relative": None, "metric": 20.0}
SMALLEST: Any = figures("relative")["cases"][-1]


@pytest.fixture(scope="module")
def network(official: dict[str, Tensor]) -> DepthAnything:
    return DepthAnything.from_state(official, Framing())


def _on_grid(depth: Tensor, case: Any, step: int = 1) -> Tensor:
    return depth[0][case["ys"][::step]][:, case["xs"][::step]].flatten().double()


def _difference(found: Tensor, expected: Any, case: Any) -> float:
    """Largest, in standard deviations of the output."""
    return (found - torch.as_tensor(expected, dtype=torch.float64)).abs().max().item() / float(
        case["std"]
    )


@pytest.mark.parametrize("which", KINDS)
def test_the_made_up_weights_are_those_of_the_figures(which: str) -> None:
    weights = made_up_weights(which)
    for key, expected in figures(which)["fill_check"].items():
        value = weights[key].double()
        first = value.flatten()[: len(expected["first"])].tolist()
        assert first == pytest.approx(expected["first"], rel=1e-6)
        assert value.sum().item() == pytest.approx(expected["sum"], rel=1e-5, abs=1e-5)
        assert value.abs().sum().item() == pytest.approx(expected["abs_sum"], rel=1e-6)
    for case in figures(which)["cases"]:
        x = made_up_input(*case["size"])[0]
        expected = case["input"]
        assert x[0, 0, :4].tolist() == pytest.approx(expected["first_row_c0"], abs=1e-6)
        assert x[2, -1, -2:].tolist() == pytest.approx(expected["corner_c2"], abs=1e-6)
        assert x.mean().item() == pytest.approx(expected["mean"], abs=1e-5)


@pytest.mark.parametrize("which", KINDS)
@pytest.mark.parametrize("layout", ["official", "transformers"])
def test_results_are_those_of_the_published_code(layout: str, which: str) -> None:
    weights = made_up_weights(which)
    state = weights if layout == "official" else in_transformers_layout(weights)
    network = DepthAnything.from_state(state, Framing(), FARTHEST[which])
    for case in figures(which)["cases"]:
        with torch.no_grad():
            depth = network(made_up_input(*case["size"]))
        assert list(depth.shape) == [1, *case["size"]]
        assert depth.dtype == torch.float32
        found = _on_grid(depth, case)
        assert _difference(found, case["values32"], case) < TOLERANCE, case["size"]


@pytest.mark.parametrize("which", KINDS)
def test_results_are_exact_in_double_precision(which: str) -> None:
    """Sees what rounding hides in float32, such as a wrong epsilon of a normalisation."""
    network = DepthAnything.from_state(made_up_weights(which), Framing(), FARTHEST[which]).double()
    for case in figures(which)["cases"]:
        with torch.no_grad():
            depth = network(made_up_input(*case["size"]).double())
        found = _on_grid(depth, case, step=2)
        assert _difference(found, case["values64"], case) < TOLERANCE_DOUBLE, case["size"]


def test_outdoors_depth_reaches_four_times_as_far() -> None:
    x, weights = made_up_input(56, 70), made_up_weights("metric")
    with torch.no_grad():
        indoor, outdoor = (
            DepthAnything.from_state(weights, Framing(), kind.farthest)(x)
            for kind in (INDOOR, OUTDOOR)
        )
    assert torch.equal(outdoor, 4 * indoor)


def test_inverse_depth_of_a_metric_network_is_one_by_metres() -> None:
    weights = made_up_weights("metric")
    network = DepthAnything.from_state(weights, Framing(56), 20.0)
    rgb = torch.rand(3, 56, 56, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        metres = network(network.framing.prepare(rgb))[0]
    assert metres.min() > 0.01
    assert torch.equal(network.inverse_depth(rgb), 1 / metres)
    at_the_lens = {**weights, FINAL_BIAS: torch.full((1,), -200.0)}  # the sigmoid is 0 there
    network = DepthAnything.from_state(at_the_lens, Framing(56), 20.0)
    assert network.inverse_depth(rgb).isfinite().all()


def test_depth_ends_at_zero(official: dict[str, Tensor]) -> None:
    lower = -float(SMALLEST["mean"])
    lowered = {**official, FINAL_BIAS: official[FINAL_BIAS] + lower}
    network = DepthAnything.from_state(lowered, Framing())
    with torch.no_grad():
        depth = network(made_up_input(*SMALLEST["size"]))
    found = _on_grid(depth, SMALLEST)
    expected = (torch.tensor(SMALLEST["values32"], dtype=torch.float64) + lower).clamp(min=0.0)
    assert 0.2 < (found == 0.0).double().mean() < 0.8
    assert _difference(found, expected, SMALLEST) < TOLERANCE


def test_pictures_of_one_batch_do_not_mix(network: DepthAnything) -> None:
    x = made_up_input(*SMALLEST["size"])
    with torch.no_grad():
        both = network(torch.cat((x.flip(3), x)))
        alone = network(x)
    torch.testing.assert_close(both[1:], alone, atol=1e-3 * alone.std().item(), rtol=0)


def test_a_picture_that_is_no_whole_number_of_patches_is_refused(network: DepthAnything) -> None:
    for height, width in ((250, 252), (252, 250)):
        with pytest.raises(ValueError, match="multiples of 14"):
            network(torch.zeros(1, 3, height, width))


def test_depth_covers_the_picture_and_no_padding(official: dict[str, Tensor]) -> None:
    network = DepthAnything.from_state(official, Framing(28))
    draw = torch.Generator().manual_seed(1)
    for height, width, rows, columns in ((20, 400, 6, 112), (300, 3, 112, 1), (90, 120, 28, 42)):
        rgb = torch.rand(3, height, width, generator=draw)
        found = network.inverse_depth(rgb)
        assert found.shape == (rows, columns)
        assert found.dtype == torch.float32
        assert found.isfinite().all()
        with torch.no_grad():
            whole = network(network.framing.prepare(rgb))[0]
        top, left = (whole.shape[0] - rows) // 2, (whole.shape[1] - columns) // 2
        torch.testing.assert_close(found, whole[top : top + rows, left : left + columns])


def test_half_precision_gives_nearly_the_same(official: dict[str, Tensor]) -> None:
    """In bfloat16, which also CPUs compute in."""
    network = DepthAnything.from_state(official, Framing(112))
    rgb = torch.rand(3, 100, 160, generator=torch.Generator().manual_seed(3))
    exact = network.inverse_depth(rgb)
    found = network.to(torch.bfloat16).inverse_depth(rgb)
    assert found.dtype == torch.float32
    assert not torch.equal(found, exact)
    assert (found - exact).abs().mean() < 0.05 * exact.std()


def test_networks_are_built_without_chance_or_memory() -> None:
    before = torch.random.get_rng_state()
    network = DepthAnything(Framing())
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(weight.is_meta for weight in network.parameters())
    assert not any(weight.requires_grad for weight in network.parameters())
    assert not any(layer.training for layer in network.modules())


def test_nothing_is_left_without_values(network: DepthAnything) -> None:
    assert not any(weight.is_meta or weight.requires_grad for weight in network.parameters())
    assert not any(buffer.is_meta for buffer in network.buffers())
