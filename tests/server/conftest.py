"""A backend without networks for the tests of a module, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from nightflash.client.client import Client

from tests.command_line import pixels as photo_pixels
from tests.server.backend import Place, a_place


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with a_place() as place:
        yield place


@pytest.fixture
def client(place: Place) -> Iterator[Client]:
    with place.client() as client:
        yield client


@pytest.fixture
def day() -> npt.NDArray[np.uint8]:
    """A small photo, (64, 96, 3)."""
    return photo_pixels()
