"""Recipes that make the networks shipped with NightFlash: ``python -m training``."""

import os

from nightflash.cli import WAITING

os.environ.update(WAITING | os.environ)  # before torch is imported
