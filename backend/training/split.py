"""Which photo may be used for what: split once, before anything is trained, by its name alone.

The photos of the folder ``training/open`` are trained on, but for those of `lists/no_object.txt`;
those of ``training/apart`` never are. They are shared out for judging:

- ``look``: at any time, also while choosing,
- ``network``: opened once, when the network of the main object is finished,
- ``light``: opened once, when the light is finished.
"""

from __future__ import annotations

import hashlib
from typing import Literal

Share = Literal["look", "network", "light"]

SHARES: dict[str, Share] = (
    dict.fromkeys("01234", "look")
    | dict.fromkeys("56789", "network")
    | dict.fromkeys("abcdef", "light")
)
"""First hexadecimal digit of the sha256 of a photo's file name, suffix included, to its share."""


def share_of(name: str) -> Share:
    """The share of a photo of ``training/apart``, by its file name without a folder."""
    return SHARES[hashlib.sha256(name.encode()).hexdigest()[0]]
