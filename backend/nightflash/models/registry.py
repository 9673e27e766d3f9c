"""The networks known, where their weights lie, which of them to take, and reading them once."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, overload

import torch
from platformdirs import user_data_path

from nightflash.errors import NightFlashError
from nightflash.models import random_features, tcmonodepth, vgg19, yolox
from nightflash.models.descriptor import (
    DepthNetwork,
    Detector,
    FeatureNetwork,
    N,
    NetworkDescriptor,
    NetworkSet,
    Role,
)

Choice = Literal["auto", "official", "lite", "builtin"]
BEST_FIRST: tuple[NetworkSet, ...] = ("official", "lite", "builtin")
WEIGHTS_VARIABLE = "NIGHTFLASH_WEIGHTS"


class Registry(Mapping[str, NetworkDescriptor[Any]]):
    """Descriptors by name.

    Args:
        descriptors: Those to begin with.
    """

    def __init__(self, descriptors: Iterable[NetworkDescriptor[Any]] = ()) -> None:
        self._by_name: dict[str, NetworkDescriptor[Any]] = {}
        for descriptor in descriptors:
            self.add(descriptor)

    def __getitem__(self, name: str) -> NetworkDescriptor[Any]:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def add(self, descriptor: NetworkDescriptor[Any]) -> None:
        """Add one descriptor.

        Raises:
            ValueError: Where its name or its file is taken, or it has a file without size and
                sha256; the registry stays as it was.
        """
        if descriptor.name in self._by_name:
            raise ValueError(f"a network named {descriptor.name} is registered already")
        if descriptor.file is not None:
            if descriptor.sha256 is None or descriptor.bytes is None:
                raise ValueError(f"{descriptor.name} has a file of unknown size or sha256")
            if any(other.file == descriptor.file for other in self.values()):
                raise ValueError(f"the file {descriptor.file} belongs to another network already")
        self._by_name[descriptor.name] = descriptor

    def of(self, role: Role, network_set: NetworkSet) -> list[NetworkDescriptor[Any]]:
        """Return the networks of one role and set, most preferred first."""
        those = [d for d in self.values() if d.role == role and d.network_set == network_set]
        return sorted(those, key=lambda d: (d.automatic, d.preference), reverse=True)


NETWORKS = Registry(
    (
        tcmonodepth.DESCRIPTOR,
        yolox.DESCRIPTOR,
        vgg19.DESCRIPTOR,
        random_features.DESCRIPTOR,
    )
)


def weights_folder(explicit: Path | None = None) -> Path:
    """Return the folder of the weights: ``explicit``, else NIGHTFLASH_WEIGHTS, else the user's own.

    The folder need not exist: then it holds no network.
    """
    if explicit is not None:
        return explicit
    if named := os.environ.get(WEIGHTS_VARIABLE):
        return Path(named).expanduser()
    return user_data_path("nightflash", appauthor=False) / "weights"


@overload
def choose(
    role: Literal["depth"], networks: Choice, folder: Path, registry: Registry = ...
) -> NetworkDescriptor[DepthNetwork] | None: ...
@overload
def choose(
    role: Literal["detector"], networks: Choice, folder: Path, registry: Registry = ...
) -> NetworkDescriptor[Detector] | None: ...
@overload
def choose(
    role: Literal["features"], networks: Choice, folder: Path, registry: Registry = ...
) -> NetworkDescriptor[FeatureNetwork]: ...
def choose(
    role: Role, networks: Choice, folder: Path, registry: Registry = NETWORKS
) -> NetworkDescriptor[Any] | None:
    """Choose the network for a role.

    Args:
        role: What it is for.
        networks: ``auto`` for the best whose file is present and whose package is installed, or
            the set it must come from.
        folder: Of the weights.
        registry: The networks to choose from.

    Returns:
        The network, or None for "none": the builtin set has none for depth and detector, where
        geometric rules serve instead.

    Raises:
        NightFlashError: ``networks_missing`` where the set asked for cannot serve.
    """
    if networks == "auto":
        for network_set in BEST_FIRST:
            for descriptor in registry.of(role, network_set):
                if descriptor.automatic and _present(descriptor, folder) and _runs(descriptor):
                    return descriptor
        return None
    candidates = registry.of(role, networks)
    present = [descriptor for descriptor in candidates if _present(descriptor, folder)]
    for descriptor in present:
        if _runs(descriptor):
            return descriptor
    if networks == "builtin":
        return None
    if present:
        raise NightFlashError(
            f"{present[0].title} needs the Python package {present[0].needs}, "
            "which is not installed.",
            f'Install it with: pip install "nightflash[{present[0].extra}]".',
            code="networks_missing",
        )
    if candidates:
        raise NightFlashError(
            f"The {networks} network for {role} needs the file {candidates[0].file}, "
            f"which is not in {folder}.",
            "Copy it there, name the right folder with --weights, or choose --networks auto.",
            code="networks_missing",
        )
    raise NightFlashError(
        f"This version of NightFlash knows no {networks} network for {role} yet.",
        "Choose --networks auto, lite or builtin.",
        code="networks_missing",
    )


def _present(descriptor: NetworkDescriptor[Any], folder: Path) -> bool:
    return descriptor.file is None or (folder / descriptor.file).is_file()


def _runs(descriptor: NetworkDescriptor[Any]) -> bool:
    return descriptor.needs is None or find_spec(descriptor.needs) is not None


_loaded: dict[tuple[str, Path | None, str], Any] = {}
_loading = threading.Lock()


def load(descriptor: NetworkDescriptor[N], folder: Path, device: torch.device) -> N:
    """Read a network, or return it if this process has read it before.

    Args:
        descriptor: The network.
        folder: Of the weights.
        device: Where it shall run.

    Raises:
        NightFlashError: ``networks_missing`` without its file, ``networks_corrupt`` where the file
            is not the published one.
    """
    path = None if descriptor.file is None else (folder / descriptor.file).resolve()
    if path is not None:
        verify(descriptor, path)
    key = (descriptor.name, path, str(device))
    with _loading:
        if key not in _loaded:
            _loaded[key] = descriptor.load(path, device)
        network: N = _loaded[key]
    return network


def unload(device: torch.device) -> None:
    """Forget the networks read onto ``device``: their memory comes free with the last use."""
    with _loading:
        for key in [key for key in _loaded if key[2] == str(device)]:
            del _loaded[key]


def verify(descriptor: NetworkDescriptor[Any], path: Path) -> None:
    """Check that a weights file is the published one; free for a file already checked.

    Raises:
        NightFlashError: ``networks_missing`` or ``networks_corrupt``.
    """
    try:
        state = path.stat()
        published = state.st_size == descriptor.bytes and (
            _sha256(path, state.st_mtime_ns, state.st_size) == descriptor.sha256
        )
    except OSError as fault:
        raise NightFlashError(
            f"{path} cannot be read: {fault.strerror}.",
            "Copy it there, or name the right folder with --weights.",
            code="networks_missing",
        ) from fault
    if not published:
        raise NightFlashError(
            f"{path} is damaged (its sha256 is not the published one); "
            "delete it and copy it again.",
            code="networks_corrupt",
        )


@lru_cache(maxsize=64)
def _sha256(path: Path, modified: int, size: int) -> str:
    """Hash a file; its time of change and its size are there to tell one state from another."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
