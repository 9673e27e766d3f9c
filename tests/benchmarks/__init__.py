"""How long things take, measured side by side."""

import os

from nightflash.cli import WAITING

os.environ.update(WAITING | os.environ)  # before torch is imported
