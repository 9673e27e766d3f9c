"""Which networks shall work: what the user wants, what is there, what the device bears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self, overload

from nightflash.errors import NightFlashError
from nightflash.models.descriptor import (
    DepthNetwork,
    Detector,
    FeatureNetwork,
    NetworkDescriptor,
    NetworkSet,
    Role,
    SubjectNetwork,
)
from nightflash.models.device import NO_GPU, Capacity
from nightflash.models.registry import BEST_FIRST, NETWORKS, SHIPPED, Registry

SHARE = 0.5  # of the device's memory for one network: three of them and a picture share it
STANDS_IN: Mapping[Role, Role] = {"subject": "detector", "detector": "subject"}
"""Who finds objects where a set has no network for a role."""


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
    role: Literal["subject"],
    choice: Choice,
    folder: Path,
    room: Capacity = ...,
    registry: Registry = ...,
) -> NetworkDescriptor[SubjectNetwork] | None: ...
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
        choice: What the user wants; ``auto`` is the best whose file is present and which ``room``
            suits.
        folder: Of the weights.
        room: What the device offers.
        registry: The networks to choose from.

    Returns:
        The network, or None where the rules of geometry and salience shall serve instead: where
        they are asked for, or as the last resort. None also where of the networks for the main
        object and for single objects the other one does it: the only one present of its set, or a
        detector named by the user.

    Raises:
        NightFlashError: ``networks_missing`` where the network or the set asked for cannot serve.
    """
    if role in choice.named:
        descriptor = registry[choice.named[role]]
        return _serving([descriptor], folder, f"network {descriptor.name}")
    if role == "subject" and "detector" in choice.named:
        return None
    if choice.network_set == "auto":
        return _best_present(role, folder, room, registry)
    if choice.network_set in SHIPPED:
        from_here = SHIPPED[SHIPPED.index(choice.network_set) :]
        return next((d for s in from_here for d in present(role, s, folder, registry)), None)
    return _of_set(role, choice.network_set, folder, room, registry)


def present(
    role: Role, network_set: NetworkSet, folder: Path, registry: Registry = NETWORKS
) -> list[NetworkDescriptor[Any]]:
    """The networks of a role and a set whose files are there, most preferred first."""
    return [d for d in registry.of(role, network_set) if _is_present(d, folder)]


def suits(descriptor: NetworkDescriptor[Any], room: Capacity) -> bool:
    """Whether ``auto`` may take a network on a device like ``room``."""
    return descriptor.automatic and fits(descriptor, room)


def fits(descriptor: NetworkDescriptor[Any], room: Capacity) -> bool:
    """Whether a device like ``room`` is quick and large enough for a network."""
    quick = room.gpu or not descriptor.for_gpu
    return quick and (room.memory is None or descriptor.memory <= SHARE * room.memory)


def _best_present(
    role: Role, folder: Path, room: Capacity, registry: Registry
) -> NetworkDescriptor[Any] | None:
    """The first that suits, of the best set that has one: for the main object also a detector's."""
    for network_set in BEST_FIRST:
        for descriptor in present(role, network_set, folder, registry):
            if suits(descriptor, room):
                return descriptor
        detectors = present("detector", network_set, folder, registry)
        if role == "subject" and any(suits(d, room) for d in detectors):
            return None
    return None


def _of_set(
    role: Role, network_set: NetworkSet, folder: Path, room: Capacity, registry: Registry
) -> NetworkDescriptor[Any] | None:
    """The best of a set that the user asks for, or None where another of that set stands in."""
    there = {one: present(one, network_set, folder, registry) for one in (role, *STANDS_IN)}
    if role in STANDS_IN and not there[role] and there[STANDS_IN[role]]:
        return None
    candidates = registry.of(role, network_set)
    if not candidates:
        raise NightFlashError(
            f"This version of NightFlash knows no {network_set} network for {role} yet.",
            "Choose --networks auto, lite or builtin.",
            code="networks_missing",
        )
    fitting = sorted(candidates, key=lambda d: suits(d, room), reverse=True)
    return _serving(fitting, folder, f"{network_set} network for {role}")


def _serving(
    candidates: list[NetworkDescriptor[Any]], folder: Path, words: str
) -> NetworkDescriptor[Any]:
    """The first of ``candidates`` that is present.

    Raises:
        NightFlashError: ``networks_missing`` where none is.
    """
    for descriptor in candidates:
        if _is_present(descriptor, folder):
            return descriptor
    first = candidates[0]
    if first.shipped is not None:
        raise NightFlashError(
            f"{first.shipped}, a part of NightFlash, is missing.",
            "Install NightFlash again.",
            code="networks_missing",
        )
    raise NightFlashError(
        f"The {words} needs the file {first.files[0].name}, which is not in {folder}.",
        f"Fetch it with 'nightflash models download {first.name}', name the right folder with"
        " --weights, or choose --networks auto.",
        code="networks_missing",
    )


def _is_present(descriptor: NetworkDescriptor[Any], folder: Path) -> bool:
    if descriptor.shipped is not None:
        return descriptor.shipped.is_file()
    return not descriptor.files or descriptor.present(folder) is not None
