"""Does what each line of JSON says, on the screen whose environment it has; answers with one.

``{"run": [WORDS]}`` is answered with what that program prints, empty where it fails;
``{"widgets": TITLE}`` with the widgets in windows that have it in their titles. One process that
stays is many times quicker than one for each look.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from widgets import widgets

SECONDS = 60  # for a program


def done(wish: dict[str, Any]) -> Any:
    """The answer to one line."""
    if "widgets" in wish:
        return widgets(wish["widgets"])
    ended = subprocess.run(wish["run"], capture_output=True, text=True, timeout=SECONDS)
    return ended.stdout if ended.returncode == 0 else ""


for line in sys.stdin:
    print(json.dumps(done(json.loads(line))), flush=True)
