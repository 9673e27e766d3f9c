"""Reading the authors' files: their names, and what is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from nightflash.errors import NightFlashError
from nightflash.models.midas.checkpoint import fill, own_name
from nightflash.models.midas.network import ARCHITECTURES, MiDaS, load
from nightflash.models.tensors import OtherWeights, read_tensors
from torch import Tensor

from tests.models.midas.official import NAMES, figures, made_up_weights
from tests.models.pictures import CPU

SMALL = "midas_v21_small_256"
FIRST = "pretrained.layer1.0.weight"
LAST = "scratch.output_conv.4.bias"
UNUSED_UNIT = {
    f"scratch.refinenet4.resConfUnit1.conv{i}.{part}" for i in (1, 2) for part in ("weight", "bias")
}
UNUSED_END = {
    f"pretrained.model.{of}.{part}" for of in ("norm", "head") for part in ("weight", "bias")
}
MASKS = {f"pretrained.model.layers.{i}.blocks.1.attn_mask" for i in (0, 1)}
LEFT_OUT = {
    "midas_v21_small_256": UNUSED_UNIT,
    "midas_v21_384": UNUSED_UNIT,
    "dpt_hybrid_384": UNUSED_UNIT | UNUSED_END,
    "dpt_large_384": UNUSED_UNIT | UNUSED_END,
    "dpt_swin2_tiny_256": UNUSED_UNIT | UNUSED_END | MASKS,
}


@pytest.mark.parametrize("name", NAMES)
def test_every_published_tensor_has_its_place(name: str) -> None:
    keys = figures(name)["keys"]
    places: dict[str, tuple[list[int], str]] = {}
    left_out = set()
    for key, shape, dtype in keys:
        place = own_name(key)
        if place is None:
            left_out.add(key)
        else:
            assert place not in places
            places[place] = (shape, f"torch.{dtype}")
    network = MiDaS(ARCHITECTURES[name])
    own = {
        key: (list(value.shape), str(value.dtype)) for key, value in network.state_dict().items()
    }
    assert places == own
    assert left_out == LEFT_OUT[name]


def test_a_published_file_gives_depth(small: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(small, tmp_path / "small.pt")
    network = load(SMALL, tmp_path / "small.pt", CPU)
    assert next(network.parameters()).dtype == torch.float32
    reference = MiDaS.from_state(ARCHITECTURES[SMALL], small)
    draw = torch.Generator().manual_seed(2)
    for height, width, rows, columns in (
        (1, 1, 256, 256),
        (20, 2000, 32, 256),
        (2000, 20, 256, 32),
        (1, 9000, 32, 256),
        (300, 500, 160, 256),
        (480, 270, 256, 128),
    ):
        rgb = torch.rand(3, height, width, generator=draw)
        found = network.inverse_depth(rgb)
        assert found.shape == (rows, columns)
        assert found.isfinite().all()
        assert torch.equal(found, reference.inverse_depth(rgb))


def test_swin_s_file_gives_depth_of_any_picture(tmp_path: Path) -> None:
    path = tmp_path / "swin.pt"
    torch.save(made_up_weights("dpt_swin2_tiny_256"), path)
    network = load("dpt_swin2_tiny_256", path, CPU)
    path.unlink()  # large, and pytest keeps its folders; the network must not need it any more
    for height, width in ((20, 2000), (90, 50)):
        found = network.inverse_depth(torch.rand(3, height, width))
        assert found.shape == (256, 256)
        assert found.isfinite().all()


@pytest.mark.parametrize(
    "also_fine",
    [
        lambda state: {"model": state, "optimizer": {"state": {}, "param_groups": []}},
        lambda state: {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")},
        lambda state: {k: v for k, v in state.items() if "refinenet4.resConfUnit1" not in k},
        lambda state: {k: torch.nn.Parameter(v, False) for k, v in state.items()},
    ],
    ids=["training state", "no counters", "no unused unit", "parameters"],
)
def test_other_forms_of_the_same_weights_serve(
    also_fine: Callable[[dict[str, Tensor]], Any], small: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(also_fine(small), tmp_path / "w.pt")
    network = load(SMALL, tmp_path / "w.pt", CPU)
    rgb = torch.rand(3, 30, 60)
    expected = MiDaS.from_state(ARCHITECTURES[SMALL], small).inverse_depth(rgb)
    assert torch.equal(network.inverse_depth(rgb), expected)


def _spoilt(tensor: Tensor, value: float) -> Tensor:
    tensor = tensor.clone()
    tensor.view(-1)[-1] = value
    return tensor


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: s.pop(FIRST), "lacks 1 tensors"),
        (lambda s: s.pop(LAST), "lacks 1 tensors"),
        (lambda s: s.update(surplus=torch.zeros(1)), "surplus"),
        (lambda s: s.update({"pretrained.layer5.0.weight": torch.zeros(1)}), "1 tensors too many"),
        (lambda s: s.update({7: torch.zeros(1)}), "'7'"),
        (lambda s: s.update({LAST: torch.zeros(2)}), r"\(2,\) instead of \(1,\)"),
        (lambda s: s.update({FIRST: s[FIRST].permute(0, 1, 3, 2)[:, :, :2]}), "instead of"),
        (lambda s: s.update({LAST: s[LAST].half()}), "torch.float16 instead of torch.float32"),
        (lambda s: s.update({LAST: s[LAST].long()}), "torch.int64"),
        (lambda s: s.update({LAST: [0.0]}), "no plain tensor"),
        (lambda s: s.update({LAST: torch.zeros(1, device="meta")}), "no plain tensor"),
        (lambda s: s.update({FIRST: s[FIRST].to_sparse()}), "no plain tensor"),
        (lambda s: s.update({FIRST: _spoilt(s[FIRST], float("nan"))}), "not finite"),
        (lambda s: s.update({FIRST: _spoilt(s[FIRST], float("-inf"))}), "not finite"),
    ],
)
def test_other_weights_are_refused(
    spoil: Callable[[dict[Any, Any]], Any], words: str, small: dict[str, Tensor]
) -> None:
    state: dict[str, Any] = dict(small)
    spoil(state)
    with pytest.raises(OtherWeights, match=words):
        MiDaS.from_state(ARCHITECTURES[SMALL], state)


@pytest.mark.parametrize("name", NAMES[1:])
def test_another_network_s_weights_are_refused(name: str, small: dict[str, Tensor]) -> None:
    with pytest.raises(OtherWeights):
        MiDaS.from_state(ARCHITECTURES[name], small)


class _Intruder:
    """Makes a file when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def _files(folder: Path, small: dict[str, Tensor]) -> dict[str, Callable[[Path], Any]]:
    def cut(path: Path) -> None:
        torch.save(small, path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])

    def archive(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("readme.txt", "hello")

    return {
        "text": lambda path: path.write_bytes(b"not weights at all"),
        "empty": lambda path: path.write_bytes(b""),
        "archive": archive,
        "cut off": cut,
        "list": lambda path: torch.save([1, 2], path),
        "optimizer only": lambda path: torch.save({"optimizer": {}}, path),
        "missing": lambda path: torch.save({LAST: small[LAST]}, path),
        "code": lambda path: torch.save({LAST: _Intruder(folder / "trace")}, path),
        "old code": lambda path: torch.save(
            {LAST: _Intruder(folder / "trace")}, path, _use_new_zipfile_serialization=False
        ),
    }


@pytest.mark.parametrize(
    "kind",
    [
        *("text", "empty", "archive", "cut off", "list", "optimizer only", "missing"),
        *("code", "old code"),
    ],
)
def test_a_spoilt_file_is_named_and_not_obeyed(
    kind: str, small: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "midas_v21_small_256.pt"
    _files(tmp_path, small)[kind](path)
    with pytest.raises(NightFlashError, match=r"midas_v21_small_256\.pt") as caught:
        load(SMALL, path, CPU)
    assert caught.value.code == "networks_corrupt"
    assert caught.value.remedy == "Fetch it again with 'nightflash models download'."
    assert not (tmp_path / "trace").exists()
    path.unlink()


def test_a_failed_filling_leaves_the_network_as_it_was(small: dict[str, Tensor]) -> None:
    network = MiDaS(ARCHITECTURES[SMALL])
    with pytest.raises(OtherWeights):
        fill(network, {**small, LAST: torch.full((1,), float("nan"))})
    assert all(weight.is_meta for weight in network.parameters())


def test_a_packed_file_is_refused_unread(tmp_path: Path) -> None:
    """It could unpack to any size."""
    plain, packed = tmp_path / "plain.pt", tmp_path / "packed.pt"
    torch.save({"a": torch.zeros(100_000)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as to:
        for entry in source.infolist():
            to.writestr(entry.filename, source.read(entry))
    assert list(read_tensors(plain)) == ["a"]
    with pytest.raises(OtherWeights):
        read_tensors(packed)
