from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from nightflash.errors import NightFlashError
from nightflash.folders import HOME_VARIABLE
from nightflash.models import registry
from nightflash.models.choice import STANDS_IN, Choice, choose
from nightflash.models.descriptor import NetworkDescriptor, NetworkSet, Role
from nightflash.models.device import NO_GPU, Capacity
from nightflash.models.registry import NETWORKS, Registry
from nightflash.models.weights import (
    WEIGHTS_VARIABLE,
    WeightsFile,
    state,
    weights_folder,
)

from tests.models.pictures import CPU

CONTENT = b"weights"
AUTO, OFFICIAL, LITE, BUILTIN = map(Choice.of, ("auto", "official", "lite", "builtin"))


def the_file(name: str) -> WeightsFile:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return WeightsFile(f"{name}.pt", len(CONTENT), "http://nowhere.invalid/", digest)


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
        files=(the_file(name),),
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


def chosen(which: str, folder: Path, networks: Registry, room: Capacity = NO_GPU) -> str | None:
    descriptor = choose("depth", Choice.of(which, networks), folder, room, networks)
    return None if descriptor is None else descriptor.name


def test_every_network_known_is_complete() -> None:
    for name, descriptor in NETWORKS.items():
        assert name == descriptor.name
        assert descriptor.title
        assert descriptor.licence
        assert descriptor.source
        assert "http" not in descriptor.source
        assert (not descriptor.files) == (descriptor.network_set in ("builtin", "rules"))
        assert (descriptor.shipped is not None) == (descriptor.network_set == "builtin")


@pytest.mark.parametrize(
    "clash",
    [made_up("big", files=(the_file("other"),)), made_up("other", files=(the_file("big"),))],
    ids=["name", "file"],
)
def test_a_clash_leaves_the_registry_as_it_was(
    networks: Registry, clash: NetworkDescriptor[Any]
) -> None:
    before = dict(networks)
    with pytest.raises(ValueError, match=r"registered|belongs"):
        networks.add(clash)
    assert dict(networks) == before


def test_the_folder_is_the_one_named_else_the_variable_s_else_the_user_s(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    assert weights_folder(Path("here")) == Path("here")
    assert weights_folder(None) == tmp_path
    monkeypatch.delenv(WEIGHTS_VARIABLE)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    assert weights_folder() == tmp_path / "home" / "weights"
    monkeypatch.delenv(HOME_VARIABLE)
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


def test_auto_keeps_to_what_the_device_can_do(folder: Path, networks: Registry) -> None:
    networks.add(made_up("huge", preference=9, for_gpu=True, memory=3000))
    (folder / "huge.pt").write_bytes(CONTENT)
    assert chosen("auto", folder, networks) == "big"
    assert chosen("auto", folder, networks, Capacity(gpu=True)) == "huge"
    assert chosen("auto", folder, networks, Capacity(gpu=True, memory=6000)) == "huge"
    assert chosen("auto", folder, networks, Capacity(gpu=True, memory=5999)) == "big"
    assert chosen("official", folder, networks) == "big"
    assert chosen("huge", folder, networks) == "huge"
    for name in ("big", "small"):
        (folder / f"{name}.pt").unlink()
    assert chosen("auto", folder, networks) == "light"
    assert chosen("official", folder, networks) == "huge"


def test_a_network_can_be_named(folder: Path, networks: Registry) -> None:
    (folder / "slow.pt").write_bytes(CONTENT)
    assert chosen("slow", folder, networks) == "slow"
    assert chosen("lite, small", folder, networks) == "small"
    (folder / "slow.pt").unlink()
    with pytest.raises(NightFlashError, match=r"network slow needs the file slow\.pt") as caught:
        chosen("slow", folder, networks)
    assert "nightflash models download slow" in caught.value.remedy


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("offical", "no set of networks and no network named 'offical'. Did you mean 'official'?"),
        ("lite,official", "only one"),
        ("big,small", "both for depth"),
        ("LITE", "LITE"),
    ],
)
def test_words_that_name_no_choice_are_refused(networks: Registry, words: str, fault: str) -> None:
    with pytest.raises(NightFlashError) as caught:
        Choice.of(words, networks)
    assert fault in str(caught.value)
    assert caught.value.code == "bad_setting"


def test_a_set_asked_for_is_kept(folder: Path, networks: Registry) -> None:
    assert chosen("lite", folder, networks) == "light"
    assert chosen("builtin", folder, networks) is None


def test_a_missing_file_is_named(folder: Path, networks: Registry) -> None:
    (folder / "light.pt").unlink()
    with pytest.raises(NightFlashError) as caught:
        choose("depth", LITE, folder, registry=networks)
    assert caught.value.code == "networks_missing"
    assert "light.pt" in caught.value.sentence
    assert str(folder) in caught.value.sentence
    assert "--weights" in caught.value.remedy


