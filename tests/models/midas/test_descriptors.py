"""What is said of the networks before they are read."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nightflash.errors import NightFlashError
from nightflash.models.midas import DESCRIPTORS
from nightflash.models.registry import Registry

from tests.command_line import environment
from tests.models.midas.official import NAMES, figures
from tests.models.pictures import CPU

BY_NAME = {descriptor.name: descriptor for descriptor in DESCRIPTORS}


def test_the_five_networks_can_be_registered_together() -> None:
    registry = Registry(DESCRIPTORS)
    assert sorted(registry) == sorted(NAMES)
    assert [d.name for d in registry.of("depth", "official")] == [
        "dpt_large_384",
        "dpt_hybrid_384",
        "dpt_swin2_tiny_256",
        "midas_v21_small_256",
        "midas_v21_384",
    ]
    assert {d.name for d in DESCRIPTORS if d.for_gpu} == {
        "dpt_large_384",
        "dpt_hybrid_384",
        "midas_v21_384",
    }


def test_weights_not_free_for_all_are_not_taken_unasked() -> None:
    for descriptor in DESCRIPTORS:
        assert "MIT" in descriptor.licence
        assert descriptor.automatic is ("NC" not in descriptor.licence)
    assert "CC BY-NC 4.0" in BY_NAME["midas_v21_384"].licence


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_as_long_as_its_tensors(name: str) -> None:
    """What the archive adds is 400 to 700 bytes for each tensor, and a rounding."""
    descriptor = BY_NAME[name]
    keys = figures(name)["keys"]
    sizes = {"float32": 4, "int64": 8}
    values = sum(sizes[dtype] * math.prod(shape) for _, shape, dtype in keys)
    for file in descriptor.files:
        assert 0 < file.bytes - values < 700 * len(keys) + (52_429 if file.rounded else 0)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_a_file_means_the_published_one(name: str) -> None:
    (first,) = BY_NAME[name].files
    assert first.name == f"{name}.pt"
    assert re.fullmatch(
        rf"https://github\.com/isl-org/MiDaS/releases/download/v\d(_\d)?/{name}\.pt", first.url
    )
    assert re.fullmatch(r"([0-9a-f]{64})?", first.sha256)
    assert bool(first.sha256) is (name != "dpt_swin2_tiny_256")
    for older in first.aliases:
        prefix = re.search(r"-([0-9a-f]{8})\.pt$", older)
        assert prefix is not None
        assert first.sha256.startswith(prefix[1])


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_more_than_the_weights_and_their_half(name: str) -> None:
    descriptor = BY_NAME[name]
    assert 1.5 * descriptor.files[0].bytes < descriptor.memory < 4_000_000_000


def test_loading_goes_by_the_name(tmp_path: Path) -> None:
    path = tmp_path / "midas_v21_small_256.pt"
    path.write_bytes(b"nothing")
    for name, descriptor in BY_NAME.items():
        with pytest.raises(NightFlashError, match=f"weights of {name}:"):
            descriptor.load(path, CPU)


def test_knowing_the_networks_takes_no_time() -> None:
    """timm takes seconds to import."""
    words = "import sys, nightflash.models.midas; assert 'timm' not in sys.modules"
    subprocess.run([sys.executable, "-c", words], check=True, env=environment())
