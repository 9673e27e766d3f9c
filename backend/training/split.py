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

SHARES: dict[Share, str] = {"look": "01234", "network": "56789", "light": "abcdef"}
"""First hexadecimal digits of the sha256 of a photo's file name, suffix included, of each share."""


def share_of(name: str) -> Share:
    """The share of a photo of ``training/apart``, by its file name without a folder."""
    digit = hashlib.sha256(name.encode()).hexdigest()[0]
    return next(share for share, digits in SHARES.items() if digit in digits)
