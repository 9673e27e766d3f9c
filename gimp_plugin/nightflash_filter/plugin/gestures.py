"""How the canvas is worked with: wheel, pinch, drags, clicks and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, Gtk  # noqa: E402

from plugin.canvas import Canvas, modifier  # noqa: E402
from plugin.corrections import Corrections  # noqa: E402
from plugin.history import History  # noqa: E402

STEP = 10  # pixels of the screen that an arrow key moves the mark; 1 with Ctrl or Shift
NOTCH = 1.25  # by which a notch of the wheel, or a key, zooms
HOLD = 6  # pixels beside the line of the split view by which it is held
SLIP = 5  # pixels that a click may move; beyond, it is a drag
ARROWS = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}
AIMS = ("Return", "KP_Enter", "ISO_Enter")
ZOOMS = {
    "plus": NOTCH,
    "KP_Add": NOTCH,
    "equal": NOTCH,
    "minus": 1 / NOTCH,
    "KP_Subtract": 1 / NOTCH,
}
ACTUAL, FIT, BEFORE = ("1", "KP_1"), ("0", "KP_0", "f"), ("b", "B")
SIZES = {"bracketleft": False, "bracketright": True}  # of the brush: whether larger
LEFT, MIDDLE = 1, 2
UNDO, REDO = "z", ("y", "Y", "Z")  # with Control


class Gestures:
    """Zooms, pans and aims.

    Args:
        canvas: What is worked with.
        corrections: What clicks, strokes and keys at the outline change.
        history: What keys take back and do again.
    """

    def __init__(self, canvas: Canvas, corrections: Corrections, history: History) -> None:
        self._canvas, self._corrections, self._history = canvas, corrections, history
        self._space = False  # whether the key is held
        self._drag = ""  # what is dragged: ``photo``, ``line``, ``brush``, or a ``click`` by now
        self._click: Any = None  # the event that began it
        self._at = (0.0, 0.0)  # the pointer
        self._inside = False  # whether it is over the canvas
        self._switches: Mapping[str, Any] = {}
        self._pinched = 1.0  # scale at which a pinch began
        self._area = area = canvas.area
        events = Gdk.EventMask
        area.add_events(
            events.BUTTON_PRESS_MASK
            | events.BUTTON_RELEASE_MASK
            | events.POINTER_MOTION_MASK
            | events.ENTER_NOTIFY_MASK
            | events.LEAVE_NOTIFY_MASK
            | events.SCROLL_MASK
            | events.SMOOTH_SCROLL_MASK
            | events.TOUCH_MASK
            | events.TOUCHPAD_GESTURE_MASK
            | events.KEY_PRESS_MASK
        )
        area.connect("button-press-event", self._pressed)
        area.connect("button-release-event", self._released)
        area.connect("motion-notify-event", self._pointed)
        area.connect("enter-notify-event", self._crossed, True)
        area.connect("leave-notify-event", self._crossed, False)
        area.connect("scroll-event", self._scrolled)
        area.connect("key-press-event", self._typed)
        self._pinch = Gtk.GestureZoom.new(area)
        self._pinch.connect("begin", lambda *_event: self._pinch_begun())
        self._pinch.connect("scale-changed", self._pinch_changed)

    def listen(self, window: Any, switches: Mapping[str, Any]) -> None:
        """Take keys of the picture wherever in a window the focus is, but where text is typed.

        Args:
            window: The window.
            switches: Toggle buttons by the letters that switch them.
        """
        self._switches = switches
        window.connect("key-press-event", self._key, True)
        window.connect("key-release-event", self._key, False)

    def zoom(self, scale: float | None) -> None:
        """Zoom at the pointer, else at the mark where that is seen; None fits the photo in."""
        if scale is None:
            self._canvas.place(None)
            return
        room, at = self._canvas.room, self._at
        if not self._inside:
            at = self._canvas.placement.on_canvas(*self._canvas.mark)
            if not (0 <= at[0] < room[0] and 0 <= at[1] < room[1]):
                at = room[0] / 2, room[1] / 2
        self._canvas.place(self._canvas.placement.zoomed(scale, at))

    def _pressed(self, area: Any, event: Any) -> bool:
        area.grab_focus()
        self._at = event.x, event.y
        if event.type != Gdk.EventType.BUTTON_PRESS:
            return True
        if event.button == MIDDLE or (event.button == LEFT and self._space):
            self._drag = "photo"
        elif event.button == LEFT and self._on_line(event.x):
            self._drag = "line"
        elif event.button == LEFT:
            x, y = self._canvas.placement.on_photo(event.x, event.y)
            if self._canvas.brush:
                self._drag = "brush"
                self._corrections.begin((x, y), not modifier(event, "Control"))
            elif 0 <= x < self._canvas.size[0] and 0 <= y < self._canvas.size[1]:
                self._drag, self._click = "click", event.copy()
        self._show_pointer()
        return True

    def _point(self, event: Any) -> None:
        """Aim at the mark; with Shift add what is there, with Control remove it."""
        if self._canvas.brush:  # by a key
            self._corrections.begin(self._canvas.mark, not modifier(event, "Control"))
            self._corrections.finish()
        elif modifier(event, "Control", "Shift"):
            self._corrections.click(self._canvas.mark, not modifier(event, "Control"))
        else:
            self._corrections.aim(self._canvas.mark)

    def _released(self, _area: Any, _event: Any) -> bool:
        if self._drag == "brush":
            self._corrections.finish()
        elif self._drag == "click":
            self._canvas.set_mark(self._canvas.placement.on_photo(self._click.x, self._click.y))
            self._point(self._click)
        self._drag = ""
        self._show_pointer()
        return True

    def _pointed(self, _area: Any, event: Any) -> bool:
        across, down = event.x - self._at[0], event.y - self._at[1]
        if self._drag == "click" and self._slipped(event):
            self._drag = "photo"
            across, down = event.x - self._click.x, event.y - self._click.y
            self._show_pointer()
        self._at = self._canvas.pointer = event.x, event.y
        if self._canvas.brush:
            self._canvas.draw_soon()
        if self._drag == "brush":
            self._corrections.paint(self._canvas.placement.on_photo(event.x, event.y))
        elif self._drag == "photo":
            self._canvas.place(self._canvas.placement.moved(across, down))
        elif self._drag == "line":
            self._canvas.split = min(max(event.x / self._canvas.room[0], 0.0), 1.0)
            self._canvas.draw_soon()
        else:
            self._show_pointer()
        return True

    def _slipped(self, event: Any) -> bool:
        across: float
        down: float
        across, down = event.x - self._click.x, event.y - self._click.y
        return abs(across) > SLIP or abs(down) > SLIP

    def _crossed(self, _area: Any, event: Any, inside: bool) -> bool:
        self._inside, self._at = inside, (event.x, event.y)
        self._canvas.pointer = self._at if inside else None
        if self._canvas.brush:
            self._canvas.draw_soon()
        return False

    def _on_line(self, x: float) -> bool:
        split = self._canvas.split
        return split is not None and abs(x - split * self._canvas.room[0]) <= HOLD

    def _show_pointer(self) -> None:
        window = self._area.get_bin_window()
        if window is None:
            return
        name = "default"
        if self._drag == "photo":
            name = "grabbing"
        elif self._space:
            name = "grab"
        elif self._drag == "line" or self._on_line(self._at[0]):
            name = "col-resize"
        window.set_cursor(Gdk.Cursor.new_from_name(window.get_display(), name))

    def _scrolled(self, _area: Any, event: Any) -> bool:
        self._at, self._inside = (event.x, event.y), True
        smooth, _across, down = event.get_scroll_deltas()
        if not smooth:
            ways = {Gdk.ScrollDirection.UP: -1.0, Gdk.ScrollDirection.DOWN: 1.0}
            down = ways.get(event.direction, 0.0)
        if down:
            self.zoom(self._canvas.placement.scale * NOTCH**-down)
        return True

    def _pinch_begun(self) -> None:
        self._pinched = self._canvas.placement.scale

    def _pinch_changed(self, gesture: Any, scale: float) -> None:
        found, x, y = gesture.get_bounding_box_center()
        if found:
            self._at, self._inside = (x, y), True
        self.zoom(self._pinched * scale)

    def _typed(self, _area: Any, event: Any) -> bool:
        """Keys that the canvas takes where it has the focus."""
        name = Gdk.keyval_name(event.keyval) or ""
        if name in AIMS:
            self._point(event)
            return True
        if (way := ARROWS.get(name.removeprefix("KP_"))) is None:
            return False
        step = (1 if modifier(event, "Control", "Shift") else STEP) / self._canvas.placement.scale
        x, y = self._canvas.mark
        self._canvas.set_mark((x + step * way[0], y + step * way[1]))
        return True

    def _key(self, window: Any, event: Any, pressed: bool) -> bool:
        name = Gdk.keyval_name(event.keyval) or ""
        if not pressed and name in BEFORE:  # wherever the focus is by now
            self._canvas.show_before(False)
        if name == "space" and (not pressed or self._inside or self._area.is_focus()):
            held, self._space = self._space, pressed
            self._show_pointer()
            return pressed or held
        alt = event.state & Gdk.ModifierType.MOD1_MASK
        focus = window.get_focus()
        if not pressed or alt or (isinstance(focus, Gtk.Editable) and not _is_idle(focus, event)):
            return False
        if modifier(event, "Control"):
            return self._takes_back(name)
        if name in ZOOMS:
            self.zoom(self._canvas.placement.scale * ZOOMS[name])
        elif name in ACTUAL:
            self.zoom(1.0)
        elif name in FIT:
            self.zoom(None)
        elif name in BEFORE:
            self._canvas.show_before(True)
        elif name in SIZES:
            self._corrections.resize(larger=SIZES[name])
        elif (switch := self._switches.get(name.lower())) is not None:
            switch.set_active(not switch.get_active() and switch.get_sensitive())
        else:
            return isinstance(focus, Gtk.SpinButton)  # the letter would wipe the number
        return True

    def _takes_back(self, name: str) -> bool:
        """Undo and redo; whether a key with Control means that. Not while something is made."""
        if name not in (*REDO, UNDO):
            return False
        if self._area.is_sensitive() and not self._corrections.painting:
            if name == UNDO:
                self._history.undo()
            else:
                self._history.redo()
        return True


def _is_idle(field: Any, event: Any) -> bool:
    """Whether a key is none for a field: a letter, where that takes a number; Undo there, too."""
    typed = chr(Gdk.keyval_to_unicode(event.keyval))
    if modifier(event, "Control"):
        return isinstance(field, Gtk.SpinButton) and typed in (*REDO, UNDO)
    return isinstance(field, Gtk.SpinButton) and (typed.isalpha() or typed in "[]")
