from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from nightflash.errors import NightFlashError
from nightflash.models import registry
from nightflash.models.descriptor import NetworkDescriptor, NetworkSet
from nightflash.models.registry import NETWORKS, Registry, choose, weights_folder

from tests.models.pictures import CPU

CONTENT = b"weights"


def made_up(
    name: str, network_set: NetworkSet = "official", **facts: Any
) -> NetworkDescriptor[Any]:
    plain: NetworkDescriptor[Any] = NetworkDescriptor(
        name=name,
        role="depth",
        network_set=network_set,
        title=name,
        licence="MIT",
        source="made up",
        load=lambda path, device: (path, device, object()),
        file=f"{name}.pt",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        bytes=len(CONTENT),
    )
    return replace(plain, **facts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("big", "small", "light"):
        (tmp_path / f"{name}.pt").write_bytes(CONTENT)
    return tmp_path


@pytest.fixture
def networks() -> Registry:
    return Registry(
        (
            made_up("light", "lite", preference=9),
            made_up("small", preference=1),
            made_up("big", preference=2),
            made_up("slow", preference=8, automatic=False),
        )
    )


def chosen(which: Any, folder: Path, networks: Registry) -> str | None:
    descriptor = choose("depth", which, folder, networks)
    return None if descriptor is None else descriptor.name


def test_every_network_known_is_complete() -> None:
    for name, descriptor in NETWORKS.items():
        assert name == descriptor.name
        assert descriptor.title
        assert descriptor.licence
        assert descriptor.source
        assert "http" not in descriptor.source
        assert (descriptor.file is None) == (descriptor.network_set == "builtin")


@pytest.mark.parametrize(
    "clash",
    [made_up("big", file="other.pt"), made_up("other", file="big.pt"), made_up("new", sha256=None)],
    ids=["name", "file", "no sha256"],
)
def test_a_clash_leaves_the_registry_as_it_was(
    networks: Registry, clash: NetworkDescriptor[Any]
) -> None:
    before = dict(networks)
    with pytest.raises(ValueError, match=r"registered|belongs|unknown"):
        networks.add(clash)
    assert dict(networks) == before


def test_the_folder_is_the_one_named_else_the_variable_s_else_the_user_s(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(registry.WEIGHTS_VARIABLE, str(tmp_path))
    assert weights_folder(Path("here")) == Path("here")
    assert weights_folder(None) == tmp_path
    monkeypatch.delenv(registry.WEIGHTS_VARIABLE)
    assert weights_folder().parts[-2:] == ("nightflash", "weights")


def test_auto_takes_the_best_that_is_there(folder: Path, networks: Registry) -> None:
    assert chosen("auto", folder, networks) == "big"
    (folder / "slow.pt").write_bytes(CONTENT)
    assert chosen("auto", folder, networks) == "big"
    (folder / "big.pt").unlink()
    assert chosen("auto", folder, networks) == "small"
    (folder / "small.pt").unlink()
    assert chosen("auto", folder, networks) == "light"
    (folder / "light.pt").unlink()
    assert chosen("auto", folder, networks) is None


def test_auto_passes_over_what_cannot_run(folder: Path, networks: Registry) -> None:
    (folder / "needy.pt").write_bytes(CONTENT)
    networks.add(made_up("needy", preference=99, needs="a_package_nobody_has", extra="detect"))
    assert chosen("auto", folder, networks) == "big"
    assert chosen("official", folder, networks) == "big"


def test_a_set_asked_for_is_kept(folder: Path, networks: Registry) -> None:
    assert chosen("lite", folder, networks) == "light"
    assert chosen("builtin", folder, networks) is None


def test_a_missing_file_is_named(folder: Path, networks: Registry) -> None:
    (folder / "light.pt").unlink()
    with pytest.raises(NightFlashError) as caught:
        choose("depth", "lite", folder, networks)
    assert caught.value.code == "networks_missing"
    assert "light.pt" in caught.value.sentence
    assert str(folder) in caught.value.sentence
    assert "--weights" in caught.value.remedy


def test_a_wrong_folder_holds_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert choose("depth", "auto", nowhere) is None
    assert choose("detector", "auto", nowhere) is None
    assert choose("features", "auto", nowhere).network_set == "builtin"
    for role in ("depth", "detector", "features"):
        with pytest.raises(NightFlashError, match="nowhere"):
            choose(role, "lite", nowhere)


def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, shared: Path
) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    assert choose("detector", "auto", shared / "weights") is None
    with pytest.raises(NightFlashError, match=r"nightflash\[detect\]") as caught:
        choose("detector", "lite", shared / "weights")
    assert "onnxruntime" in caught.value.sentence


def test_a_set_without_a_network_for_the_role_says_so(folder: Path) -> None:
    only_lite = Registry([made_up("light", "lite")])
    with pytest.raises(NightFlashError, match="no official network for depth"):
        choose("depth", "official", folder, only_lite)


def test_the_shared_weights_are_the_lite_set(shared: Path) -> None:
    pytest.importorskip("onnxruntime")
    weights = shared / "weights"
    depth = choose("depth", "lite", weights)
    detector = choose("detector", "lite", weights)
    assert depth is not None
    assert detector is not None
    assert registry.load(depth, weights, CPU).inverse_depth(torch.rand(3, 40, 60)).ndim == 2
    assert isinstance(registry.load(detector, weights, CPU).detect(torch.rand(3, 40, 60)), list)
    for which in ("lite", "builtin"):
        descriptor = choose("features", which, weights)
        network = registry.load(descriptor, weights, CPU)
        assert network.name == descriptor.name
        assert network.features(torch.rand(1, 3, 8, 8)).shape[2:] == (2, 2)


def test_a_network_is_read_once_per_device(folder: Path) -> None:
    descriptor = made_up("big")
    first = registry.load(descriptor, folder, CPU)
    assert registry.load(descriptor, folder, CPU) is first
    assert registry.load(descriptor, folder, torch.device("meta")) is not first


@pytest.mark.parametrize("damage", [b"Weights", b"weight", b"weights and more", b""])
def test_a_damaged_file_is_named(folder: Path, damage: bytes) -> None:
    descriptor = made_up("big")
    registry.load(descriptor, folder, CPU)
    path = folder / "big.pt"
    path.unlink()
    path.write_bytes(damage)
    with pytest.raises(NightFlashError, match="damaged") as caught:
        registry.load(descriptor, folder, CPU)
    assert caught.value.code == "networks_corrupt"
    assert str(path.resolve()) in caught.value.sentence
    path.write_bytes(CONTENT)


def test_a_file_is_hashed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    descriptor = made_up("small")
    registry.load(descriptor, folder, CPU)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
    registry.load(descriptor, folder, CPU)


def test_a_file_that_vanished_is_missing(folder: Path) -> None:
    (folder / "big.pt").unlink()
    with pytest.raises(NightFlashError, match=r"big\.pt") as caught:
        registry.load(made_up("big"), folder, CPU)
    assert caught.value.code == "networks_missing"
