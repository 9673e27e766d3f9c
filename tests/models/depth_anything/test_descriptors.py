"""What is said of the networks before they are read."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nightflash.models import registry
from nightflash.models.choice import Choice, choose
from nightflash.models.chosen import ChosenDepth
from nightflash.models.depth_anything import DESCRIPTORS
from nightflash.models.depth_anything.kinds import KINDS
from nightflash.models.depth_anything.network import DepthAnything
from nightflash.models.descriptor import NetworkDescriptor
from nightflash.models.device import NO_GPU, Capacity
from nightflash.models.recommendation import recommended, recommended_for_published_method
from nightflash.models.registry import NETWORKS
from torch import Tensor

from tests.models.depth_anything.official import figures, write_own
from tests.models.pictures import CPU

RELATIVE, INDOOR, OUTDOOR = DESCRIPTORS
ROOMS = [NO_GPU, Capacity(gpu=True), Capacity(gpu=True, memory=8_000_000_000)]


def of(words: str, folder: Path, room: Capacity = NO_GPU) -> ChosenDepth:
    return ChosenDepth.of(Choice.of(words), folder, room)


def chosen(words: str, folder: Path, room: Capacity = NO_GPU) -> str | None:
    found = choose("depth", Choice.of(words), folder, room)
    return None if found is None else found.name


def published(words: str, folder: Path, room: Capacity = NO_GPU) -> str | None:
    """The network of MiDaS that the published method takes, if one is there."""
    found = of(words, folder, room).published
    names = [network.name for network in found if network.published_method]
    return names[0] if names else None


def lay(folder: Path, *names: str) -> None:
    for name in names:
        (folder / NETWORKS[name].files[0].name).touch()


def test_every_kind_has_its_descriptor_and_free_weights() -> None:
    assert [descriptor.name for descriptor in DESCRIPTORS] == list(KINDS)
    for descriptor in DESCRIPTORS:
        assert NETWORKS[descriptor.name] is descriptor
        assert descriptor.licence == "Apache-2.0"
        for file, digest in zip(descriptor.files, KINDS[descriptor.name].hashes, strict=False):
            assert file.sha256 == digest


def test_only_the_authors_files_are_offered_of_the_metric_networks() -> None:
    assert [len(descriptor.files) for descriptor in DESCRIPTORS] == [2, 1, 1]
    for descriptor in DESCRIPTORS:
        for file in descriptor.files:
            assert re.fullmatch(
                r"https://huggingface\.co/depth-anything/Depth-Anything-V2-[\w-]*Small(-hf)?"
                r"/resolve/[0-9a-f]{40}/[\w.]+",
                file.url,
            )
    assert all(file.name.endswith(".pth") for d in (INDOOR, OUTDOOR) for file in d.files)


def test_a_file_is_as_long_as_its_tensors() -> None:
    """What the archive adds is 400 to 700 bytes for each tensor."""
    keys = figures("layout")["official"]
    values = sum(4 * math.prod(shape) for _, shape in keys)
    for descriptor in DESCRIPTORS:
        for file in descriptor.files:
            assert 0 < file.bytes - values < 700 * len(keys)
            assert file.bytes < descriptor.memory


@pytest.mark.parametrize("room", ROOMS)
def test_it_is_the_first_choice_for_depth(room: Capacity, tmp_path: Path) -> None:
    lay(tmp_path, "dpt_large_384", "dpt_swin2_tiny_256", RELATIVE.name, INDOOR.name, OUTDOOR.name)
    for words in ("auto", "official"):
        assert chosen(words, tmp_path, room) == RELATIVE.name
        assert RELATIVE in recommended("auto" if words == "auto" else "official", room)
    assert chosen("dpt_swin2_tiny_256", tmp_path, room) == "dpt_swin2_tiny_256"
    assert chosen(OUTDOOR.name, tmp_path, room) == OUTDOOR.name


def test_metric_networks_are_taken_where_they_are_named(tmp_path: Path) -> None:
    lay(tmp_path, INDOOR.name, OUTDOOR.name)
    assert chosen("auto", tmp_path) == "scene_net"  # alone; the two of them take its place
    assert chosen(INDOOR.name, tmp_path) == INDOOR.name


@pytest.mark.parametrize("room", ROOMS)
def test_the_metric_networks_are_taken_as_a_pair(room: Capacity, tmp_path: Path) -> None:
    lay(tmp_path, RELATIVE.name, INDOOR.name)
    assert of("auto", tmp_path, room).flash == (RELATIVE,)
    lay(tmp_path, OUTDOOR.name)
    for words in ("auto", "official", "auto,mask_rcnn"):
        assert of(words, tmp_path, room).flash == (INDOOR, OUTDOOR)
        assert of(words, tmp_path, room).published == (RELATIVE,)
        assert of(words, tmp_path, room).without_midas
    for network in (RELATIVE, INDOOR, OUTDOOR):
        assert of(network.name, tmp_path, room) == ChosenDepth((network,), (network,), False)
    for words in ("builtin", "rules"):
        assert not {INDOOR, OUTDOOR} & {*of(words, tmp_path, room).flash}


def test_a_device_too_small_for_the_pair_goes_without(tmp_path: Path) -> None:
    lay(tmp_path, INDOOR.name, OUTDOOR.name)
    small = Capacity(gpu=True, memory=INDOOR.memory)
    assert [network.name for network in of("auto", tmp_path, small).flash] == ["scene_net"]


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_named_for_the_published_method_is_what_it_would_take(
    room: Capacity, tmp_path: Path
) -> None:
    best = recommended_for_published_method(room)
    lay(tmp_path, best.name)
    assert published("auto", tmp_path, room) == best.name


def test_the_published_method_keeps_to_midas(tmp_path: Path) -> None:
    lay(tmp_path, RELATIVE.name)
    assert published("auto", tmp_path) is None
    lay(tmp_path, "dpt_large_384")
    assert published("auto", tmp_path) is None  # it is for a GPU
    assert published("official", tmp_path) == "dpt_large_384"
    assert published("auto", tmp_path, Capacity(gpu=True)) == "dpt_large_384"
    lay(tmp_path, "midas_v21_small_256")
    for words in ("auto", "official"):
        assert published(words, tmp_path) == "midas_v21_small_256"
    for words in ("builtin", "rules", RELATIVE.name, f"official,{RELATIVE.name}"):
        assert published(words, tmp_path) is None


@pytest.mark.parametrize("descriptor", DESCRIPTORS, ids=lambda d: d.name)
def test_files_of_one_s_own_are_read_where_they_are_noted(
    descriptor: NetworkDescriptor[DepthAnything], official: dict[str, Tensor], tmp_path: Path
) -> None:
    for file in descriptor.files:
        folder = tmp_path / file.name
        folder.mkdir()
        write_own(folder / file.name, official)
        network = registry.load(descriptor, folder, CPU)
        assert network.farthest == KINDS[descriptor.name].farthest


def test_knowing_the_networks_takes_no_time() -> None:
    """timm takes seconds to import."""
    words = "import sys, nightflash.models.depth_anything; assert 'timm' not in sys.modules"
    subprocess.run([sys.executable, "-c", words], check=True)
