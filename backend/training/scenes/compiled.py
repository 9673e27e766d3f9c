"""Functions compiled by Numba.

Numba keeps what it compiled on disk beside the module and does not see there that a function in
another module has changed: a compiled function calls none but those of its own module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function in machine code, made when it is first called."""
    fast = numba.njit(
        cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp", "reassoc"}
    )
    return cast(F, fast(function))
