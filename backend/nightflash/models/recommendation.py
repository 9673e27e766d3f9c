"""Which networks a set-up fetches: for every role the one that would be taken, were all present."""

from __future__ import annotations

from typing import Any, Literal

from nightflash.models.choice import suits
from nightflash.models.descriptor import DepthNetwork, NetworkDescriptor, NetworkSet
from nightflash.models.device import Capacity
from nightflash.models.registry import BEST_FIRST, NETWORKS, Registry


def recommended(
    network_set: Literal["auto"] | NetworkSet, room: Capacity, registry: Registry = NETWORKS
) -> list[NetworkDescriptor[Any]]:
    """Return for every role the network of a set that would be taken, were all present.

    Args:
        network_set: The set, whose networks are returned even where ``room`` suits none for the
            role; ``auto`` takes the best set that has a network for the role that it suits.
        room: What the device offers.
        registry: The networks to choose from.
    """
    sets = BEST_FIRST if network_set == "auto" else (network_set,)
    best: dict[str, NetworkDescriptor[Any]] = {}
    for one in sets:
        for role in {descriptor.role: None for descriptor in registry.values()}:
            known = [d for d in registry.of(role, one) if d.automatic]
            fitting = [d for d in known if suits(d, room)]
            if network_set != "auto":
                fitting = fitting or known
            if fitting:
                best.setdefault(role, fitting[0])
    return list(best.values())


def recommended_for_published_method(
    room: Capacity, registry: Registry = NETWORKS
) -> NetworkDescriptor[DepthNetwork]:
    """The network for depth that a user of the published method had best fetch."""
    those = (d for d in registry.of("depth", "official") if d.published_method)
    return next(d for d in those if suits(d, room) or not d.for_gpu)
