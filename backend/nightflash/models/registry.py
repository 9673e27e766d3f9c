"""The networks known, and reading each of them once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from nightflash.errors import NightFlashError
from nightflash.models import (
    depth_anything,
    isnet,
    midas,
    random_features,
    rcnn,
    tcmonodepth,
    vgg19,
    yolox,
)
from nightflash.models.builtin import content_net, scene_net
from nightflash.models.descriptor import (
    N,
    NetworkDescriptor,
    NetworkSet,
    Role,
)
from nightflash.models.weights import verify

BEST_FIRST: tuple[NetworkSet, ...] = ("official", "lite", "builtin", "rules")
SHIPPED: tuple[NetworkSet, ...] = ("builtin", "rules")
"""Sets that need no download; behind our own networks stand rules that need no weights at all."""


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
            ValueError: Where its name or one of its files is taken; the registry stays as it was.
        """
        if descriptor.name in self._by_name:
            raise ValueError(f"a network named {descriptor.name} is registered already")
        taken = {name for other in self.values() for name in _file_names(other)}
        for name in _file_names(descriptor):
            if name in taken:
                raise ValueError(f"the file {name} belongs to another network already")
        self._by_name[descriptor.name] = descriptor

    def of(self, role: Role, network_set: NetworkSet) -> list[NetworkDescriptor[Any]]:
        """Return the networks of one role and set, most preferred first."""
        those = [d for d in self.values() if d.role == role and d.network_set == network_set]
        return sorted(those, key=lambda d: (d.automatic, d.preference), reverse=True)


def _file_names(descriptor: NetworkDescriptor[Any]) -> list[str]:
    return [name for file in descriptor.files for name in (file.name, *file.aliases)]


NETWORKS = Registry(
    (
        *depth_anything.DESCRIPTORS,
        *midas.DESCRIPTORS,
        isnet.ISNET,
        rcnn.MASK_RCNN,
        rcnn.FASTER_RCNN,
        vgg19.TORCHVISION,
        tcmonodepth.DESCRIPTOR,
        isnet.U2NETP,
        yolox.DESCRIPTOR,
        vgg19.DESCRIPTOR,
        scene_net.DEPTH,
        scene_net.SUBJECT,
        content_net.DESCRIPTOR,
        random_features.DESCRIPTOR,
    )
)


_loaded: dict[tuple[Callable[..., Any], Path | None, str], Any] = {}
_loading = threading.Lock()


def load(descriptor: NetworkDescriptor[N], folder: Path, device: torch.device) -> N:
    """Read a network, or return it if this process has read it before, if by another name.

    Args:
        descriptor: The network.
        folder: Of the weights.
        device: Where it shall run.

    Raises:
        NightFlashError: ``networks_missing`` without its file, ``networks_corrupt`` where the file
            is not the published one.
    """
    path = None
    if descriptor.files:
        file = descriptor.present(folder) or descriptor.files[0]
        verify(file, folder)
        path = (folder / file.name).resolve()
    key = (descriptor.load, path, str(device))
    with _loading:
        if key not in _loaded:
            try:
                _loaded[key] = descriptor.load(path, device)
            except OSError as fault:
                raise NightFlashError(
                    f"{path} cannot be read: {fault.strerror or fault}.",
                    "Let it be readable, or name another folder with --weights.",
                    code="networks_missing",
                ) from fault
        network: N = _loaded[key]
    return network


def unload(device: torch.device) -> None:
    """Forget the networks read onto ``device``: their memory comes free with the last use."""
    with _loading:
        for key in [key for key in _loaded if key[2] == str(device)]:
            del _loaded[key]
