from __future__ import annotations

import pytest
from torch import Tensor

from tests.models.midas.official import made_up_weights


@pytest.fixture(scope="session")
def small() -> dict[str, Tensor]:
    """The made-up weights of midas_v21_small_256; not to be changed."""
    return made_up_weights("midas_v21_small_256")
