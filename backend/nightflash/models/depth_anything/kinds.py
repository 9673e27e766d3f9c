"""Relative, indoor or outdoor: networks of equal names and shapes, distinguished by hash alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nightflash.models.tensors import OtherWeights
from nightflash.models.weights import noted_sha256, sha256


@dataclass(frozen=True)
class Kind:
    """One of the networks.

    Attributes:
        name: The descriptor's.
        farthest: Metres that a metric network's depth ends at; None for relative inverse depth.
        hashes: sha256 of its files, as published.
    """

    name: str
    farthest: float | None
    hashes: tuple[str, ...]


RELATIVE = Kind(
    "depth_anything_v2_small",
    None,
    (
        "715fade13be8f229f8a70cc02066f656f2423a59effd0579197bbf57860e1378",
        "3152477ce0d8d6978d76b995120de97cb5b928701fd0f817769f59e249a16b70",
    ),
)
INDOOR = Kind(
    "depth_anything_v2_indoor_small",
    20.0,
    (
        "b782898d8a3e8be1f639de33837ed85e9b4b73e40f8f5e5cd99067588d722545",
        "e990eb82fbf11b05b7813261196a2b841bdcf5a05f64396724a8987fa90504a3",
    ),
)
OUTDOOR = Kind(
    "depth_anything_v2_outdoor_small",
    80.0,
    (
        "9203e538d35255c90dda4b7fedb47ff33fe725497bcca3b1e53b3a65ee63f0cb",
        "ad065c77a7421ca55159a1f0db9433397a607690f2d76bb8a6fc54b1be7a3124",
    ),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (RELATIVE, INDOOR, OUTDOOR)}
"""Of each, the hash of the authors' file comes first, then that of transformers'."""


def check_kind(path: Path, kind: Kind) -> None:
    """Check by its hash that a file is of a kind.

    Raises:
        OSError: It cannot be read.
        OtherWeights: It is another's, or unknown. A note beside it with its hash makes it
            known: whose weights of their own they are vouches for the kind.
    """
    there = path.stat()
    digest = sha256(path.resolve(), there.st_mtime_ns, there.st_size)
    for other in KINDS.values():
        if digest in other.hashes and other is not kind:
            raise OtherWeights(f"it is that of {other.name}")
    if digest not in kind.hashes and noted_sha256(path) != digest:
        raise OtherWeights(
            "its hash is unknown, and relative and metric depth differ in nothing else"
        )
