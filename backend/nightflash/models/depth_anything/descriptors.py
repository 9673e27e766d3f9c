"""What is known of the networks before their weights are read.

Hashes are those that others published; so are the lengths, which those of files saved in the same
layout confirm. The larger networks of this make are not for commercial use, and never offered. Of
the metric ones only the authors' own files carry a licence.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch

from nightflash.models.depth_anything.kinds import INDOOR, OUTDOOR, RELATIVE, Kind
from nightflash.models.descriptor import DepthNetwork, NetworkDescriptor
from nightflash.models.weights import WeightsFile

OWNER = "depth-anything"
HUB = f"https://huggingface.co/{OWNER}"


def _load(kind: Kind, path: Path | None, device: torch.device) -> DepthNetwork:
    # Not at the top: timm takes seconds to import, and knowing the networks must not.
    from nightflash.models.depth_anything.network import load

    assert path is not None
    return load(kind, path, device)


def _file(repository: str, revision: str, there: str, **facts: Any) -> WeightsFile:
    facts.setdefault("name", there)
    return WeightsFile(url=f"{HUB}/{repository}/resolve/{revision}/{there}", **facts)


def _descriptor(kind: Kind, *files: WeightsFile, **facts: Any) -> NetworkDescriptor[DepthNetwork]:
    repository, _, revision, there = files[0].url.removeprefix(f"{HUB}/").split("/")
    return NetworkDescriptor(
        name=kind.name,
        role="depth",
        network_set="official",
        licence="Apache-2.0",
        source=f"{OWNER}/{repository}@{revision[:8]}, {there}",
        load=partial(_load, kind),
        files=files,
        memory=1_000_000_000,
        **facts,
    )


DESCRIPTORS: tuple[NetworkDescriptor[DepthNetwork], ...] = (
    _descriptor(
        RELATIVE,
        _file(
            "Depth-Anything-V2-Small",
            "03876f8651c73a60fe4c2c48294e09fcb6838fcf",
            "depth_anything_v2_vits.pth",
            bytes=99_218_434,
            sha256=RELATIVE.hashes[0],
        ),
        _file(
            "Depth-Anything-V2-Small-hf",
            "5426e4f0f36572d16453bbda7a8389317b1bef99",
            "model.safetensors",
            name="depth_anything_v2_small.safetensors",
            bytes=99_173_660,
            sha256=RELATIVE.hashes[1],
        ),
        title="Depth Anything V2 Small: relative depth, the first choice on any machine",
        preference=6,
    ),
    _descriptor(
        INDOOR,
        _file(
            "Depth-Anything-V2-Metric-Hypersim-Small",
            "3bc65d4e14a6786a61acec16453c50e12bf5f338",
            "depth_anything_v2_metric_hypersim_vits.pth",
            bytes=99_222_290,
            sha256=INDOOR.hashes[0],
        ),
        title="Depth Anything V2 Small, indoor: depth of rooms in metres, as a pair with outdoor",
        automatic=False,
        metric="indoors",
    ),
    _descriptor(
        OUTDOOR,
        _file(
            "Depth-Anything-V2-Metric-VKITTI-Small",
            "c725b8589bdf6ab04072cab74c0467830db80d6d",
            "depth_anything_v2_metric_vkitti_vits.pth",
            bytes=99_221_808,
            sha256=OUTDOOR.hashes[0],
        ),
        title="Depth Anything V2 Small, outdoor: depth of streets in metres, as a pair with indoor",
        automatic=False,
        metric="outdoors",
    ),
)
