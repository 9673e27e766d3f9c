"""A depth network that fails."""

from __future__ import annotations

import pytest
import torch
from nightflash import NightFlashError
from nightflash.models.descriptor import Place
from nightflash.scene import DepthSource, survey
from torch import Tensor


class Broken:
    """A depth network with weights that overflow."""

    def inverse_depth(self, rgb: Tensor) -> Tensor:
        depth = torch.ones(12, 16)
        depth[3, 4] = torch.inf
        return depth


@pytest.mark.parametrize("metric", [None, "indoors"])
def test_depth_that_is_no_number_is_a_fault_in_words(metric: Place | None) -> None:
    with pytest.raises(NightFlashError, match="no numbers") as caught:
        survey(torch.rand(3, 24, 32), [DepthSource("broken", Broken(), metric)], None)
    assert caught.value.code == "networks_corrupt"
