"""The measure of rims tells a rim from light that falls off smoothly."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.outline import rim
from tests.quality import Picture

H, W = 150, 200
ROWS, COLUMNS = np.mgrid[:H, :W].astype(np.float32)
AWAY = np.hypot(ROWS - 75, COLUMNS - 90) - 30
MASK: Picture = (AWAY < 0).astype(np.float32)
DAY: Picture = np.full((H, W, 3), 0.2, np.float32)


def lit(stops: Picture) -> Picture:
    night: Picture = (DAY * np.exp2(stops)[..., None]).astype(np.float32)
    return night


def test_a_slope_is_no_rim() -> None:
    found = rim(DAY, lit(0.03 * (ROWS - 60) - 0.02 * COLUMNS), MASK)
    assert found.worst < 0.1


@pytest.mark.parametrize("stops", [-1.5, -0.5, 0.5, 1.5])
def test_a_band_along_the_outline_is_one(stops: float) -> None:
    band = ((AWAY > 0) & (AWAY < 5)).astype(np.float32)
    found = rim(DAY, lit(stops * band - 0.02 * COLUMNS), MASK)
    assert found.signed == pytest.approx(stops, rel=0.15)
    assert found.median == pytest.approx(abs(stops), rel=0.15)


def test_what_lies_inside_does_not_count() -> None:
    plain, bright = (rim(DAY, lit(stops * MASK - 0.02 * COLUMNS), MASK) for stops in (0.0, 3.0))
    assert plain == bright
