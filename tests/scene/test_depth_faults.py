"""A depth network that fails."""

from __future__ import annotations

import pytest
import torch
from nightflash import NightFlashError
from nightflash.scene import survey
from torch import Tensor


class Broken:
    """A depth network with weights that overflow."""

    def inverse_depth(self, rgb: Tensor) -> Tensor:
        depth = torch.ones(12, 16)
        depth[3, 4] = torch.inf
        return depth


def test_depth_that_is_no_number_is_a_fault_in_words() -> None:
    with pytest.raises(NightFlashError, match="no numbers") as caught:
        survey(torch.rand(3, 24, 32), Broken(), None, "broken")
    assert caught.value.code == "networks_corrupt"
