"""IS-Net and U2-Net-p: how pictures go in and masks come out; IS-Net's own weights where npm is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nightflash import Engine, Settings
from nightflash.errors import NightFlashError
from nightflash.models import registry
from nightflash.models.isnet import ISNET, U2NETP, isnet, u2netp
from nightflash.models.sureness import sureness
from nightflash.photo import read_photo
from numpy.typing import NDArray
from torch import Tensor

from tests.models.pictures import CPU, picture


@dataclass(frozen=True)
class Node:
    name: str


@dataclass
class Session:
    """Answers like onnxruntime's, with a map of its own."""

    answer: NDArray[np.float32]
    fed: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def get_inputs(self) -> list[Node]:
        return [Node("picture")]

    def get_outputs(self) -> list[Node]:
        return [Node("finest"), Node("coarse")]

    def run(self, wanted: list[str], fed: dict[str, NDArray[np.float32]]) -> list[Any]:
        assert wanted == ["finest"]
        self.fed = fed
        return [self.answer]


def found(answer: Tensor, rgb: Tensor | None = None, network: Any = isnet) -> Any:
    session = Session(answer[None, None].numpy())
    rgb = torch.full((3, 40, 60), 0.5) if rgb is None else rgb
    return network(session).main_object(rgb), session.fed["picture"]


def disc(value: float = 1.0) -> Tensor:
    mask = torch.zeros(64, 64)
    mask[20:40, 20:40] = value
    return mask


def test_a_picture_is_fed_as_a_square_in_the_network_s_own_scale() -> None:
    rgb = torch.rand(3, 30, 90)
    for network, side, low, high in (
        (isnet, 1024, -0.5, 0.5),
        (u2netp, 320, -0.485 / 0.229, (1 - 0.406) / 0.225),
    ):
        _, fed = found(disc(), torch.zeros_like(rgb), network)
        assert fed.shape == (1, 3, side, side)
        assert fed[0, 0].max() == pytest.approx(low, abs=1e-5)
        _, fed = found(disc(), torch.ones_like(rgb), network)
        assert fed[0, 2].min() == pytest.approx(high, abs=1e-5)


def test_a_sure_mask_is_clear_and_a_doubtful_or_tiny_one_is_not() -> None:
    main, _ = found(disc())
    assert main.clear
    assert torch.equal(main.mask, disc())
    speck = torch.zeros(64, 64)
    speck[3:5, 3:5] = 1
    for doubtful in (disc(0.55), torch.zeros(64, 64), speck, torch.full((64, 64), 0.5)):
        assert not found(doubtful)[0].clear


def test_values_that_are_no_numbers_or_out_of_range_do_no_harm() -> None:
    wild = disc(7.0)
    wild[0, 0], wild[0, 1] = torch.nan, -3
    mask = found(wild)[0].mask
    assert torch.equal(mask, disc())


def test_sureness_is_how_far_from_undecided_what_is_marked_is() -> None:
    assert sureness(disc()) == 1
    assert sureness(torch.zeros(5, 5)) == 0
    assert sureness(torch.full((5, 5), 0.5)) == 0
    assert sureness(disc(0.75)) == pytest.approx(0.5)


@pytest.mark.parametrize("words", ["std::bad_alloc", "Failed to allocate memory for 4 bytes"])
def test_memory_that_does_not_suffice_is_told_as_that(words: str) -> None:
    class Short(Session):
        def run(self, wanted: list[str], fed: dict[str, NDArray[np.float32]]) -> list[Any]:
            raise Exception(f"Non-zero status code. Status Message: {words}")

    with pytest.raises(MemoryError):
        isnet(Short(disc()[None, None].numpy())).main_object(torch.rand(3, 9, 9))


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "isnet.onnx").write_bytes(b"something else")
    with pytest.raises(NightFlashError, match="IS-Net") as caught:
        ISNET.load(tmp_path / "isnet.onnx", CPU)
    assert caught.value.code == "networks_corrupt"


def test_every_file_is_known_to_the_last_byte() -> None:
    for descriptor in (ISNET, U2NETP):
        assert all(len(file.sha256) == 64 and not file.rounded for file in descriptor.files)
    first, second = ISNET.files
    assert first.bring is None
    assert second.bring is not None
    assert "npm" in second.licence  # of the package that it comes in


@pytest.mark.parametrize(
    ("photo", "point", "beside"),
    [
        ("coral_owl.jpg", (0.5, 0.4), (0.1, 0.1)),
        ("gc3pie_zebra.jpg", (0.5, 0.6), (0.95, 0.3)),
        ("me_FujiFilm_MX-1200.jpg", (0.55, 0.8), (0.1, 0.8)),
    ],
)
def test_the_published_weights_find_the_main_object(
    isnet: Path, shared: Path, photo: str, point: tuple[float, float], beside: tuple[float, float]
) -> None:
    network = registry.load(ISNET, isnet, CPU)
    main = network.main_object(picture(shared / "photos/daylight" / photo))
    side = main.mask.shape[0]
    assert main.mask.shape == (1024, 1024)
    assert main.clear
    assert sureness(main.mask) > 0.9
    assert main.mask[int(point[1] * side), int(point[0] * side)] > 0.9
    assert main.mask[int(beside[1] * side), int(beside[0] * side)] < 0.1


def test_the_published_weights_are_not_sure_of_nothing(isnet: Path) -> None:
    network = registry.load(ISNET, isnet, CPU)
    assert not network.main_object(torch.full((3, 200, 300), 0.5)).clear


def test_with_its_file_it_is_what_auto_takes(isnet: Path, shared: Path) -> None:
    engine = Engine("auto", isnet, "cpu")
    assert engine.networks["subject"] == "isnet_general_use"
    photo = read_photo(shared / "photos/daylight/coral_owl.jpg")
    scene = engine.analyse(photo, Settings())
    assert scene.subject_from == "the main object"
    assert float(scene.subject.mean()) == pytest.approx(0.14, abs=0.05)
