"""Half precision is taken where it has been measured to hold, and nowhere else."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from nightflash.models.midas.fusion import DecoderPlan
from nightflash.models.midas.network import ARCHITECTURES, Architecture, MiDaS, load
from nightflash.models.midas.precision import half_that_holds, made_up_picture
from nightflash.models.midas.preprocess import Framing
from torch import Tensor, nn

HALF, BRAIN, FULL = torch.float16, torch.bfloat16, torch.float32


class _Shrunk(nn.Module):
    """A backbone of a kind: one convolution, and its output at four sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [F.avg_pool2d(self.conv(x), stride) for stride in (4, 8, 16, 32)]


TINY = Architecture(
    _Shrunk,
    DecoderPlan((8, 8, 8, 8), (8, 8, 8, 8), (8, 8, 8, 8)),
    Framing(64, "square", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
)


@pytest.fixture
def network() -> MiDaS:
    """MiDaS in small: 0.1 % in half precision, some tenths of a percent in bfloat16."""
    network = MiDaS(TINY).to_empty(device="cpu")
    draw = torch.Generator().manual_seed(5)
    for weight in network.parameters():
        fan_in = weight[0].numel() if weight.ndim > 1 else 100
        weight.normal_(0.0, fan_in**-0.5, generator=draw)
    head = network.decoder.head
    head.get_parameter("4.weight").abs_()
    head.get_parameter("4.bias").fill_(1.0)
    return network


@pytest.fixture
def overflowing(network: MiDaS) -> MiDaS:
    """The same depth, but on the way there are values beyond those of half precision."""
    head = network.decoder.head
    for layer, factor in (("0.weight", 1e5), ("0.bias", 1e5), ("2.weight", 1e-3), ("2.bias", 1e2)):
        head.get_parameter(layer).mul_(factor)
    head.get_parameter("4.weight").mul_(1e-2)
    return network


def looked_at(network: MiDaS) -> Tensor:
    return network.framing.prepare(made_up_picture())


def test_half_precision_is_taken_where_it_holds(network: MiDaS) -> None:
    assert half_that_holds(network, looked_at(network), [HALF]) is HALF
    assert half_that_holds(network, looked_at(network), [BRAIN]) is BRAIN
    assert half_that_holds(network, looked_at(network), [BRAIN, HALF]) is HALF  # the better one


def test_without_candidates_all_stays(network: MiDaS) -> None:
    assert half_that_holds(network, looked_at(network), []) is FULL


def test_a_network_that_overflows_in_half_precision_stays_as_it_is(overflowing: MiDaS) -> None:
    picture = looked_at(overflowing)
    broken = copy.deepcopy(overflowing).half()(picture.half())
    assert not broken.isfinite().all()
    assert half_that_holds(overflowing, picture, [HALF]) is FULL
    assert half_that_holds(overflowing, picture, [HALF, BRAIN]) is BRAIN


def test_a_network_that_half_precision_blurs_stays_as_it_is(network: MiDaS) -> None:
    network.decoder.head.get_parameter("4.bias").fill_(3000.0)  # its steps are 2 there
    assert half_that_holds(network, looked_at(network), [HALF, BRAIN]) is FULL


def test_a_network_without_depth_stays_as_it_is(network: MiDaS) -> None:
    network.decoder.head.get_parameter("4.bias").fill_(-3000.0)
    assert half_that_holds(network, looked_at(network), [HALF, BRAIN]) is FULL


class _FullOnly(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.dtype != FULL:
            raise NotImplementedError("'conv' not implemented for 'Half'")
        return x[:, 0]


def test_a_device_that_cannot_compute_in_half_precision_is_spared_it() -> None:
    picture = made_up_picture()[None]
    assert half_that_holds(_FullOnly(), picture, [HALF, BRAIN]) is FULL


def test_measuring_leaves_the_network_alone(network: MiDaS) -> None:
    before = {key: value.clone() for key, value in network.state_dict().items()}
    half_that_holds(network, looked_at(network), [HALF, BRAIN])
    for key, value in network.state_dict().items():
        assert value.dtype is FULL
        assert torch.equal(value, before[key])


def test_depth_from_half_precision_is_float32(network: MiDaS) -> None:
    rgb = torch.rand(3, 50, 70, generator=torch.Generator().manual_seed(3))
    exact = network.inverse_depth(rgb)
    found = copy.deepcopy(network).half().inverse_depth(rgb)
    assert found.dtype is FULL
    assert not torch.equal(found, exact)
    torch.testing.assert_close(found, exact, atol=0.05 * exact.std().item(), rtol=0)


def test_a_picture_that_overflows_is_seen_in_full_precision(overflowing: MiDaS) -> None:
    rgb = torch.rand(3, 50, 70, generator=torch.Generator().manual_seed(3))
    exact = overflowing.inverse_depth(rgb)
    halved = copy.deepcopy(overflowing).half()
    assert not halved(halved.framing.prepare(rgb).half()).isfinite().all()
    found = halved.inverse_depth(rgb)
    assert next(halved.parameters()).dtype is HALF
    torch.testing.assert_close(found, exact, atol=0.05 * exact.std().item(), rtol=0)


def test_the_made_up_picture_has_all_a_photo_has() -> None:
    picture = made_up_picture()
    assert picture.shape == (3, 384, 384)
    assert picture.min() < 0.05
    assert picture.max() > 0.95
    assert torch.equal(picture, made_up_picture())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_depth_on_a_gpu_is_near_that_on_the_cpu(small: dict[str, Tensor], tmp_path: Path) -> None:
    name = "midas_v21_small_256"
    torch.save(small, tmp_path / "small.pt")
    network = load(name, tmp_path / "small.pt", torch.device("cuda"))
    rgb = torch.rand(3, 90, 120, generator=torch.Generator().manual_seed(4))
    found = network.inverse_depth(rgb)
    exact = MiDaS.from_state(ARCHITECTURES[name], small).inverse_depth(rgb)
    assert found.device.type == "cuda"
    assert found.dtype is FULL
    assert next(network.parameters()).dtype in (HALF, BRAIN)
    assert (found.cpu() - exact).abs().mean() < 0.02 * (exact.max() - exact.min())
