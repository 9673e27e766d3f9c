"""The networks chosen for every role, depth in metres and that of the published method included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from nightflash.models.choice import Choice, choose, fits, present, suits
from nightflash.models.descriptor import (
    DepthNetwork,
    Detector,
    FeatureNetwork,
    NetworkDescriptor,
    Role,
    SubjectNetwork,
)
from nightflash.models.device import NO_GPU, Capacity
from nightflash.models.registry import NETWORKS, Registry

DepthNetworks = tuple[NetworkDescriptor[DepthNetwork], ...]


@dataclass(frozen=True)
class ChosenDepth:
    """The networks for depth, by the method that works with them; none where rules do it.

    Attributes:
        flash: One, or those for metric depth indoors and outdoors, of which the scene takes what
            fits.
        published: MiDaS where it is there and the user leaves the choice open.
        without_midas: Whether the choice is open and MiDaS is not there.
    """

    flash: DepthNetworks
    published: DepthNetworks
    without_midas: bool

    @classmethod
    def of(
        cls, choice: Choice, folder: Path, room: Capacity = NO_GPU, registry: Registry = NETWORKS
    ) -> Self:
        """Choose; see ``choose``."""
        one = choose("depth", choice, folder, room, registry)
        alone = () if one is None else (one,)
        if "depth" in choice.named or choice.network_set not in ("auto", "official"):
            return cls(alone, alone, without_midas=False)
        pair = _metric_pair(folder, room, registry)
        midas = _midas(choice, folder, room, registry)
        return cls(pair or alone, midas or alone, without_midas=not midas)


@dataclass(frozen=True)
class Chosen:
    """The networks that shall work, by their roles.

    Attributes:
        depth, features: See ``Role``.
        subject, detector: None where a rule or the other one of the two does it.
        lacking: Whether rules stand in though the user leaves the choice to NightFlash.
    """

    depth: ChosenDepth
    subject: NetworkDescriptor[SubjectNetwork] | None
    detector: NetworkDescriptor[Detector] | None
    features: NetworkDescriptor[FeatureNetwork]
    lacking: bool

    @classmethod
    def of(cls, choice: Choice, folder: Path, room: Capacity = NO_GPU) -> Self:
        """Choose for every role; see ``choose``."""
        depth = ChosenDepth.of(choice, folder, room)
        subject = choose("subject", choice, folder, room)
        detector = choose("detector", choice, folder, room)
        return cls(
            depth,
            subject,
            detector,
            choose("features", choice, folder, room),
            lacking=choice.network_set == "auto" and not (depth.flash and (subject or detector)),
        )

    @property
    def by_role(self) -> dict[Role, tuple[NetworkDescriptor[Any], ...]]:
        """Role to the networks that do it, none where a rule or another one does."""
        return {
            "depth": self.depth.flash,
            "subject": (self.subject,) if self.subject else (),
            "detector": (self.detector,) if self.detector else (),
            "features": (self.features,),
        }


def _midas(choice: Choice, folder: Path, room: Capacity, registry: Registry) -> DepthNetworks:
    """The best network that the published method works with, if one is there.

    Who asks for the set ``official`` gets one too large for the device where no other is there.
    """
    there = [d for d in present("depth", "official", folder, registry) if d.published_method]
    fitting = [d for d in there if suits(d, room)]
    if choice.network_set == "official":
        fitting = fitting or there
    return tuple(fitting[:1])


def _metric_pair(folder: Path, room: Capacity, registry: Registry) -> DepthNetworks:
    """The best networks for metric depth indoors and outdoors, or none where one is missing."""
    those = [d for d in present("depth", "official", folder, registry) if fits(d, room)]
    indoors = [d for d in those if d.metric == "indoors"]
    outdoors = [d for d in those if d.metric == "outdoors"]
    return (indoors[0], outdoors[0]) if indoors and outdoors else ()
