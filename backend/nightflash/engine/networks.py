"""The networks of an engine: chosen when it is made, read when they are first needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from nightflash.engine.finder import Finder
from nightflash.models import registry
from nightflash.models.choice import Choice
from nightflash.models.chosen import Chosen, DepthNetworks
from nightflash.models.descriptor import Detector, FeatureNetwork, SubjectNetwork
from nightflash.models.device import bfloat16_is_fast, capacity
from nightflash.models.recommendation import recommended_for_published_method
from nightflash.scene import DepthSource, Scene


@dataclass
class Loaded:
    """The networks that work, read; those for the main object are the finder's.

    Attributes:
        depth, detector: What sees the photo.
        read_features: Reads what the refinement needs.
    """

    depth: tuple[DepthSource, ...]
    detector: Detector | None
    read_features: Callable[[], FeatureNetwork]

    @cached_property
    def features(self) -> FeatureNetwork:
        """The network of the refinement, read when it is first needed."""
        return self.read_features()


class Networks:
    """Which networks do what, and they themselves.

    Args:
        choice: What the user wants.
        folder: Of network files.
        device: Where they run.

    Attributes:
        names: Role to name of the network or rule chosen, for depth by the method ``flash``.
        finder: Has the network for the main object; None where another way finds that.
        device, folder: As given.

    Raises:
        NightFlashError: ``networks_missing``.
    """

    def __init__(self, choice: Choice, folder: Path, device: torch.device) -> None:
        self.folder, self.device = folder, device
        room = capacity(device)
        self._chosen = Chosen.of(choice, folder, room)
        subject = self._chosen.subject
        self.finder = Finder(subject, folder, device) if subject else None
        finds = subject or self._chosen.detector
        self.names = {
            "depth": "geometry",
            "subject": finds.name if finds else "salience",
        }
        for role, networks in self._chosen.by_role.items():
            if networks:
                self.names[role] = " or ".join(network.name for network in networks)
        self._missing = self._without_midas = ""
        if self._chosen.lacking:
            self._missing = (
                f"Networks that suit this device are missing in {folder}: rules of thumb stand in,"
                " and the result is better with them. `nightflash models download` or, in GIMP, the"
                " filter's button Backend… fetches them."
            )
        if self._chosen.depth.without_midas:
            best = recommended_for_published_method(room)
            self._without_midas = (
                "The published method works with depth by MiDaS, and no network of MiDaS that"
                f" suits this device is in {folder}, so another took its place:"
                f" 'nightflash models download {best.name}' fetches one."
            )
        self._loaded: Loaded | None = None

    def load(self) -> Loaded:
        """Read the networks that see the photo, or return them if they are there.

        Raises:
            NightFlashError: A file is missing or damaged.
        """
        if self._loaded is None:
            if self.finder is not None:
                self.finder.load()
            detector = self._chosen.detector
            self._loaded = Loaded(
                self._sources(self._chosen.depth.flash),
                registry.load(detector, self.folder, self.device) if detector else None,
                self._read_features,
            )
        return self._loaded

    def _read_features(self) -> FeatureNetwork:
        network = registry.load(self._chosen.features, self.folder, self.device)
        return network.in_precision(torch.bfloat16) if bfloat16_is_fast(self.device) else network

    def subject(self) -> SubjectNetwork | None:
        """The network for the main object, read; None where another way finds that."""
        chosen = self._chosen.subject
        return registry.load(chosen, self.folder, self.device) if chosen else None

    def release(self) -> None:
        """Give their memory back; the next use reads them again."""
        self._loaded = None
        if self.finder is not None:
            self.finder.release()
        registry.unload(self.device)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def depth_of(self, method: str) -> tuple[str, ...]:
        """Names of the networks for depth of a method; none where rules do it."""
        return tuple(network.name for network in self._depth_by(method))

    def depth_sources(self, method: str) -> tuple[DepthSource, ...]:
        """The networks for depth of a method, read."""
        chosen = self._depth_by(method)
        return self.load().depth if chosen == self._chosen.depth.flash else self._sources(chosen)

    def notes(self, scene: Scene, method: str) -> tuple[str, ...]:
        """Sentences for the user about what ``scene`` was made with, for a method."""
        without_midas = self._without_midas if method == "published" else ""
        return tuple(note for note in (scene.note, self._missing, without_midas) if note)

    def _depth_by(self, method: str) -> DepthNetworks:
        return self._chosen.depth.published if method == "published" else self._chosen.depth.flash

    def _sources(self, networks: DepthNetworks) -> tuple[DepthSource, ...]:
        return tuple(
            DepthSource(one.name, registry.load(one, self.folder, self.device), one.metric)
            for one in networks
        )
