"""Reading the published files: their names in both layouts, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from nightflash.errors import NightFlashError
from nightflash.models.depth_anything.checkpoint import NAMES, in_official_names
from nightflash.models.depth_anything.kinds import RELATIVE
from nightflash.models.depth_anything.network import DepthAnything, load
from nightflash.models.depth_anything.preprocess import Framing
from nightflash.models.midas.checkpoint import own_name
from nightflash.models.tensors import OtherWeights
from torch import Tensor

from tests.models.depth_anything.official import (
    FINAL_BIAS,
    figures,
    in_transformers_layout,
    write_own,
)
from tests.models.pictures import CPU

POSITIONS = "pretrained.pos_embed"
QUERY = "backbone.encoder.layer.3.attention.attention.query.weight"
KEY_BIAS = "backbone.encoder.layer.11.attention.attention.key.bias"
HF_LAST = "head.conv3.bias"


def test_every_published_tensor_has_its_place() -> None:
    places: dict[str, list[int]] = {}
    left_out = set()
    for key, shape in figures("layout")["official"]:
        place = own_name(key, NAMES)
        if place is None:
            left_out.add(key)
        else:
            assert place not in places
            places[place] = shape
    own = {key: list(value.shape) for key, value in DepthAnything(Framing()).state_dict().items()}
    assert places == own
    unit = "depth_head.scratch.refinenet4.resConfUnit1"
    parts = {f"{unit}.conv{i}.{part}" for i in (1, 2) for part in ("weight", "bias")}
    assert left_out == {"pretrained.mask_token", *parts}


def test_transformers_layout_is_translated_exactly(official: dict[str, Tensor]) -> None:
    state = in_transformers_layout(official)
    shapes = {key: list(value.shape) for key, value in state.items()}
    assert shapes == figures("layout")["transformers_shapes"]
    found = in_official_names(state)
    assert found.keys() == official.keys()
    for key, value in official.items():
        assert torch.equal(found[key], value), key


@pytest.mark.parametrize("layout", ["official", "transformers"])
def test_a_published_file_gives_depth(
    layout: str, official: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / ("w.pth" if layout == "official" else "w.safetensors")
    network = load(RELATIVE, write_own(path, official), CPU)
    path.unlink()  # the network must not need it any more
    rgb = torch.rand(3, 300, 500, generator=torch.Generator().manual_seed(2))
    found = network.inverse_depth(rgb)
    assert found.shape == (252, 420)
    reference = DepthAnything.from_state(official, Framing(252))
    assert torch.equal(found, reference.inverse_depth(rgb))


def _spoilt(tensor: Tensor, value: float) -> Tensor:
    tensor = tensor.clone()
    tensor.view(-1)[-1] = value
    return tensor


SPOILT: list[tuple[Callable[[dict[Any, Any]], Any], str]] = [
    (lambda s: s.pop(POSITIONS), "lacks 1 tensors"),
    (lambda s: s.pop(FINAL_BIAS), "lacks 1 tensors"),
    (lambda s: s.update(surplus=torch.zeros(1)), "surplus"),
    (lambda s: s.update({"pretrained.blocks.12.ls1.gamma": torch.zeros(384)}), "1 tensors too"),
    (lambda s: s.update({7: torch.zeros(1)}), "'7'"),
    (lambda s: s.update({FINAL_BIAS: torch.zeros(2)}), r"\(2,\) instead of \(1,\)"),
    (lambda s: s.update({POSITIONS: s[POSITIONS][:, 1:]}), "instead of"),
    (lambda s: s.update({FINAL_BIAS: s[FINAL_BIAS].half()}), "torch.float16"),
    (lambda s: s.update({FINAL_BIAS: [0.0]}), "no plain tensor"),
    (lambda s: s.update({POSITIONS: _spoilt(s[POSITIONS], float("nan"))}), "not finite"),
    (lambda s: s.update({POSITIONS: _spoilt(s[POSITIONS], float("-inf"))}), "not finite"),
]
SPOILT_TRANSFORMERS: list[tuple[Callable[[dict[Any, Any]], Any], str]] = [
    (lambda s: s.pop(QUERY), "lacks the query"),
    (lambda s: s.pop(HF_LAST), "lacks 1 tensors"),
    (lambda s: s.update(surplus=torch.zeros(1)), "surplus"),
    (lambda s: s.update({FINAL_BIAS: torch.zeros(1)}), "output_conv2"),  # of the other layout
    (lambda s: s.update({QUERY: s[QUERY][:, 1:]}), r"\(384, 383\) instead of"),
    (lambda s: s.update({KEY_BIAS: torch.zeros(768)}), r"\(768,\) instead of"),
    (lambda s: s.update({QUERY: s[QUERY].half()}), "torch.float16"),
    (lambda s: s.update({KEY_BIAS: [0.0]}), "no plain tensor"),
    (lambda s: s.update({KEY_BIAS: _spoilt(s[KEY_BIAS], float("nan"))}), "not finite"),
    (lambda s: s.update({HF_LAST: torch.full((1,), float("nan"))}), "not finite"),
]


@pytest.mark.parametrize(("spoil", "words"), SPOILT)
def test_other_weights_are_refused(
    spoil: Callable[[dict[Any, Any]], Any], words: str, official: dict[str, Tensor]
) -> None:
    state: dict[str, Any] = dict(official)
    spoil(state)
    with pytest.raises(OtherWeights, match=words):
        DepthAnything.from_state(state, Framing())


@pytest.mark.parametrize(("spoil", "words"), SPOILT_TRANSFORMERS)
def test_other_weights_in_transformers_layout_are_refused(
    spoil: Callable[[dict[Any, Any]], Any], words: str, official: dict[str, Tensor]
) -> None:
    state: dict[str, Any] = in_transformers_layout(official)
    spoil(state)
    with pytest.raises(OtherWeights, match=words):
        DepthAnything.from_state(state, Framing())


def test_a_spoilt_file_is_named(official: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "depth_anything_v2_vits.pth"
    write_own(path, {FINAL_BIAS: official[FINAL_BIAS]})
    with pytest.raises(NightFlashError, match=r"vits\.pth does not .* lacks \d+ tensors") as caught:
        load(RELATIVE, path, CPU)
    assert caught.value.code == "networks_corrupt"
