"""Functions compiled by Numba.

Numba keeps what it compiled on disk beside the module and does not see there that a function in
another module has changed: a compiled function calls none but those of its own module. It is
imported where something is compiled and nowhere else, since it takes a fifth of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_HOW = {
    "error_model": "numpy",
    "fastmath": {"contract", "nsz", "arcp", "reassoc"},
    "nogil": True,  # threads can work side by side
}


def compiled(function: F) -> F:
    """The function in machine code, made when it is first called."""
    try:
        return cast(F, numba.njit(cache=True, **_HOW)(function))
    except RuntimeError:  # neither the module's folder nor the user's can be written
        return cast(F, numba.njit(**_HOW)(function))


def inlined(function: F) -> F:
    """A function of numbers that becomes part of the compiled functions which call it.

    Parts of arrays as arguments would cost more than most work.
    """
    return cast(F, numba.njit(inline="always", **_HOW)(function))
