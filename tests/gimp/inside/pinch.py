"""Two fingers on a canvas of the plug-in, as a touchpad tells of them: what they make of its scale.

For the system's own Python on a screen; its argument is the folder of the plug-in.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, Gtk  # noqa: E402

PLUGIN = Path(sys.argv[1])
sys.path[:0] = [str(PLUGIN), str(PLUGIN / "lib")]
from plugin.canvas import Canvas  # noqa: E402
from plugin.gestures import Gestures  # noqa: E402

SIZE = (480, 320)
AT = (200.0, 250.0)  # where on the canvas, in the middle of its height
PHASES = Gdk.TouchpadGesturePhase


def fingers(canvas: Canvas, phase: Any, scale: float) -> None:
    """An event of two fingers."""
    event = Gdk.Event.new(Gdk.EventType.TOUCHPAD_PINCH)
    pinch = event.touchpad_pinch
    pinch.window = canvas.area.get_bin_window()
    pinch.phase, pinch.n_fingers, pinch.scale = int(phase), 2, scale
    pinch.x, pinch.y = AT
    event.set_device(Gdk.Display.get_default().get_default_seat().get_pointer())
    Gtk.main_do_event(event)


def settled() -> None:
    """Have all done that waits."""
    while Gtk.events_pending():
        Gtk.main_iteration()


window = Gtk.Window()
window.set_default_size(600, 502)
canvas = Canvas(SIZE, lambda: None)
gestures = Gestures(canvas, Mock(), Mock())
window.add(canvas)
window.show_all()
settled()
before, under = canvas.placement.scale, canvas.placement.on_photo(*AT)
scales = []
for phase, scale in ((PHASES.BEGIN, 1.0), (PHASES.UPDATE, 2.0), (PHASES.UPDATE, 3.0)):
    fingers(canvas, phase, scale)
    settled()
    scales.append(canvas.placement.scale / before)
after = canvas.placement.on_photo(*AT)
fingers(canvas, PHASES.END, 3.0)
fingers(canvas, PHASES.BEGIN, 1.0)
fingers(canvas, PHASES.UPDATE, 0.5)
settled()
scales.append(canvas.placement.scale / before)
print(json.dumps({"scales": scales, "under": under, "after": after}))
