"""Presses keys and prints which widget has the focus after each, as JSON; null where it stayed.

Run like `widgets`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402
from widgets import described  # noqa: E402

SECONDS = 1.5  # for the focus to come
QUIET = 0.15  # seconds after which no more is told of it


def main() -> None:
    """Press the keys that the arguments name."""
    Atspi.init()
    heard: list[Any] = []

    def hear(event: Any) -> None:
        if event.detail1:
            heard.append(event.source)

    listener = Atspi.EventListener.new(hear)
    listener.register("object:state-changed:focused")
    context, focused = GLib.MainContext.default(), []

    def listen(seconds: float) -> bool:
        """Whether something is heard before so many seconds have passed."""
        known, end = len(heard), time.monotonic() + seconds
        while time.monotonic() < end and len(heard) == known:
            while context.pending():
                context.iteration(False)
            time.sleep(0.01)
        return len(heard) > known

    for key in sys.argv[1:]:
        heard.clear()
        subprocess.run(["xdotool", "key", key], check=True)
        if listen(SECONDS):
            while listen(QUIET):  # the focus may pass others on its way
                pass
        focused.append(described(heard[-1], "") if heard else None)
    print(json.dumps(focused))


main()
