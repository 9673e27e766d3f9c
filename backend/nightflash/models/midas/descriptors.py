"""What is known of MiDaS's networks before their weights are read.

Lengths and hashes are those of the authors' releases as others published them. A file that was
fetched under the name it had until 2022 serves as well.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch

from nightflash.models.descriptor import DepthNetwork, NetworkDescriptor
from nightflash.models.weights import WeightsFile

RELEASES = "https://github.com/isl-org/MiDaS/releases/download"
COMMIT = "45459771"  # of the code whose results these networks reproduce
MIB = 1024 * 1024


def _load(name: str, path: Path | None, device: torch.device) -> DepthNetwork:
    # Not at the top: timm takes seconds to import, and knowing the networks must not.
    from nightflash.models.midas.network import load

    assert path is not None
    return load(name, path, device)


def _descriptor(
    name: str,
    release: str,
    older_names: tuple[str, ...] = (),
    licence: str = "MIT",
    file: dict[str, Any] | None = None,
    **facts: Any,
) -> NetworkDescriptor[DepthNetwork]:
    url = f"{RELEASES}/{release}/{name}.pt"
    return NetworkDescriptor(
        name=name,
        role="depth",
        network_set="official",
        licence=licence,
        source=f"isl-org/MiDaS@{COMMIT}, release {release}, {name}.pt",
        load=partial(_load, name),
        published_method=True,
        files=(WeightsFile(name=f"{name}.pt", url=url, aliases=older_names, **(file or {})),),
        **facts,
    )


DESCRIPTORS: tuple[NetworkDescriptor[DepthNetwork], ...] = (
    _descriptor(
        "dpt_large_384",
        "v3",
        ("dpt_large-midas-2f21e586.pt",),
        title="MiDaS v3, DPT-Large: relative depth, the most accurate of MiDaS, for a GPU",
        file={
            "bytes": 1_376_378_527,
            "sha256": "2f21e586477d90cb9624c7eef5df7891edca49a1c4795ee2cb631fd4daa6ca69",
        },
        for_gpu=True,
        memory=3_000_000_000,
        preference=5,
    ),
    _descriptor(
        "dpt_hybrid_384",
        "v3",
        ("dpt_hybrid-midas-501f0c75.pt",),
        title="MiDaS v3, DPT-Hybrid: relative depth, accurate, for a GPU",
        file={
            "bytes": round(469.9 * MIB),
            "sha256": "501f0c75b3bca7daec6b3682c5054c09b366765aef6fa3a09d03a5cb4b230853",
            "rounded": True,
        },
        for_gpu=True,
        memory=2_000_000_000,
        preference=4,
    ),
    _descriptor(
        "dpt_swin2_tiny_256",
        "v3_1",
        title="MiDaS v3.1, Swin2-Tiny: relative depth, a good one on any machine",
        file={"bytes": round(164.2 * MIB), "rounded": True},
        memory=700_000_000,
        preference=3,
    ),
    _descriptor(
        "midas_v21_small_256",
        "v2_1",
        ("model-small-70d6b9c8.pt", "midas_v21_small-70d6b9c8.pt"),
        title="MiDaS v2.1 small: relative depth, fast on any machine",
        file={
            "bytes": 85_761_505,
            "sha256": "70d6b9c891758c67f974a6097fb0c608c7ee67fb81ac3e5588847d5596d56fca",
        },
        memory=500_000_000,
        preference=2,
    ),
    _descriptor(
        "midas_v21_384",
        "v2_1",
        ("model-f6b98070.pt", "midas_v21-f6b98070.pt"),
        title="MiDaS v2.1: relative depth by convolutions only, for a GPU",
        licence=(
            "MIT, but its encoder descends from WSL-Images, whose weights are CC BY-NC 4.0: "
            "not for commercial use"
        ),
        file={
            "bytes": 422_509_849,
            "sha256": "f6b980704cfd7259c7cc2b058c2f160159c55e84b3b6c08331b4156a84629f70",
        },
        automatic=False,
        for_gpu=True,
        memory=1_000_000_000,
        preference=1,
    ),
)
