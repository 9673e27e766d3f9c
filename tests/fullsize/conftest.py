"""The two ways to full size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from nightflash.fullsize import transfer as module
from nightflash.photo.pixels import LinearPixels

Ways = Callable[[bool], None]


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Choose the compiled way or the plain one, whatever the size of the picture."""

    def choose(fused: bool) -> None:
        monkeypatch.setattr(module, "_is_fused", lambda fitted, region: fused)

    return choose


def transferred(photo: npt.NDArray[np.float32], *rest: Any, **options: Any) -> npt.NDArray[Any]:
    """What ``transfer`` makes of linear light (H, W, 3)."""
    return module.transfer(LinearPixels(photo), *rest, **options).linear()
