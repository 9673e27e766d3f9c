"""The networks known, which of them to take, and reading them once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self, overload

import torch

from nightflash.device import NO_GPU, Capacity
from nightflash.errors import NightFlashError
from nightflash.models import midas, random_features, rcnn, tcmonodepth, vgg19, yolox
from nightflash.models.builtin import content_net, scene_net
from nightflash.models.descriptor import (
    DepthNetwork,
    Detector,
    FeatureNetwork,
    N,
    NetworkDescriptor,
    NetworkSet,
    Role,
)
from nightflash.models.weights import verify

SHARE = 0.5  # of the device's memory for one network: three of them and a picture share it
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
        *midas.DESCRIPTORS,
        rcnn.MASK_RCNN,
        rcnn.FASTER_RCNN,
        vgg19.TORCHVISION,
        tcmonodepth.DESCRIPTOR,
        yolox.DESCRIPTOR,
        vgg19.DESCRIPTOR,
        scene_net.DEPTH,
        scene_net.SUBJECT,
        content_net.DESCRIPTOR,
        random_features.DESCRIPTOR,
    )
)


@dataclass(frozen=True)
class Choice:
    """Which networks shall work: for every role the one named, else the best of a set.

    Attributes:
        network_set: The set they must come from, or ``auto`` for the best that are present.
        named: Role to the name of the network that shall do it.
    """

    network_set: Literal["auto"] | NetworkSet
    named: Mapping[Role, str]

    @classmethod
    def of(cls, words: str, registry: Registry = NETWORKS) -> Self:
        """Read words as a user gives them, such as ``lite`` or ``auto,midas_v21_384``.

        Args:
            words: Sets and networks, separated by commas; ``auto`` where no set is named.
            registry: The networks known.

        Raises:
            NightFlashError: ``bad_setting`` for an unknown word, two sets, or two networks for one
                role.
        """
        sets: list[Literal["auto"] | NetworkSet] = []
        named: dict[Role, str] = {}
        for word in filter(None, (part.strip() for part in words.split(","))):
            if word == "auto":
                sets.append("auto")
            elif word in BEST_FIRST:
                sets += [name for name in BEST_FIRST if name == word]
            elif word not in registry:
                near = get_close_matches(word, [*BEST_FIRST, *registry], n=1)
                raise NightFlashError(
                    f"There is no set of networks and no network named {word!r}.",
                    f"Did you mean {near[0]!r}?" if near else "See: nightflash models list",
                    code="bad_setting",
                )
            elif (role := registry[word].role) in named:
                raise NightFlashError(
                    f"{named[role]} and {word} are both for {role}; name one of them.",
                    code="bad_setting",
                )
            else:
                named[role] = word
        if len(sets) > 1:
            raise NightFlashError(
                f"Of the sets {' and '.join(sets)} only one can be chosen.", code="bad_setting"
            )
        return cls(sets[0] if sets else "auto", named)


@overload
def choose(
    role: Literal["depth"],
    choice: Choice,
    folder: Path,
    room: Capacity = ...,
    registry: Registry = ...,
) -> NetworkDescriptor[DepthNetwork] | None: ...
@overload
def choose(
    role: Literal["detector"],
    choice: Choice,
    folder: Path,
    room: Capacity = ...,
    registry: Registry = ...,
) -> NetworkDescriptor[Detector] | None: ...
@overload
def choose(
    role: Literal["features"],
    choice: Choice,
    folder: Path,
    room: Capacity = ...,
    registry: Registry = ...,
) -> NetworkDescriptor[FeatureNetwork]: ...
def choose(
    role: Role,
    choice: Choice,
    folder: Path,
    room: Capacity = NO_GPU,
    registry: Registry = NETWORKS,
) -> NetworkDescriptor[Any] | None:
    """Choose the network for a role.

    Args:
        role: What it is for.
        choice: What the user wants; ``auto`` is the best whose file is present, whose package is
            installed, and which ``room`` suits.
        folder: Of the weights.
        room: What the device offers.
        registry: The networks to choose from.

    Returns:
        The network, or None where the rules of geometry and salience shall serve instead: where
        they are asked for, or as the last resort.

    Raises:
        NightFlashError: ``networks_missing`` where the network or the set asked for cannot serve.
    """
    if role in choice.named:
        descriptor = registry[choice.named[role]]
        return _serving([descriptor], folder, f"network {descriptor.name}")
    if choice.network_set == "auto":
        for network_set in BEST_FIRST:
            for descriptor in registry.of(role, network_set):
                if suits(descriptor, room) and _present(descriptor, folder) and _runs(descriptor):
                    return descriptor
        return None
    if choice.network_set in SHIPPED:
        from_here = SHIPPED[SHIPPED.index(choice.network_set) :]
        shipped = [d for network_set in from_here for d in registry.of(role, network_set)]
        return next((d for d in shipped if _present(d, folder) and _runs(d)), None)
    candidates = registry.of(role, choice.network_set)
    if not candidates:
        raise NightFlashError(
            f"This version of NightFlash knows no {choice.network_set} network for {role} yet.",
            "Choose --networks auto, lite or builtin.",
            code="networks_missing",
        )
    fitting = sorted(candidates, key=lambda d: suits(d, room), reverse=True)
    return _serving(fitting, folder, f"{choice.network_set} network for {role}")


def suits(descriptor: NetworkDescriptor[Any], room: Capacity) -> bool:
    """Whether ``auto`` may take a network on a device like ``room``."""
    return (
        descriptor.automatic
        and (room.gpu or not descriptor.for_gpu)
        and (room.memory is None or descriptor.memory <= SHARE * room.memory)
    )


def _serving(
    candidates: list[NetworkDescriptor[Any]], folder: Path, words: str
) -> NetworkDescriptor[Any]:
    """The first of ``candidates`` that is present and runs, else the reason why none serves."""
    present = [descriptor for descriptor in candidates if _present(descriptor, folder)]
    for descriptor in present:
        if _runs(descriptor):
            return descriptor
    if present:
        raise NightFlashError(
            f"{present[0].title} needs the Python package {present[0].needs}, "
            "which is not installed.",
            f'Install it with: pip install "nightflash[{present[0].extra}]".',
            code="networks_missing",
        )
    first = candidates[0]
    raise NightFlashError(
        f"The {words} needs the file {first.files[0].name}, which is not in {folder}.",
        f"Fetch it with 'nightflash models download {first.name}', name the right folder with"
        " --weights, or choose --networks auto.",
        code="networks_missing",
    )


def _present(descriptor: NetworkDescriptor[Any], folder: Path) -> bool:
    if descriptor.shipped is not None:
        return descriptor.shipped.is_file()
    return not descriptor.files or descriptor.present(folder) is not None


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
    path = None
    if descriptor.files:
        file = descriptor.present(folder) or descriptor.files[0]
        verify(file, folder)
        path = (folder / file.name).resolve()
    key = (descriptor.name, path, str(device))
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
