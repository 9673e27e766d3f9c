from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nightflash.errors import NightFlashError
from nightflash.models import tcmonodepth
from nightflash.models.resize import network_size
from nightflash.models.tcmonodepth import TCMonoDepth
from torch import Tensor

from tests.models.pictures import CPU, picture

FILE = tcmonodepth.DESCRIPTOR.files[0].name


@pytest.fixture(scope="module")
def network(shared: Path) -> TCMonoDepth:
    return tcmonodepth.load(shared / "weights" / FILE, CPU)


@pytest.fixture(scope="module")
def state(shared: Path) -> dict[str, Tensor]:
    path = shared / "weights" / FILE
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights


def test_output_is_that_of_the_published_network(network: TCMonoDepth, shared: Path) -> None:
    golden = json.loads((shared / "weights" / "tcmonodepth_small.golden.json").read_text())
    rgb = picture(shared / "photos/daylight/capybara.jpg", (384, 256))
    found = network.inverse_depth(rgb)
    assert list(found.shape) == golden["output_shape"]
    grid = found[golden["rows"]][:, golden["cols"]]
    torch.testing.assert_close(grid, torch.tensor(golden["values"]), atol=1e-4, rtol=0)
    assert found.mean().item() == pytest.approx(golden["mean"], abs=1e-4)
    assert found.std().item() == pytest.approx(golden["std"], abs=1e-4)


def test_depth_hardly_depends_on_the_photo_s_size(network: TCMonoDepth, shared: Path) -> None:
    path = shared / "photos/daylight/capybara.jpg"
    small = network.inverse_depth(picture(path, (384, 256)))
    large = network.inverse_depth(picture(path))
    assert small.shape == large.shape
    assert torch.corrcoef(torch.stack((small.flatten(), large.flatten())))[0, 1] > 0.99


def test_a_longer_short_side_gives_a_larger_map(shared: Path) -> None:
    network = tcmonodepth.load(shared / "weights" / FILE, CPU, short_side=320)
    assert network.inverse_depth(torch.rand(3, 100, 150)).shape == (320, 480)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (20, 30000), (30000, 20), (1, 5000), (31, 33)]
)
def test_any_size_gives_finite_depth(network: TCMonoDepth, height: int, width: int) -> None:
    found = network.inverse_depth(torch.rand(3, height, width))
    assert found.isfinite().all()
    assert (found.shape[0] < found.shape[1]) == (height < width)
    assert found.numel() <= 256 * 1024


@given(st.integers(1, 100_000), st.integers(1, 100_000))
@settings(deadline=None)
def test_network_size_keeps_its_promises(height: int, width: int) -> None:
    rows, columns = network_size(height, width, short_side=256, multiple_of=32)
    assert rows % 32 == columns % 32 == 0
    assert min(rows, columns) == 256
    assert max(rows, columns) <= 1024
    aspect = min(4.0, max(0.25, width / height))
    assert columns / rows == pytest.approx(aspect, rel=0.07)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state.pop("decoder.final.bias"),
        lambda state: state.update(surplus=torch.zeros(1)),
        lambda state: state.update({"decoder.final.bias": torch.zeros(2)}),
        lambda state: state["encoder.stage2.4.branch_main.0.weight"].mul_(2),
    ],
    ids=["missing", "surplus", "shape", "alias"],
)
def test_other_weights_are_refused(  # type: ignore[no-untyped-def]
    spoil, state: dict[str, Tensor], tmp_path: Path
) -> None:
    spoilt = {key: value.clone() for key, value in state.items()}
    spoil(spoilt)
    torch.save(spoilt, tmp_path / FILE)
    with pytest.raises(NightFlashError, match=FILE) as caught:
        tcmonodepth.load(tmp_path / FILE, CPU)
    assert caught.value.code == "networks_corrupt"


def test_a_file_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not weights at all")
    with pytest.raises(NightFlashError, match=FILE):
        tcmonodepth.load(tmp_path / FILE, CPU)
    torch.save({"path": Path}, tmp_path / FILE)
    with pytest.raises(NightFlashError, match=FILE):
        tcmonodepth.load(tmp_path / FILE, CPU)


def test_normalisation_is_folded_away(network: TCMonoDepth) -> None:
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())
    assert not any(weight.requires_grad for weight in network.parameters())
