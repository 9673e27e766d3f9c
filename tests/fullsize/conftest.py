"""The two ways to full size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from nightflash.fullsize import transfer as module

Ways = Callable[[bool], None]


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Choose the compiled way or the plain one, whatever the size of the picture."""

    def choose(fused: bool) -> None:
        monkeypatch.setattr(module, "_is_fused", lambda fitted, region: fused)

    return choose