def test_a_wrong_folder_holds_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    needed: tuple[Role, ...] = ("depth", "subject", "features")
    for role in needed:
        shipped = choose(role, AUTO, nowhere)
        assert shipped is not None
        assert shipped.network_set == "builtin"
    assert choose("detector", AUTO, nowhere) is None
    for role in (*needed, "detector"):
        with pytest.raises(NightFlashError, match="nowhere"):
            choose(role, LITE, nowhere)


def test_who_finds_objects_stands_in_for_another_of_its_set(folder: Path) -> None:
    """A detector for the network of the main object, of the better set before a lesser one."""
    mask, boxes = made_up("small", role="subject"), made_up("light", role="detector")
    own = made_up("big", "builtin", role="subject")
    both = Registry([replace(mask, network_set="lite"), replace(boxes, network_set="lite"), own])

    def chosen_for(role: Role, words: str) -> str | None:
        found = choose(role, Choice.of(words, both), folder, registry=both)
        return None if found is None else found.name

    for words in ("auto", "lite"):
        assert chosen_for("subject", words) == "small"
        assert chosen_for("detector", words) == "light"
    assert chosen_for("subject", "light") is None  # who names a detector wants it to find things
    assert chosen_for("subject", "light,big") == "big"
    (folder / "small.pt").unlink()
    for words in ("auto", "lite"):
        assert chosen_for("subject", words) is None
        assert chosen_for("detector", words) == "light"
    (folder / "light.pt").unlink()
    assert chosen_for("subject", "auto") == "big"
    assert chosen_for("detector", "auto") is None
    for role in STANDS_IN:
        with pytest.raises(NightFlashError, match=f"lite network for {role}"):
            chosen_for(role, "lite")


def test_a_set_without_a_network_for_the_role_says_so(folder: Path) -> None:
    only_lite = Registry([made_up("light", "lite")])
    with pytest.raises(NightFlashError, match="no official network for depth"):
        choose("depth", OFFICIAL, folder, registry=only_lite)


def test_the_shared_weights_are_the_lite_set(shared: Path) -> None:
    weights = shared / "weights"
    depth = choose("depth", LITE, weights)
    detector = choose("detector", LITE, weights)
    assert depth is not None
    assert detector is not None
    assert registry.load(depth, weights, CPU).inverse_depth(torch.rand(3, 40, 60)).ndim == 2
    assert isinstance(registry.load(detector, weights, CPU).detect(torch.rand(3, 40, 60)), list)
    for which in (LITE, BUILTIN):
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


def test_a_note_tells_the_hash_of_weights_of_one_s_own(folder: Path) -> None:
    descriptor = made_up("big")
    own = b"trained anew, and longer"
    (folder / "big.pt").write_bytes(own)
    with pytest.raises(NightFlashError, match="damaged"):
        registry.load(descriptor, folder, CPU)
    note = folder / "big.pt.sha256"
    note.write_text(f"{hashlib.sha256(own).hexdigest()}  big.pt\n")
    registry.load(descriptor, folder, CPU)
    assert state(descriptor.files[0], folder) == "noted"
    (folder / "big.pt").write_bytes(own[:-1])
    with pytest.raises(NightFlashError, match="damaged"):
        registry.load(descriptor, folder, CPU)
    (folder / "big.pt").write_bytes(CONTENT)
    assert state(descriptor.files[0], folder) == "published"


@pytest.mark.parametrize("text", ["", "x" * 64, "0" * 63, "0" * 65, "é" * 64])
def test_a_note_of_another_form_is_no_note(folder: Path, text: str) -> None:
    (folder / "big.pt.sha256").write_text(text)
    assert state(the_file("big"), folder) == "published"


def test_a_short_hash_and_a_rounded_length_are_enough(folder: Path) -> None:
    file = replace(the_file("big"), sha256=hashlib.sha256(CONTENT).hexdigest()[:8])
    assert state(file, folder) == "published"
    assert state(replace(file, sha256="01234567"), folder) == "damaged"
    unhashed = replace(file, sha256="")
    assert state(unhashed, folder) == "unverified"
    note = folder / "big.pt.sha256"
    note.write_text(64 * "0")
    assert state(file, folder) == "damaged"  # a full note tells more than the short hash
    note.write_text(hashlib.sha256(CONTENT).hexdigest())
    assert state(file, folder) == "published"
    assert state(unhashed, folder) == "noted"
    note.unlink()
    assert state(replace(unhashed, bytes=8), folder) == "damaged"
    assert replace(unhashed, bytes=1000, rounded=True).may_have(1010)
    assert not replace(unhashed, bytes=1000, rounded=True).may_have(1011)


def test_any_of_a_network_s_files_serves(folder: Path) -> None:
    descriptor = made_up("both", files=(the_file("absent"), the_file("big"), the_file("small")))
    assert registry.load(descriptor, folder, CPU)[0] == (folder / "big.pt").resolve()
    (folder / "absent.pt").write_bytes(CONTENT)
    assert registry.load(descriptor, folder, CPU)[0] == (folder / "absent.pt").resolve()
    older = made_up("renamed", files=(replace(the_file("new"), aliases=("none.pt", "big.pt")),))
    assert registry.load(older, folder, CPU)[0] == (folder / "big.pt").resolve()
