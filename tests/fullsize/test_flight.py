"""Strips on their way to a device and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from nightflash.fullsize.flight import landed, sent

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_all_come_back_in_order_and_whole(device: str, count: int) -> None:
    photo = np.random.default_rng(1).random((16 * count + 1, 40, 3), np.float32)
    order: list[str] = []

    def made() -> object:
        for number in range(count):
            rows = slice(16 * number, 16 * (number + 1))
            order.append(f"made {number}")
            yield rows, 2 * sent(photo[rows], torch.device(device)).permute(2, 0, 1)

    for rows, strip in landed(made()):  # type: ignore[arg-type]
        order.append(f"landed {rows.start // 16}")
        np.testing.assert_array_equal(np.moveaxis(strip, 0, -1), 2 * photo[rows])
    assert sorted(order) == sorted(f"{w} {n}" for w in ("made", "landed") for n in range(count))
    if count > 1:  # the device is never left without work
        assert order[:3] == ["made 0", "made 1", "landed 0"]
