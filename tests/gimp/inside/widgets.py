"""The widgets in windows: what they are, and where.

For the system's own Python on the session bus of the windows.
"""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402


def described(item: Any, window: str) -> dict[str, Any]:
    """What an item is, and where."""
    states = item.get_state_set()
    place = item.get_extents(Atspi.CoordType.SCREEN)
    names = [item.get_name()]
    for relation in item.get_relation_set() if not names[0] else ():
        if relation.get_relation_type() == Atspi.RelationType.LABELLED_BY:
            count = relation.get_n_targets()
            names += [relation.get_target(i).get_name() for i in range(count)]
    value = item.get_value_iface()
    text = item.get_text_iface()
    return {
        "window": window,
        "role": item.get_role_name(),
        "name": next((name for name in names if name), ""),
        "place": (place.x, place.y, place.width, place.height),
        "value": value.get_current_value() if value else None,
        "text": Atspi.Text.get_text(text, 0, 1000) if text else None,
        "sensitive": states.contains(Atspi.StateType.SENSITIVE),
        "checked": states.contains(Atspi.StateType.CHECKED),
    }


def look(item: Any, window: str, found: list[dict[str, Any]]) -> None:
    """Add an item and all in it that is shown."""
    try:
        if not item.get_state_set().contains(Atspi.StateType.SHOWING):
            return
        found.append(described(item, window))
        for number in range(item.get_child_count()):
            child = item.get_child_at_index(number)
            if child is not None:
                look(child, window, found)
    except GLib.Error:  # it has gone meanwhile
        return


def widgets(title: str) -> list[dict[str, Any]]:
    """What is in the windows whose title has this in it."""
    Atspi.init()
    desktop, context = Atspi.get_desktop(0), GLib.MainContext.default()
    desktop.clear_cache()
    while context.pending():  # programs that have come or gone
        context.iteration(False)
    found: list[dict[str, Any]] = []
    for number in range(desktop.get_child_count()):
        program = desktop.get_child_at_index(number)
        for at in range(program.get_child_count() if program is not None else 0):
            shown = program.get_child_at_index(at)
            if shown is not None and title in (shown.get_name() or ""):
                look(shown, shown.get_name(), found)
    return found
