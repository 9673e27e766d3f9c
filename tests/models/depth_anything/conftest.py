from __future__ import annotations

import pytest
from torch import Tensor

from tests.models.depth_anything.official import made_up_weights


@pytest.fixture(scope="session")
def official() -> dict[str, Tensor]:
    """The made-up weights, in the authors' names; not to be changed."""
    return made_up_weights()
