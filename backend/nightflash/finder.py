"""Who finds the main object: the network chosen, or a quick one as long as that one still looks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from nightflash.memory import memory_told
from nightflash.models import registry
from nightflash.models.choice import Choice, choose
from nightflash.models.descriptor import MainObject, NetworkDescriptor, SubjectNetwork

PATIENCE = 0.05  # seconds between two questions whether the work shall be stopped


@dataclass
class Look:
    """One photo that is looked at, and what was found in it so far.

    Attributes:
        encoded: (3, h, w) encoded sRGB 0..1.
    """

    encoded: Tensor
    glance: MainObject | None = field(default=None, init=False)
    looking: Future[MainObject] | None = field(default=None, init=False)


class Finder:
    """Finds main objects, for one thread; a slow network works in another one.

    Args:
        chosen: The network that shall find them.
        folder: Of the weights.
        device: Where it runs.
    """

    def __init__(
        self, chosen: NetworkDescriptor[SubjectNetwork], folder: Path, device: torch.device
    ) -> None:
        self._chosen, self._folder, self._device = chosen, folder, device
        self._quick: NetworkDescriptor[SubjectNetwork] | None = chosen
        if chosen.slow:
            self._quick = choose("subject", Choice.of("builtin"), folder)
        self._aside = ThreadPoolExecutor(1, "main-object")

    def load(self) -> None:
        """Read the network that answers first.

        Raises:
            NightFlashError: Its file is missing or damaged.
        """
        if self._quick is not None:
            registry.load(self._quick, self._folder, self._device)

    def glance(self, look: Look) -> tuple[MainObject | None, bool]:
        """What is known of the main object without waiting for a slow network.

        Returns:
            What it is taken for, None where only the slow network can tell; whether that network
            has yet to say, for which `start` lets it look.

        Raises:
            NightFlashError: A network's file is missing or damaged.
        """
        if look.looking is not None and look.looking.done():
            return look.looking.result(), False
        if look.glance is None and self._quick is not None:
            network = registry.load(self._quick, self._folder, self._device)
            look.glance = network.main_object(look.encoded)
        return look.glance, self._chosen.slow

    def find(self, look: Look, checkpoint: Callable[[], None]) -> MainObject | None:
        """What the network chosen takes for the main object, however long it looks.

        Args:
            look: The photo.
            checkpoint: Called while a slow network looks; it stops the waiting by raising.

        Raises:
            NightFlashError: The network's file is missing or damaged.
        """
        if not self._chosen.slow:
            return self.glance(look)[0]
        looking = self.start(look)
        while not looking.done():
            checkpoint()
            wait([looking], PATIENCE)
        return looking.result()

    def start(self, look: Look) -> Future[MainObject]:
        """Let the network chosen look, if it does not already."""
        if look.looking is None:
            look.looking = self._aside.submit(self._thoroughly, look.encoded)
        return look.looking

    @memory_told()
    def _thoroughly(self, encoded: Tensor) -> MainObject:
        return registry.load(self._chosen, self._folder, self._device).main_object(encoded)
