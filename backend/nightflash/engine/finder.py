"""Who finds the main object: the network chosen, or a quick one as long as that one still looks."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nightflash.engine.memory import explained_memory_errors
from nightflash.errors import NightFlashError
from nightflash.models import registry
from nightflash.models.choice import Choice, choose
from nightflash.models.descriptor import MainObject, NetworkDescriptor, SubjectNetwork

log = logging.getLogger(__name__)

PATIENCE = 0.05  # seconds between two questions whether the work shall be stopped
MOST_LOOKS = 8  # photos of which it is remembered what was found in them


@dataclass
class _Look:
    """What was found in one photo so far."""

    glance: MainObject | None = None
    looking: Future[MainObject] | None = None


class Finder:
    """Finds main objects, for one thread; a slow network works in another one.

    Photos are known by a key; what was found in the last few is remembered.

    Args:
        chosen: The network that shall find them.
        folder: Of the weights.
        device: Where it runs.
    """

    def __init__(
        self, chosen: NetworkDescriptor[SubjectNetwork], folder: Path, device: torch.device
    ) -> None:
        self._chosen, self._folder, self._device = chosen, folder, device
        self._first: NetworkDescriptor[SubjectNetwork] | None = chosen
        if chosen.slow:
            self._first = choose("subject", Choice.of("builtin"), folder)
        self._quick: SubjectNetwork | None = None
        self._looks: OrderedDict[object, _Look] = OrderedDict()
        self._aside = ThreadPoolExecutor(1, "main-object")

    def load(self) -> None:
        """Read the network that answers first.

        Raises:
            NightFlashError: Its file is missing or damaged.
        """
        if self._quick is None and self._first is not None:
            self._quick = registry.load(self._first, self._folder, self._device)

    def quick(self) -> SubjectNetwork | None:
        """The network that answers first; None where there is only a slow one.

        Raises:
            NightFlashError: Its file is missing or damaged.
        """
        self.load()
        return self._quick

    def release(self) -> None:
        """Forget networks and photos; no look begins any more that was asked for before."""
        for look in self._looks.values():
            if look.looking is not None:
                look.looking.cancel()
        self._looks.clear()
        self._quick = None

    def glance(self, key: object, encoded: Tensor) -> tuple[MainObject | None, bool]:
        """What is known of the main object of a photo without waiting for a slow network.

        Args:
            key: Of the photo.
            encoded: (3, h, w) encoded sRGB 0..1.

        Returns:
            What it is taken for, None where only the slow network can say; whether that network
            has yet to say, for which `start` lets it look.

        Raises:
            NightFlashError: A network's file is missing or damaged.
        """
        look = self._look(key)
        if look.looking is not None and look.looking.done():
            return self._found(look, encoded), False
        return self._at_a_glance(look, encoded), self._chosen.slow

    def find(
        self, key: object, encoded: Tensor, checkpoint: Callable[[], None]
    ) -> MainObject | None:
        """What the network chosen takes for the main object, however long it looks.

        Args:
            key, encoded: See `glance`.
            checkpoint: Called while a slow network looks; it stops the waiting by raising.

        Raises:
            NightFlashError: The network's file is missing or damaged.
        """
        look = self._look(key)
        if not self._chosen.slow:
            return self._at_a_glance(look, encoded)
        looking = self.start(key, encoded)
        while not looking.done():
            checkpoint()
            wait([looking], PATIENCE)
        return self._found(look, encoded)

    def start(self, key: object, encoded: Tensor) -> Future[MainObject]:
        """Let the network chosen look at a photo, if it does not already, before any other."""
        look = self._look(key)
        for other in self._looks.values():
            if other is not look and other.looking is not None:
                other.looking.cancel()  # where it has not begun
        if look.looking is None or look.looking.cancelled():
            look.looking = self._aside.submit(self._thoroughly, encoded)
        return look.looking

    def _look(self, key: object) -> _Look:
        look = self._looks.setdefault(key, _Look())
        self._looks.move_to_end(key)
        while len(self._looks) > MOST_LOOKS:
            _, old = self._looks.popitem(last=False)
            if old.looking is not None:
                old.looking.cancel()
        if look.looking is not None and look.looking.cancelled():
            look.looking = None
        return look

    def _at_a_glance(self, look: _Look, encoded: Tensor) -> MainObject | None:
        if look.glance is None:
            quick = self.quick()
            if quick is not None:
                look.glance = quick.main_object(encoded)
        return look.glance

    def _found(self, look: _Look, encoded: Tensor) -> MainObject | None:
        """The outcome of a look that has ended; the quick network's where memory was short."""
        assert look.looking is not None
        try:
            return look.looking.result()
        except NightFlashError as fault:
            if fault.code == "no_memory":
                log.warning("no memory for %s, taking a smaller network", self._chosen.name)
                return self._at_a_glance(look, encoded)
            look.looking = None  # the cause may be gone at the next try
            raise

    @explained_memory_errors()
    def _thoroughly(self, encoded: Tensor) -> MainObject:
        return registry.load(self._chosen, self._folder, self._device).main_object(encoded)
